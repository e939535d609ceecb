using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Orleans;

namespace Governor.Domain.Packs;

[JsonConverter(typeof(JsonStringEnumConverter<ExecutionPhase>))]
public enum ExecutionPhase
{
    /// <summary>At least one gate is closed.</summary>
    Gated,

    /// <summary>All gates are open; the pack is being fetched and verified. Nothing has been written to the target.</summary>
    Verifying,

    /// <summary>Objects are being applied to the target.</summary>
    Delivering,

    Succeeded,

    /// <summary>Stopped for good; a new attempt needs a new PackExecution.</summary>
    Failed,

    /// <summary>It stepped aside before its first write, for a newer declaration; it goes on when that is taken back.</summary>
    Superseded,
}

/// <summary>The steps of a delivery, in order, under the names that operators know.</summary>
public static class DeliverySteps
{
    public const string Verify = "verify-pack";
    public const string Namespaces = "apply-namespaces";
    public const string Rbac = "apply-rbac-tenant";
    public const string ClusterScoped = "apply-cluster-scoped";
    public const string Workload = "apply-workload";
    public const string WaitReady = "wait-ready";

    public static ImmutableArray<string> All { get; } = [Verify, Namespaces, Rbac, ClusterScoped, Workload, WaitReady];
}

/// <summary>One gate of one execution, with its history.</summary>
/// <param name="Since">Since when the current answer stands.</param>
/// <param name="BlockedReason">Why it was closed when it was first asked; "" if it never was.</param>
public sealed record GateRecord(GateAnswer Answer, DateTimeOffset Since, string BlockedReason, DateTimeOffset? BlockedAt, DateTimeOffset? ClearedAt)
{
    public bool IsOpen => Answer.Verdict == GateVerdict.Allow;
}

public sealed record StepRecord(string Name, string Status, string Message, DateTimeOffset At);

/// <summary>An object that a pack put on its target.</summary>
/// <param name="Uid">Of the object as it was answered by the target; "" where it is not known: it was about to be put there, or comes from before UIDs were recorded.</param>
/// <param name="Created">It did not exist before, as far as the answer came back; what existed is never deleted by us.</param>
[GenerateSerializer, Immutable]
public sealed record DeployedResource(string ApiVersion, string Kind, string Namespace, string Name, string Uid = "", bool Created = false);

/// <summary>Why a delivery stopped: at which step, on which object, and the cause.</summary>
[GenerateSerializer, Immutable]
public sealed record DeliveryFailure(string Step, string Object, string Reason, string Message);

/// <summary>Which pack was verified: the object, the digest of its spec, and the spec.</summary>
/// <param name="ContentDigest">Of what may not change: the rest of a spec may, while it is delivered.</param>
/// <param name="Document">The pack as it was signed; <see cref="PackDocument"/>.</param>
/// <param name="KeyId">Which key its signature is by.</param>
[GenerateSerializer, Immutable]
public sealed record VerifiedPack(string Uid, string SpecDigest, PackSpec Spec, string ContentDigest = "", string Document = "", string KeyId = "")
{
    /// <summary>Whether another look found the same pack.</summary>
    public bool IsSameAs(VerifiedPack other) =>
        Uid == other.Uid && (ContentDigest.Length > 0 && other.ContentDigest.Length > 0 ? ContentDigest == other.ContentDigest : SpecDigest == other.SpecDigest);
}

/// <summary>A PackExecution object is gone; its pack decides whether there has to be another.</summary>
[GenerateSerializer, Immutable]
public sealed record ExecutionGone(ObjectKey Execution, string Uid) : Fact;

/// <summary>A PackExecution as its actor remembers it.</summary>
/// <param name="SpecFailures">What is wrong with the spec; empty when it can be read.</param>
/// <param name="Verified">The pack that was verified before the first write; everything after that is about this one and no other.</param>
/// <param name="Former">Whom it listened to under an earlier spec; they have to learn that it does not any more.</param>
public sealed record ExecutionState(
    ObjectKey Key,
    bool Exists,
    string Uid,
    long Generation,
    ExecutionSpec? Spec,
    ImmutableArray<string> SpecFailures,
    SealedCausalChain? Lineage,
    string Declarer,
    GateFacts Facts,
    ImmutableArray<GateRecord> Gates,
    ExecutionPhase Phase,
    ImmutableArray<StepRecord> Steps,
    DeliveryFailure? Failure,
    VerifiedPack? Verified,
    ImmutableArray<DeployedResource> Inventory,
    DateTimeOffset? FinishedAt,
    ImmutableSortedSet<Address> Former,
    ImmutableArray<Condition> Conditions)
{
    public static ExecutionState Initial(ObjectKey key) =>
        new(key, false, "", 0, null, [], null, "", GateFacts.None, [], ExecutionPhase.Gated, [], null, null, [], null, [], []);

    [JsonIgnore]
    public bool IsTerminal => Phase is ExecutionPhase.Succeeded or ExecutionPhase.Failed;

    public bool HasDone(string step) => Steps.Any(s => s.Name == step && s.Status == "Succeeded");
}

/// <summary>What can happen to a delivery.</summary>
public abstract record ExecutionInput
{
    private ExecutionInput()
    {
    }

    public sealed record Observed(KubeObject Execution) : ExecutionInput;

    public sealed record Gone : ExecutionInput;

    public sealed record Told(Fact Fact) : ExecutionInput;

    /// <summary>Time passed: answers that depend on the clock are asked again.</summary>
    public sealed record Ticked : ExecutionInput;

    /// <summary>The target said what we may do there.</summary>
    public sealed record RightsReviewed(string Uid, RunnerRights Rights) : ExecutionInput;

    /// <summary>All content was fetched and verified; nothing has been written yet.</summary>
    public sealed record Verified(string Uid, VerifiedPack Pack, string Message) : ExecutionInput
    {
        /// <summary>What will be put on the target from here on. It is committed before the first write: whatever dies after that leaves nothing that nobody knows of.</summary>
        public ImmutableArray<DeployedResource> Planned { get; init; } = [];
    }

    /// <summary>A step is done; <paramref name="Objects"/> are on the target.</summary>
    public sealed record StepDone(string Uid, string Step, string Message, ImmutableArray<DeployedResource> Objects) : ExecutionInput;

    /// <summary>The delivery cannot go on.</summary>
    public sealed record Stopped(string Uid, DeliveryFailure Failure) : ExecutionInput
    {
        /// <summary>What the step that failed had put on the target by then.</summary>
        public ImmutableArray<DeployedResource> Objects { get; init; } = [];
    }
}

/// <summary>A delivery succeeded: what the release history of the target has to remember.</summary>
[GenerateSerializer, Immutable]
public sealed record DeliveredFact(
    ObjectKey Execution, string ExecutionUid, ObjectKey Pack, string PackUid, string PackVersion, string Cluster,
    PackSpec Spec, ImmutableArray<DeployedResource> Inventory, DateTimeOffset At, SealedCausalChain? Lineage,
    string ContentDigest = "", string Document = "", string KeyId = "") : Fact;
