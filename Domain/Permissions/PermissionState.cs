using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Permissions;

/// <summary>The permissions of one cluster: who brings what, and the snapshot that comes out.</summary>
/// <param name="Grants">By profile.</param>
/// <param name="Snapshot">Null until the first grant; after that there always is one, if need be empty.</param>
public sealed record PermissionState(
    ClusterName Cluster, ImmutableSortedDictionary<string, GrantFact> Grants, PermissionSnapshot? Snapshot, ImmutableSortedSet<Address> Interested,
    ImmutableArray<Condition> Conditions)
{
    /// <summary>What the policy of the platform's ceiling says of itself; null while it has not: until then nothing is computed.</summary>
    public PolicyStanding? Platform { get; init; }

    /// <summary>The management Conductor's key.</summary>
    public SigningKeyFact? SigningKey { get; init; }

    /// <summary>What stands on the management cluster; null while nothing does.</summary>
    public SnapshotPublication? Published { get; init; }

    /// <summary>
    /// Digests of the specs that were about to be written, the newest last. A watch may show one late, or to a successor of the silo
    /// that died when it was written: then it is nobody else's doing.
    /// </summary>
    public ImmutableArray<string> Intended { get; init; } = [];

    /// <summary>What the cluster says of its snapshot.</summary>
    public ReceiptFact? Receipt { get; init; }

    /// <summary>Whether the cluster's RBAC is as the snapshot says.</summary>
    public MaterialisationFact? Rbac { get; init; }

    /// <summary>The cluster has not acknowledged what it should have.</summary>
    [JsonIgnore]
    public bool Drifts => HasDrift(Snapshot?.Version ?? "", Receipt?.Acknowledged?.Version ?? "");

    public static PermissionState Initial(ClusterName cluster) =>
        new(cluster, ImmutableSortedDictionary<string, GrantFact>.Empty, null, [], []);

    /// <summary>Nothing expected is no drift; otherwise whatever is not acknowledged to the letter is.</summary>
    public static bool HasDrift(string expected, string acknowledged) => expected.Length > 0 && expected != acknowledged;
}

/// <summary>A snapshot as it was written to the management cluster.</summary>
/// <param name="Timestamp">Of the snapshot.</param>
/// <param name="KeyId">The key that signed it; "" when there was none.</param>
/// <param name="SpecDigest">Digest of the canonical spec.</param>
public sealed record SnapshotPublication(string Version, DateTimeOffset Timestamp, string KeyId, string SpecDigest, string Signature);

public abstract record PermissionInput
{
    private PermissionInput()
    {
    }

    public sealed record Told(Fact Fact) : PermissionInput;

    /// <summary>The snapshot is about to be written to the management cluster.</summary>
    public sealed record Writing(string SpecDigest) : PermissionInput;

    /// <summary>The snapshot was written to the management cluster.</summary>
    public sealed record Written(SnapshotPublication Publication) : PermissionInput;

    /// <summary>The object on the management cluster is not what was written there.</summary>
    /// <param name="Found">What is there, in a few words.</param>
    public sealed record Altered(string Found) : PermissionInput;

    /// <summary>Time passed.</summary>
    public sealed record Ticked : PermissionInput;
}
