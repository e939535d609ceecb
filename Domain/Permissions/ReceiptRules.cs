using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using System.Text.Json.Nodes;

namespace Governor.Domain.Permissions;

/// <summary>What is wrong with a cluster's snapshot, and since when.</summary>
/// <param name="On">The issue that it was found on: another one is delivered at once.</param>
public sealed record SnapshotFault(string Reason, string Message, DateTimeOffset Since, SnapshotIssued? On);

/// <summary>What one cluster has of its permission snapshot, as its Conductor sees it.</summary>
/// <param name="Issued">What it should have.</param>
/// <param name="Acknowledged">What it has verified and taken over.</param>
/// <param name="ApiUid">Which API server acknowledged: another one has acknowledged nothing.</param>
/// <param name="Hindrance">Why nothing can be delivered just now; "" when something can.</param>
public sealed record ReceiptState(
    ClusterName Cluster, SnapshotIssued? Issued, ConductorFact? Conductor, SigningKeyFact? SigningKey, Acknowledgement? Acknowledged, string ApiUid,
    SnapshotFault? Fault, string Hindrance)
{
    public static ReceiptState Initial(ClusterName cluster) => new(cluster, null, null, null, null, "", null, "");
}

public abstract record ReceiptInput
{
    private ReceiptInput()
    {
    }

    public sealed record Told(Fact Fact) : ReceiptInput;

    /// <summary>The cluster's copy was looked at.</summary>
    /// <param name="ApiUid">Which API server it was looked at on.</param>
    public sealed record Looked(SnapshotVerdict Verdict, string ApiUid) : ReceiptInput;

    /// <summary>Nothing can be delivered, though the cluster answers; "" when nothing hinders any more.</summary>
    public sealed record Hindered(string Why) : ReceiptInput;

    /// <summary>Time passed.</summary>
    public sealed record Ticked : ReceiptInput;
}

/// <summary>How a cluster's receipt of its permission snapshot is decided on. Pure.</summary>
public static class ReceiptRules
{
    /// <summary>Where the Conductor of a tenant keeps what is its own.</summary>
    public const string TenantNamespace = "ont-system";

    /// <summary>
    /// How long a copy that was refused is left as it is before it is written again: whoever tampers with it is seen, and does not keep
    /// anybody busy.
    /// </summary>
    public static TimeSpan DeliverAgain { get; } = TimeSpan.FromMinutes(1);

    /// <summary>A watch that has ended tells nobody: the copy is looked at again.</summary>
    public static TimeSpan LookAgain { get; } = TimeSpan.FromMinutes(5);

    public static ObjectKey ReceiptKey(ClusterName cluster) => new(TenantNamespace, $"receipt-{cluster}");

    /// <summary>Where a cluster's own copy is; the management cluster has the published object itself.</summary>
    public static ObjectKey CopyKey(ClusterName cluster, ClusterName management) =>
        cluster == management ? ClusterPermissionRules.SnapshotKey(cluster, management) : new(TenantNamespace, PermissionSnapshot.ObjectName(cluster, management));

    public static Decision<ReceiptState> Decide(ReceiptState state, ReceiptInput input, DateTimeOffset now) => input switch
    {
        ReceiptInput.Told(SnapshotIssued issued) => issued.Supersedes(state.Issued) ? Decision.Of(state with { Issued = issued }) : Decision.Of(state),
        ReceiptInput.Told(ConductorFact conductor) => conductor.Supersedes(state.Conductor) ? Decision.Of(state with { Conductor = conductor }) : Decision.Of(state),
        ReceiptInput.Told(SigningKeyFact key) => key.Supersedes(state.SigningKey) ? Decision.Of(state with { SigningKey = key }) : Decision.Of(state),
        ReceiptInput.Told => Decision.Of(state),
        ReceiptInput.Hindered(var why) => Decision.Of(state with { Hindrance = why }),
        ReceiptInput.Looked(SnapshotVerdict.Genuine(var acknowledged), var apiUid) => Acknowledge(state, acknowledged, apiUid, now),
        ReceiptInput.Looked(SnapshotVerdict.Refused refused, _) => Refuse(state, refused.Reason, refused.Message, now),
        ReceiptInput.Ticked => state is { Acknowledged: { } last, Fault: null } && now > last.FreshUntil
            ? Refuse(state, SnapshotVerification.Stale, $"the snapshot that cluster {state.Cluster} acknowledged is stale since {KubeTime.Format(last.FreshUntil)}, and none that is newer has arrived", now)
            : Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>What was acknowledged before, if it was this API server that did.</summary>
    public static Acknowledgement? AcknowledgedBy(ReceiptState state, string apiUid) => state.ApiUid == apiUid ? state.Acknowledged : null;

    /// <summary>Whether the cluster answers and there is something that it should have.</summary>
    public static bool CanLook(ReceiptState state) => state is { Issued: not null, Conductor.Readiness: ConductorReadiness.Ready };

    /// <summary>Whether the snapshot has to be written to the cluster.</summary>
    public static bool OwesDelivery(ReceiptState state, DateTimeOffset now)
    {
        if (!CanLook(state) || state.Issued is not { KeyId.Length: > 0 } issued)
            return false;
        if (state.Fault is { } fault)
            return !Same(fault.On, issued) || fault.Reason == SnapshotVerification.Missing || now >= fault.Since + DeliverAgain;
        return state.Acknowledged is not { } last || last.Timestamp != issued.Timestamp || last.KeyId != issued.KeyId || state.ApiUid != state.Conductor!.ApiUid;
    }

    public static DateTimeOffset? NextTick(ReceiptState state, DateTimeOffset now)
    {
        if (state.Issued is null)
            return null;
        var next = now + LookAgain;
        if (state.Fault is { } fault && fault.Since + DeliverAgain > now && fault.Since + DeliverAgain < next)
            next = fault.Since + DeliverAgain;
        if (state is { Fault: null, Acknowledged: { } last } && last.FreshUntil > now && last.FreshUntil < next)
            next = last.FreshUntil + TimeSpan.FromMilliseconds(1);
        return next;
    }

    public static ReceiptFact Fact(ReceiptState state)
    {
        var (sync, reason, message) = state switch
        {
            { Fault: { } fault } => (SnapshotSync.DegradedSecurityState, fault.Reason, fault.Message),
            { Acknowledged: { } last, Issued: { } issued } when last.Version == issued.SnapshotVersion => (SnapshotSync.InSync, "SnapshotAcknowledged", $"cluster {state.Cluster} has acknowledged {last.Version}"),
            { Acknowledged: not null } => (SnapshotSync.OutOfSync, "SnapshotPending", Awaits(state)),
            _ => (SnapshotSync.Pending, "SnapshotPending", Awaits(state)),
        };
        return new ReceiptFact(state.Cluster, sync, reason, message, state.Acknowledged);
    }

    public static IEnumerable<Letter> Outbox(ReceiptState state)
    {
        if (state.Issued is null)
            yield break;
        yield return new Letter(new Address(Subjects.Cluster, state.Cluster.Value), new Interest());
        yield return new Letter(PackRules.SigningKeyAddress, new Interest());
        var fact = Fact(state);
        yield return new Letter(new Address(Subjects.Permission, state.Cluster.Value), fact);
        // A cluster that has nothing yet has nothing to say of it.
        if (fact.Sync != SnapshotSync.Pending)
            yield return new Letter(new Address(Subjects.Cluster, state.Cluster.Value), fact);
    }

    /// <summary>The receipt that the cluster keeps: only of what was verified there. Null before.</summary>
    public static KubeObject? DesiredReceipt(ReceiptState state) => state.Acknowledged is not { } last ? null : KubeObject.From(new JsonObject
    {
        ["apiVersion"] = KnownKinds.PermissionSnapshotReceipt.ApiVersion,
        ["kind"] = KnownKinds.PermissionSnapshotReceipt.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = ReceiptKey(state.Cluster).Name,
            ["namespace"] = TenantNamespace,
            ["labels"] = new JsonObject { ["ontai.dev/managed-by"] = "guardian" },
        },
        ["spec"] = new JsonObject
        {
            ["clusterName"] = state.Cluster.Value,
            ["snapshotVersion"] = last.Version,
            ["acknowledgedAt"] = KubeTime.Format(last.AcknowledgedAt),
        },
    });

    public static JsonObject ReceiptStatus(ReceiptState state)
    {
        var fact = Fact(state);
        return new JsonObject
        {
            ["syncStatus"] = (fact.Sync == SnapshotSync.Pending ? SnapshotSync.OutOfSync : fact.Sync).ToString(),
            ["degradedSecurityState"] = state.Fault is not null,
            ["degradedReason"] = state.Fault is { } fault ? $"{fault.Reason}: {fault.Message}" : "",
        };
    }

    private static Decision<ReceiptState> Acknowledge(ReceiptState state, Acknowledgement found, string apiUid, DateTimeOffset now)
    {
        var before = AcknowledgedBy(state, apiUid);
        var isKnown = before is not null && before.Timestamp == found.Timestamp && before.Version == found.Version && before.KeyId == found.KeyId;
        if (isKnown && state.Fault is null && state.Hindrance.Length == 0)
            return Decision.Of(state);
        // The same content, confirmed: the cluster took it over when it first did.
        var kept = before is not null && before.Version == found.Version ? found with { AcknowledgedAt = before.AcknowledgedAt } : found;
        var next = state with { Acknowledged = kept, ApiUid = apiUid, Fault = null, Hindrance = "" };
        if (state.Fault is null && before?.Version == found.Version)
            return Decision.Of(
                next, Events(state).Operator(now, "permissionsnapshot.confirmed", "spec.snapshotTimestamp", $"{before.Timestamp:O}", $"{found.Timestamp:O}", $"content {found.Version} is unchanged"));
        return Decision.Of(
            next,
            Events(state).Governance(
                now, "permissionsnapshot.acknowledged", "spec.snapshotVersion", before?.Version, found.Version,
                state.Fault is { } fault ? $"verified by key {found.KeyId[..16]}; {fault.Reason} is over" : $"verified by key {found.KeyId[..16]}"));
    }

    private static Decision<ReceiptState> Refuse(ReceiptState state, string reason, string message, DateTimeOffset now)
    {
        // Where nothing was ever taken over, nothing is missing: it is on its way.
        if (reason == SnapshotVerification.Missing && state.Acknowledged is null)
            return Decision.Of(state);
        var isKnown = state.Fault is { } known && known.Reason == reason && known.Message == message;
        // Each attempt to mend it begins a new pause.
        if (isKnown && Same(state.Fault!.On, state.Issued) && now < state.Fault.Since + DeliverAgain)
            return Decision.Of(state);
        var next = state with { Fault = new SnapshotFault(reason, message, now, state.Issued) };
        return isKnown
            ? Decision.Of(next)
            : Decision.Of(next, Events(state).Governance(now, "permissionsnapshot.refused", "status.degradedSecurityState", state.Fault?.Reason, reason, message));
    }

    private static bool Same(SnapshotIssued? left, SnapshotIssued? right) =>
        left?.Timestamp == right?.Timestamp && left?.KeyId == right?.KeyId;

    private static string Awaits(ReceiptState state) => state switch
    {
        { Issued.KeyId.Length: 0 } => "waits for the management Conductor's signing key: what is not signed is not delivered",
        { Hindrance.Length: > 0 } => state.Hindrance,
        { Conductor: null } => $"waits to hear of cluster {state.Cluster}",
        { Conductor.Readiness: not ConductorReadiness.Ready } => $"waits for cluster {state.Cluster}: {state.Conductor.Message}",
        _ => $"is being delivered to cluster {state.Cluster}",
    };

    private static Audit.EventContext Events(ReceiptState state) =>
        GuardianEvents.Of(KnownKinds.PermissionSnapshotReceipt, ReceiptKey(state.Cluster), "", 0, state.Cluster.Value, "conductor");
}
