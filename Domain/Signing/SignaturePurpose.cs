using System.Collections.Immutable;
using Governor.Domain.Kinds;

namespace Governor.Domain.Signing;

/// <summary>
/// What the management Conductor signs an object as. The first line of what is signed names the purpose, so that a signature made for
/// one never passes for another; the second names the object, so that one object's never passes for another's.
/// </summary>
public sealed class SignaturePurpose
{
    private readonly ImmutableArray<string> _kinds;
    private readonly Func<KubeObject, string> _identity;

    private SignaturePurpose(string domain, string annotation, ImmutableArray<string> kinds, Func<KubeObject, string> identity) =>
        (Domain, Annotation, _kinds, _identity) = (domain, annotation, kinds, identity);

    /// <summary>This content may be delivered.</summary>
    public static SignaturePurpose Pack { get; } = new("governor.pack.v1", PackSignature.Annotation, ["ClusterPack", "InfrastructureClusterPack"], PackIdentity);

    /// <summary>
    /// These are the rights on one cluster. The cluster is the identity, not namespace and name: the tenant keeps its copy elsewhere than
    /// the management cluster, under the same signature.
    /// </summary>
    public static SignaturePurpose PermissionSnapshot { get; } = new(
        "governor.permission-snapshot.v1", "infrastructure.ontai.dev/management-signature", ["PermissionSnapshot"], SnapshotIdentity);

    /// <summary>The first line of what is signed.</summary>
    public string Domain { get; }

    /// <summary>The annotation that carries the signature.</summary>
    public string Annotation { get; }

    /// <summary>What an object of this kind is signed as. The group plays no part, so that an object keeps its signature under an alias of it.</summary>
    /// <exception cref="ArgumentException">Objects of this kind are not signed.</exception>
    public static SignaturePurpose Of(KubeObject item) =>
        Pack._kinds.Contains(item.Kind) ? Pack
        : PermissionSnapshot._kinds.Contains(item.Kind) ? PermissionSnapshot
        : throw new ArgumentException($"expected a ClusterPack or a PermissionSnapshot, found {item}", nameof(item));

    /// <exception cref="FormatException">The object does not say which one it is, or says what no API server would accept.</exception>
    internal string Identity(KubeObject item) => _identity(item);

    private static string PackIdentity(KubeObject pack) => pack.Name.Length > 0 && !(pack.Namespace + pack.Name).AsSpan().ContainsAny('/', '\n')
        ? $"{pack.Namespace}/{pack.Name}"
        : throw new FormatException($"expected a pack with a valid namespace and name, found '{pack.Namespace}' and '{pack.Name}'");

    private static string SnapshotIdentity(KubeObject snapshot) => snapshot.FindText("spec", "targetCluster") is { Length: > 0 } cluster && !cluster.Contains('\n', StringComparison.Ordinal)
        ? cluster
        : throw new FormatException($"snapshot {snapshot.Key}: expected spec.targetCluster, found '{snapshot.FindText("spec", "targetCluster")}'");
}
