using Governor.Domain.Kinds;
using Governor.Sandbox.Schema;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Discovery;

/// <summary>A printer column of a custom resource.</summary>
internal sealed record PrinterColumn(string Name, string Type, string Format, string Description, long Priority, string JsonPath);

/// <summary>The scale subresource: where replicas and selector are found in the object.</summary>
internal sealed record ScalePaths(string SpecReplicas, string StatusReplicas, string LabelSelector);

/// <summary>One version of one kind as it is served.</summary>
internal sealed record ServedResource(GroupVersionKind Gvk, string Plural, string Singular, bool IsNamespaced, SchemaNode Schema)
{
    public string ListKind { get; init; } = Gvk.Kind + "List";
    public IReadOnlyList<string> ShortNames { get; init; } = [];
    public IReadOnlyList<string> Categories { get; init; } = [];
    public bool HasStatus { get; init; }
    public ScalePaths? Scale { get; init; }
    public IReadOnlyList<PrinterColumn> Columns { get; init; } = [];
    public bool IsCustom { get; init; }

    /// <summary>Reviews and the like: created, answered and forgotten.</summary>
    public bool IsVirtual { get; init; }

    /// <summary>A name without dots, as DNS labels are.</summary>
    public bool NamesAreLabels { get; init; }

    /// <summary>Names may hold colons, as roles' do.</summary>
    public bool NamesArePaths { get; init; }

    /// <summary>A PUT without resourceVersion overwrites.</summary>
    public bool AllowsBlindUpdate { get; init; } = true;

    /// <summary>The kind counts generations.</summary>
    public bool CountsGenerations { get; init; }

    /// <summary>Said in a Warning header with every answer.</summary>
    public string? Deprecation { get; init; }

    /// <summary>The version that objects are stored in.</summary>
    public string StorageApiVersion { get; init; } = Gvk.ApiVersion;

    /// <summary>A terminating CRD serves its objects, and creates none.</summary>
    public bool IsTerminating { get; init; }

    public ResourceId Id => new(Gvk.Group, Plural);

    /// <summary><c>widgets.example.dev</c>, as messages name the resource.</summary>
    public string QualifiedPlural => Id.ToString();

    /// <summary><c>Widget.example.dev</c>, as messages about the body name the kind.</summary>
    public string QualifiedKind => Gvk.Group.Length == 0 ? Gvk.Kind : $"{Gvk.Kind}.{Gvk.Group}";
}
