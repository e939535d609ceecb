using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>One set that a profile claims, and where.</summary>
/// <param name="Namespaces">For a namespaced declaration; empty means the service account's own namespace.</param>
/// <param name="Clusters">Some of the profile's target clusters; empty means all of them.</param>
[GenerateSerializer, Immutable]
public sealed record PermissionDeclaration(
    string PermissionSetRef, DeclarationScope Scope, ImmutableArray<string> Namespaces, ImmutableArray<string> Clusters);

/// <summary>What one principal may do, where.</summary>
[GenerateSerializer, Immutable]
public sealed record RbacProfile(
    ObjectKey Key,
    string Uid,
    long Generation,
    string PrincipalRef,
    ImmutableArray<string> TargetClusters,
    ImmutableArray<PermissionDeclaration> Declarations,
    string RbacPolicyRef,
    string DomainIdentityRef)
{
    /// <summary>The policy lives in the profile's namespace.</summary>
    [JsonIgnore]
    public ObjectKey Policy => Key with { Name = RbacPolicyRef };

    /// <summary>The profile of a Seam member: in force only once its SeamMembership is through.</summary>
    [JsonIgnore]
    public bool BelongsToMember => DomainIdentityRef.Length > 0;

    /// <summary>The sets that it declares, each once, in their order.</summary>
    [JsonIgnore]
    public IEnumerable<ObjectKey> PermissionSets =>
        Declarations.Select(declaration => Key with { Name = declaration.PermissionSetRef }).Distinct();

    /// <summary>The declarations that hold on a cluster; none on a cluster that is no target.</summary>
    public IEnumerable<PermissionDeclaration> On(ClusterName cluster) =>
        TargetClusters.Contains(cluster.Value)
            ? Declarations.Where(declaration => declaration.Clusters.IsEmpty || declaration.Clusters.Contains(cluster.Value))
            : [];

    public static Reading<RbacProfile> Read(KubeObject source)
    {
        var reader = new FieldReader(source);
        var principal = reader.Name(reader.Spec, "spec", "principalRef", "PrincipalRefNotEmpty");
        // Everybody, the administrators and the API server's own are nobody whom a profile gives something.
        var group = principal.StartsWith(Principal.GroupPrefix, StringComparison.Ordinal) ? principal[Principal.GroupPrefix.Length..] : null;
        reader.Require(group is null || (group.Length > 0 && !group.StartsWith("system:", StringComparison.Ordinal)), "PrincipalGroupValid", "spec.principalRef",
            $"expected {Principal.GroupPrefix}NAME with the name of a group that is not one of Kubernetes' own, found '{principal}'");
        var clusters = reader.Texts(reader.Spec, "spec", "targetClusters");
        reader.Require(!clusters.IsEmpty, "TargetClustersNotEmpty", "spec.targetClusters", "expected at least one cluster, found none");
        var declarations = reader.Items(reader.Spec, "spec", "permissionDeclarations")
            .Select((declaration, index) => Declaration(reader, declaration, $"spec.permissionDeclarations[{index}]", principal))
            .ToImmutableArray();
        reader.Require(!declarations.IsEmpty, "PermissionDeclarationsNotEmpty", "spec.permissionDeclarations", "expected at least one declaration, found none");
        var policy = reader.Text(reader.Spec, "spec", "rbacPolicyRef");
        var identity = reader.Text(reader.Spec, "spec", "domainIdentityRef");
        return reader.Result(() =>
            new RbacProfile(source.Key, source.Uid, source.Generation, principal, clusters, declarations, policy, identity));
    }

    private static PermissionDeclaration Declaration(FieldReader reader, JsonElement declaration, string path, string principal)
    {
        var made = new PermissionDeclaration(
            reader.Name(declaration, path, "permissionSetRef", "PermissionSetRefNotEmpty"),
            reader.OneOf(declaration, path, "scope", "ScopeValid", ("namespaced", DeclarationScope.Namespaced), ("cluster", DeclarationScope.Cluster)),
            reader.Texts(declaration, path, "namespaces"),
            reader.Texts(declaration, path, "clusters"));
        var namespaced = FieldReader.TryFind(declaration, "scope", out var scope) && scope.ValueKind == JsonValueKind.String && scope.ValueEquals("namespaced");
        reader.Require(!namespaced || !made.Namespaces.IsEmpty || Principal.Parse(principal).Namespace.Length > 0, "NamespacesKnown", $"{path}.namespaces",
            $"expected the namespaces of a namespaced declaration, found none, and '{principal}' is no service account with a namespace of its own");
        for (var i = 0; i < made.Namespaces.Length; i++)
            reader.Require(made.Namespaces[i].Length > 0 && !made.Namespaces[i].Contains('*', StringComparison.Ordinal), "NamespacesValid",
                $"{path}.namespaces[{i}]", $"expected the name of a namespace, found '{made.Namespaces[i]}'");
        return made;
    }
}
