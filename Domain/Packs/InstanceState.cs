using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Packs;

[JsonConverter(typeof(JsonStringEnumConverter<UpgradeDirection>))]
public enum UpgradeDirection
{
    Initial,
    Upgrade,
    Rollback,
    Redeploy,
}

/// <summary>One revision of what stands on the target. It outlives the attempt that brought it there, and the ClusterPack.</summary>
/// <param name="ContentDigest">Of the pack's content; "" in releases from before it was kept.</param>
/// <param name="Document">The pack as it was signed: what a restoration delivers and verifies. "" in releases from before it was kept.</param>
/// <param name="KeyId">The key of that signature.</param>
/// <param name="RestoredFrom">The revision whose content this is; 0 when it was delivered from its ClusterPack.</param>
/// <param name="AskedBy">UID of the ClusterPack in whose place it was restored; "" when none was.</param>
/// <param name="DeclaredAt">When its ClusterPack was made.</param>
[GenerateSerializer, Immutable]
public sealed record Release(
    int Revision, ObjectKey Pack, string PackUid, string Version, PackSpec Spec, ObjectKey Execution, string ExecutionUid,
    DateTimeOffset DeployedAt, UpgradeDirection Direction, ImmutableArray<DeployedResource> Inventory, SealedCausalChain? Lineage,
    string ContentDigest = "", string Document = "", string KeyId = "", int RestoredFrom = 0, string AskedBy = "", DateTimeOffset DeclaredAt = default)
{
    /// <summary>What restoring it writes.</summary>
    public ImmutableArray<PackNeed> Needs() =>
    [
        .. Inventory.Select(entry => (Kind: GroupVersionKind.Of(entry.ApiVersion, entry.Kind), entry.Namespace))
            .Select(entry => new PackNeed(entry.Kind.Group, entry.Kind.Version, entry.Kind.Kind, "", entry.Namespace))
            .Distinct()
            .OrderBy(need => need.ToString(), StringComparer.Ordinal),
    ];
}

/// <summary>How a pack lineage stands to what it has on the target.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<InstanceStanding>))]
public enum InstanceStanding
{
    /// <summary>The current release stands, as far as we know; or nothing was delivered yet.</summary>
    Standing,

    /// <summary>No ClusterPack is meant for the target any more, and what was delivered is kept.</summary>
    Retained,

    /// <summary>No ClusterPack is meant for the target any more, and what was delivered is being removed.</summary>
    Removing,

    /// <summary>What was delivered is gone, or some of it.</summary>
    Removed,

    /// <summary>It was approved not to remove what could not be reached. Nothing there is touched any more, also when it comes back.</summary>
    Abandoned,
}

/// <summary>A release that has to be brought back, and the execution that does it.</summary>
/// <param name="AskedBy">UID of the ClusterPack in whose place it comes.</param>
public sealed record Restoration(int Revision, string AskedBy, ObjectKey Execution, bool IsRollback, string Why);

/// <summary>What one pack lineage has on one target: its release history, newest last.</summary>
/// <param name="Uid">UID of the PackInstance object, once it is there.</param>
/// <param name="Lineage">Sealed with the first release, and kept when that is no longer remembered.</param>
public sealed record InstanceState(
    ObjectKey Key, string Cluster, bool Exists, string Uid, long Generation, ImmutableArray<Release> Releases, SealedCausalChain? Lineage, ImmutableArray<Condition> Conditions)
{
    public static InstanceState Initial { get; } = new(default, "", false, "", 0, [], null, []);

    /// <summary>The ClusterPacks that are meant for this lineage and target, by key.</summary>
    public ImmutableSortedDictionary<string, PackFact> Declared { get; init; } = ImmutableSortedDictionary<string, PackFact>.Empty;

    /// <summary>Something was ever heard of what is declared: until then nothing follows from there being nothing.</summary>
    public bool HasHeard { get; init; }

    /// <summary>What the attempts of this lineage have said, by execution.</summary>
    public ImmutableSortedDictionary<string, AttemptFact> Attempts { get; init; } = ImmutableSortedDictionary<string, AttemptFact>.Empty;

    /// <summary>The execution that shall deliver next; "" when none shall.</summary>
    public string Aim { get; init; } = "";

    /// <summary>The execution that may write; "" while none may.</summary>
    public string Turn { get; init; } = "";

    /// <summary>Grows with every change of the two.</summary>
    public long TurnNumber { get; init; }

    public Restoration? Restoration { get; init; }

    /// <summary>How many restorations there have been: their executions have names of their own.</summary>
    public int Restorations { get; init; }

    /// <summary>Why what is declared cannot be aimed at; "" when it can.</summary>
    public string Problem { get; init; } = "";

    public InstanceStanding Standing { get; init; }

    /// <summary>What was delivered stays when nothing is declared any more: as the last ClusterPack that was meant for the target said.</summary>
    public bool Retain { get; init; } = true;

    public RemovalOrder? Removal { get; init; }

    /// <summary>What is not wanted any more and was left on the target, and why.</summary>
    public ImmutableArray<KeptObject> Kept { get; init; } = [];

    /// <summary>What attempts put there that did not succeed.</summary>
    public ImmutableArray<DeployedResource> Strays { get; init; } = [];

    public SigningKeyFact? Keys { get; init; }

    /// <summary>What is known of the target; asked for while there is something to remove, or to find again.</summary>
    public ConductorFact? Conductor { get; init; }

    public Abandonment? Abandonment { get; init; }

    /// <summary>What approvals have to be told.</summary>
    public ImmutableArray<PlanAnswer> Answers { get; init; } = [];

    public ReceiptStanding? Receipt { get; init; }

    [JsonIgnore]
    public Release? Current => Releases.IsEmpty ? null : Releases[^1];

    public Release? Find(long revision) => Releases.FirstOrDefault(release => release.Revision == revision);
}

/// <summary>Something that is not wanted any more and stays on the target.</summary>
[GenerateSerializer, Immutable]
public sealed record KeptObject(DeployedResource Object, string Reason, string Message);

public abstract record InstanceInput
{
    private InstanceInput()
    {
    }

    public sealed record Observed(KubeObject Instance) : InstanceInput;

    public sealed record Gone : InstanceInput;

    public sealed record Told(Fact Fact) : InstanceInput;

    /// <summary>An object of a removal is dealt with.</summary>
    public sealed record ObjectDone(string Removal, DeployedResource Object, RemovalOutcome Outcome, string Reason, string Message) : InstanceInput;

    /// <summary>Nobody removes anything any more.</summary>
    public sealed record RemovalStopped(string Removal) : InstanceInput;

    /// <summary>A cluster that was abandoned answers again: what is still there.</summary>
    public sealed record AbandonedSeen(string ApiUid, ImmutableArray<DeployedResource> Found) : InstanceInput;

    /// <summary>The tenant's receipt of a release was written and verified, or not.</summary>
    public sealed record ReceiptJudged(ReceiptStanding Standing) : InstanceInput;
}
