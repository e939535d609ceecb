using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Governor.Domain.Kinds.Schemas;

/// <summary>A generated file: its name inside <c>deploy/crds</c> and its text.</summary>
public sealed record GeneratedFile(string FileName, string Text);

/// <summary>Makes the CustomResourceDefinitions from the kind table and the schemas. The same input gives the same bytes.</summary>
public static class CrdGenerator
{
    private const string Notice = "# Generated from Domain/Kinds. Do not edit: change the schemas there and regenerate.\n";

    private static readonly ImmutableArray<Crd> Definitions =
    [
        .. GuardianSchemas.All,
        .. PlatformSchemas.All,
        .. MachineSchemas.All,
        .. MaintenanceSchemas.All,
        .. OperationSchemas.All,
        .. BackupSchemas.All,
        .. WrapperSchemas.All,
        .. RunnerSchemas.All,
        .. SeamCoreSchemas.All,
        .. DomainCoreSchemas.All,
        .. AppCoreSchemas.All,
    ];

    /// <summary>The definitions as YAML files, sorted by name.</summary>
    public static ImmutableArray<GeneratedFile> All() =>
    [
        .. Definitions
            .Select(crd => (Crd: crd, Kind: KindTable.Default.Get(crd.Gvk)))
            .Select(row => new GeneratedFile($"{row.Kind.Group}_{row.Kind.Plural}.yaml", Notice + YamlText.Of(row.Crd.ToJson(row.Kind))))
            .OrderBy(file => file.FileName, StringComparer.Ordinal),
    ];

    /// <summary>The definitions of these kinds as objects, ready to be applied.</summary>
    public static ImmutableArray<KubeObject> Objects(IEnumerable<GroupVersionKind> kinds) =>
        [.. Definitions.Where(crd => kinds.Contains(crd.Gvk)).Select(crd => KubeObject.From(crd.ToJson(KindTable.Default.Get(crd.Gvk))))];

    /// <summary>The definitions as objects, ready to be applied.</summary>
    public static ImmutableArray<KubeObject> Objects() =>
        [.. Definitions.Select(crd => KubeObject.From(crd.ToJson(KindTable.Default.Get(crd.Gvk))))];
}
