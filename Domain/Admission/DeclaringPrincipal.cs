using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Admission;

/// <summary><c>/mutate-declaring-principal</c>: whoever creates an object that may be a root is written on it, whatever he wrote there himself.</summary>
internal static class DeclaringPrincipal
{
    /// <summary>The JSON patch (RFC 6902), or null when nothing is stamped.</summary>
    public static JsonArray? Patch(AdmissionRequest request)
    {
        if (request is not { Operation: AdmissionOperation.Create, Subresource: "", Object: { } made, By.Name.Length: > 0 }
            || AdmissionPolicy.Kinds.Find(request.Kind) is not { LineageRoot: not LineageRoot.Never })
            return null;
        if (made.Annotations.GetValueOrDefault(LineageNames.DeclaringPrincipal) == request.By.Name)
            return null; // asked again, because a later webhook has changed the object
        return made.Find("metadata", "annotations").ValueKind == JsonValueKind.Object
            ? [Add($"/metadata/annotations/{LineageNames.DeclaringPrincipal.Replace("/", "~1", StringComparison.Ordinal)}", request.By.Name)]
            : [Add("/metadata/annotations", new JsonObject { [LineageNames.DeclaringPrincipal] = request.By.Name })];
    }

    private static JsonObject Add(string path, JsonNode value) => new() { ["op"] = "add", ["path"] = path, ["value"] = value };
}
