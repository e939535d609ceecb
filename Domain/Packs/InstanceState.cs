using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Packs;

[JsonConverter(typeof(JsonStringEnumConverter<UpgradeDirection>))]
public enum UpgradeDirection
{
    Initial,
    Upgrade,
    Rollback,
    Redeploy,
}

/// <summary>One revision of what stands on the target. It outlives the attempt that brought it there.</summary>
public sealed record Release(
    int Revision, ObjectKey Pack, string PackUid, string Version, PackSpec Spec, ObjectKey Execution, string ExecutionUid,
    DateTimeOffset DeployedAt, UpgradeDirection Direction, ImmutableArray<DeployedResource> Inventory, SealedCausalChain? Lineage);

/// <summary>What one pack lineage has on one target: its release history, newest last.</summary>
/// <param name="Uid">UID of the PackInstance object, once it is there.</param>
/// <param name="Lineage">Sealed with the first release, and kept when that is no longer remembered.</param>
public sealed record InstanceState(
    ObjectKey Key, string Cluster, bool Exists, string Uid, long Generation, ImmutableArray<Release> Releases, SealedCausalChain? Lineage, ImmutableArray<Condition> Conditions)
{
    public static InstanceState Initial { get; } = new(default, "", false, "", 0, [], null, []);

    [JsonIgnore]
    public Release? Current => Releases.IsEmpty ? null : Releases[^1];
}

public abstract record InstanceInput
{
    private InstanceInput()
    {
    }

    public sealed record Observed(KubeObject Instance) : InstanceInput;

    public sealed record Gone : InstanceInput;

    public sealed record Told(Fact Fact) : InstanceInput;
}
