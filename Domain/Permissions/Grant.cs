using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>One declared set with its rules, as it holds on one cluster.</summary>
/// <param name="Namespaces">For a namespaced declaration: where; empty means the principal's own namespace.</param>
[GenerateSerializer, Immutable]
public sealed record GrantedDeclaration(
    ObjectKey PermissionSet, DeclarationScope Scope, ImmutableArray<string> Namespaces, ImmutableArray<PermissionRule> Rules);

/// <summary>The rules that nothing may exceed, and where they come from.</summary>
/// <param name="Policy">The policy that names the set; for the platform's own ceiling, the management policy.</param>
[GenerateSerializer, Immutable]
public sealed record PermissionCeiling(ObjectKey Policy, ObjectKey PermissionSet, ImmutableArray<PermissionRule> Rules);

/// <summary>Everything that one profile brings to one cluster. There is no grant without a ceiling.</summary>
[GenerateSerializer, Immutable]
public sealed record Grant(
    string Principal,
    ObjectKey Profile,
    ImmutableArray<GrantedDeclaration> Declarations,
    PermissionCeiling ClusterCeiling,
    PermissionCeiling? PlatformCeiling = null)
{
    /// <summary>Where a declaration holds: "" for the whole cluster; nowhere when its namespaces are not known.</summary>
    internal ImmutableArray<string> Places(GrantedDeclaration declaration)
    {
        if (declaration.Scope == DeclarationScope.Cluster)
            return WholeCluster;
        if (!declaration.Namespaces.IsDefaultOrEmpty)
            return [.. declaration.Namespaces.Where(name => name.Length > 0)];
        var own = Permissions.Principal.Parse(Principal).Namespace;
        return own.Length > 0 ? [own] : [];
    }

    internal static ImmutableArray<string> WholeCluster { get; } = [""];
}
