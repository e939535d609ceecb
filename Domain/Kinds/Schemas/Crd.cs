using System.Text.Json.Nodes;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>A column of <c>kubectl get</c>.</summary>
/// <param name="Wide">Shown with <c>-o wide</c> only.</param>
internal readonly record struct Column(string Name, string Type, string Path, bool Wide = false)
{
    public static Column Text(string name, string path) => new(name, "string", path);

    public static Column Flag(string name, string path) => new(name, "boolean", path);

    public static Column Time(string name, string path) => new(name, "date", path);

    /// <summary>The status of a condition.</summary>
    public static Column Condition(string type) => Text(type, $".status.conditions[?(@.type==\"{type}\")].status");

    /// <summary>The reason of the Ready condition.</summary>
    public static Column Reason { get; } = Text("Reason", ".status.conditions[?(@.type==\"Ready\")].reason");

    /// <summary>The message of the Ready condition.</summary>
    public static Column Message { get; } = Text("Message", ".status.conditions[?(@.type==\"Ready\")].message") with { Wide = true };

    public Column OnlyWide() => this with { Wide = true };

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["name"] = Name, ["type"] = Type, ["jsonPath"] = Path };
        if (Wide)
            json["priority"] = 1;
        return json;
    }
}

/// <summary>What a CustomResourceDefinition needs besides the kind's row in the table.</summary>
/// <param name="Columns">Printer columns; Age is added as the last one.</param>
internal sealed record Crd(GroupVersionKind Gvk, string Description, Schema Spec, Schema Status, params IReadOnlyList<Column> Columns)
{
    private static readonly Column Age = Column.Time("Age", ".metadata.creationTimestamp");

    /// <summary>The kind counts replicas in <c>spec.replicas</c> and <c>status.replicas</c>, so that <c>kubectl scale</c> works.</summary>
    public bool Scales { get; init; }

    /// <summary>An object may do without a spec; else it is required.</summary>
    public bool SpecIsOptional { get; init; }

    public JsonObject ToJson(KindDescription kind) => new()
    {
        ["apiVersion"] = KnownKinds.CustomResourceDefinition.ApiVersion,
        ["kind"] = KnownKinds.CustomResourceDefinition.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = kind.CrdName,
            ["labels"] = new JsonObject
            {
                ["app.kubernetes.io/part-of"] = "governor",
                ["infrastructure.ontai.dev/seam-operator"] = kind.Owner.Name(),
            },
        },
        ["spec"] = new JsonObject
        {
            ["group"] = kind.Group,
            ["names"] = Names(kind),
            ["scope"] = kind.Scope.ToString(),
            ["versions"] = new JsonArray(ServedVersion(kind)),
        },
    };

    private static JsonObject Names(KindDescription kind)
    {
        var names = new JsonObject
        {
            ["kind"] = kind.Kind,
            ["listKind"] = $"{kind.Kind}List",
            ["plural"] = kind.Plural,
            ["singular"] = kind.Singular,
        };
        if (!kind.ShortNames.IsEmpty)
            names["shortNames"] = Texts(kind.ShortNames);
        names["categories"] = Texts(["governor", "seam"]);
        return names;
    }

    private JsonObject ServedVersion(KindDescription kind) => new()
    {
        ["name"] = kind.Version,
        ["served"] = true,
        ["storage"] = true,
        ["schema"] = new JsonObject { ["openAPIV3Schema"] = Root() },
        ["subresources"] = Subresources(),
        ["additionalPrinterColumns"] = new JsonArray([.. Columns.Append(Age).Select(column => column.ToJson())]),
    };

    private JsonObject Subresources()
    {
        var subresources = new JsonObject { ["status"] = new JsonObject() };
        if (Scales)
            subresources["scale"] = new JsonObject
            {
                ["specReplicasPath"] = ".spec.replicas",
                ["statusReplicasPath"] = ".status.replicas",
            };
        return subresources;
    }

    private JsonObject Root()
    {
        var root = new JsonObject { ["type"] = "object", ["description"] = Description };
        if (!SpecIsOptional)
            root["required"] = Texts(["spec"]);
        root["properties"] = new JsonObject
        {
            ["apiVersion"] = new JsonObject { ["type"] = "string" },
            ["kind"] = new JsonObject { ["type"] = "string" },
            ["metadata"] = new JsonObject { ["type"] = "object" },
            ["spec"] = Spec.ToJson(),
            ["status"] = Status.ToJson(),
        };
        return root;
    }

    private static JsonArray Texts(IEnumerable<string> values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
