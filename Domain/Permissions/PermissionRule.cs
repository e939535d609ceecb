using System.Collections.Immutable;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>
/// One rule as a human writes it: every verb on every resource of every group, for the names given. <c>*</c> stands for all groups,
/// all resources (and subresources) or all verbs; <c>*/scale</c> for that subresource of all resources. No group means the core group,
/// no name means all names.
/// </summary>
[GenerateSerializer, Immutable]
public sealed record PermissionRule(
    ImmutableArray<string> ApiGroups,
    ImmutableArray<string> Resources,
    ImmutableArray<string> Verbs,
    ImmutableArray<string> ResourceNames)
{
    private static readonly ImmutableArray<string> Core = [""];

    /// <summary>The groups meant: the core group where none is written.</summary>
    internal ImmutableArray<string> EffectiveGroups => ApiGroups.IsDefaultOrEmpty ? Core : ApiGroups;
}

/// <summary>Where a declaration holds.</summary>
[System.Text.Json.Serialization.JsonConverter(typeof(System.Text.Json.Serialization.JsonStringEnumConverter<DeclarationScope>))]
public enum DeclarationScope
{
    /// <summary>In certain namespaces, on namespaced objects only.</summary>
    Namespaced,

    /// <summary>In the whole cluster: cluster-scoped objects and every namespace.</summary>
    Cluster,
}
