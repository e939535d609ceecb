using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Governor.Sandbox.Schema;

internal enum ListKind
{
    /// <summary>One owner for the whole list.</summary>
    Atomic,

    /// <summary>Distinct scalars, owned one by one.</summary>
    Set,

    /// <summary>Objects told apart by key fields, owned one by one.</summary>
    Map,
}

/// <summary>One node of a structural schema, of a custom resource or of a built-in kind.</summary>
internal sealed class SchemaNode
{
    /// <summary>Anything at all.</summary>
    public static readonly SchemaNode Free = new() { PreserveUnknown = true };

    /// <summary>object, array, string, integer, number, boolean; empty where any will do.</summary>
    public string Type { get; init; } = "";
    public string Format { get; init; } = "";
    public string Description { get; init; } = "";
    public bool IntOrString { get; init; }
    public bool Nullable { get; init; }
    public bool PreserveUnknown { get; init; }
    public bool EmbeddedResource { get; init; }
    public IReadOnlyDictionary<string, SchemaNode> Properties { get; init; } = new Dictionary<string, SchemaNode>();
    public SchemaNode? AdditionalProperties { get; init; }
    public SchemaNode? Items { get; init; }
    public ListKind ListKind { get; init; }
    public IReadOnlyList<string> ListKeys { get; init; } = [];
    public bool AtomicMap { get; init; }
    public IReadOnlyList<string> Required { get; init; } = [];
    public JsonNode? Default { get; init; }
    public JsonArray? Enum { get; init; }
    public double? Minimum { get; init; }
    public double? Maximum { get; init; }
    public bool ExclusiveMinimum { get; init; }
    public bool ExclusiveMaximum { get; init; }
    public double? MultipleOf { get; init; }
    public long? MinLength { get; init; }
    public long? MaxLength { get; init; }
    public string? Pattern { get; init; }
    public long? MinItems { get; init; }
    public long? MaxItems { get; init; }
    public bool UniqueItems { get; init; }
    public long? MinProperties { get; init; }
    public long? MaxProperties { get; init; }
    public IReadOnlyList<SchemaNode> AllOf { get; init; } = [];
    public IReadOnlyList<SchemaNode> AnyOf { get; init; } = [];
    public IReadOnlyList<SchemaNode> OneOf { get; init; } = [];
    public SchemaNode? Not { get; init; }
    public IReadOnlyList<CelRule> Rules { get; init; } = [];

    /// <summary>The name of a built-in type, for OpenAPI references.</summary>
    public string TypeName { get; init; } = "";

    public Regex? PatternExpression =>
        Pattern is null ? null : _pattern ??= new Regex(Pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    private Regex? _pattern;

    /// <summary>The schema of a member, or null where the member is not declared.</summary>
    public SchemaNode? Member(string name) =>
        Properties.TryGetValue(name, out var found) ? found : AdditionalProperties ?? (IsFreeForm ? Free : null);

    /// <summary>Nothing is known about the members, so that any are welcome.</summary>
    public bool IsFreeForm => PreserveUnknown || (Type.Length == 0 && !IntOrString && Properties.Count == 0 && AdditionalProperties is null);
}

/// <summary>An entry of <c>x-kubernetes-validations</c>.</summary>
internal sealed record CelRule(string Rule, string Message, string MessageExpression, string Reason, string FieldPath);
