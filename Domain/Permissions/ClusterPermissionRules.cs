using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;

namespace Governor.Domain.Permissions;

/// <summary>How the permissions of a cluster are decided on. Pure.</summary>
public static class ClusterPermissionRules
{
    public const string SnapshotNamespace = "seam-system";

    /// <summary>SHA-256 of the canonical spec in hexadecimal, beside the signature.</summary>
    public const string HashAnnotation = "infrastructure.ontai.dev/management-spec-hash";

    /// <summary>Of so many writes a late event is recognised.</summary>
    private const int MostIntended = 16;

    public static Decision<PermissionState> Decide(PermissionState state, PermissionInput input, DateTimeOffset now) => input switch
    {
        PermissionInput.Told(GrantFact grant) => Grant(state, grant, now),
        PermissionInput.Told(PolicyStanding platform) => platform.Key == PlatformCeiling.Policy && platform.Supersedes(state.Platform)
            ? Compute(state with { Platform = platform }, null, $"the platform's ceiling {platform.Key} changed", now)
            : Decision.Of(state),
        PermissionInput.Told(SigningKeyFact key) => key.Supersedes(state.SigningKey) ? Decision.Of(state with { SigningKey = key }) : Decision.Of(state),
        PermissionInput.Told(ReceiptFact receipt) => receipt.Supersedes(state.Receipt) ? Decision.Of(Describe(state with { Receipt = receipt }, now)) : Decision.Of(state),
        PermissionInput.Told(MaterialisationFact rbac) => rbac.Supersedes(state.Rbac) ? Decision.Of(Describe(state with { Rbac = rbac }, now)) : Decision.Of(state),
        PermissionInput.Told(Interest interest) => Decision.Of(state with { Interested = state.Interested.With(interest) }),
        PermissionInput.Told => Decision.Of(state),
        PermissionInput.Writing(var digest) => state.Intended.Contains(digest)
            ? Decision.Of(state)
            : Decision.Of(state with { Intended = [.. state.Intended.TakeLast(MostIntended - 1), digest] }),
        PermissionInput.Written(var written) => written.Timestamp == state.Snapshot?.GeneratedAt && written != state.Published
            ? Decision.Of(
                Describe(state with { Published = written }, now),
                Events(state, "conductor").Operator(
                    now, written.KeyId.Length > 0 ? "permissionsnapshot.signed" : "permissionsnapshot.published-unsigned", "status.signed",
                    state.Published?.SpecDigest, written.SpecDigest, $"version {written.Version}, key '{written.KeyId}'"))
            : Decision.Of(state),
        PermissionInput.Altered(var found) => Decision.Of(
            state with { Published = null },
            Events(state).Governance(
                now, "permissionsnapshot.altered", "spec", state.Published?.SpecDigest, found, "somebody changed the snapshot on the management cluster; it is written again")),
        PermissionInput.Ticked => state.Snapshot is { } snapshot && now >= snapshot.RefreshAt
            ? Decision.Of(Describe(state with { Snapshot = snapshot.Refreshed(now) }, now), Events(state).Operator(
                now, "permissionsnapshot.refreshed", "spec.generatedAt", $"{snapshot.GeneratedAt:O}", $"{now:O}", $"content {snapshot.Version} is unchanged"))
            : Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>When the snapshot has to be refreshed.</summary>
    public static DateTimeOffset? NextTick(PermissionState state) => state.Snapshot?.RefreshAt;

    public static IEnumerable<Letter> Outbox(PermissionState state)
    {
        var fact = new SnapshotFact(state.Cluster, state.Snapshot?.Version ?? "", state.Snapshot?.FreshUntil ?? default);
        foreach (var receiver in state.Interested)
            yield return new Letter(receiver, fact);
        if (!state.Grants.IsEmpty)
            yield return new Letter(PlatformCeiling.PolicyAddress, new Interest());
        if (state.Snapshot is not null)
            yield return new Letter(PackRules.SigningKeyAddress, new Interest());
        if (state is { Platform: not null, Snapshot: { } resolved })
            yield return new Letter(
                new Address(Subjects.Rbac, state.Cluster.Value), new RightsFact(state.Cluster, resolved.Version, resolved.Permissions, resolved.FreshUntil));
        if (state is { Published: { } written, Snapshot: { } snapshot } && written.Timestamp == snapshot.GeneratedAt)
            yield return new Letter(new Address(Subjects.Receipt, state.Cluster.Value), new SnapshotIssued(state.Cluster, written.Version, written.Timestamp, written.KeyId));
    }

    /// <summary>
    /// The key that the snapshot has to be written again under, "" for none; null when what stands there is as it should be. A signature
    /// stays while the key is merely away, and does not when it was revoked.
    /// </summary>
    public static string? OwesWriting(PermissionState state)
    {
        if (state.Snapshot is not { } snapshot)
            return null;
        var key = state.SigningKey?.KeyId ?? "";
        if (state.Published is not { } written || written.Timestamp != snapshot.GeneratedAt)
            return key;
        if (written.KeyId == key || (key.Length == 0 && state.SigningKey?.RevocationOf(written.KeyId) is null))
            return null;
        return key;
    }

    public static ObjectKey SnapshotKey(ClusterName cluster, ClusterName management) => new(SnapshotNamespace, PermissionSnapshot.ObjectName(cluster, management));

    /// <summary>The PermissionSnapshot object that has to exist, or null.</summary>
    /// <param name="keyId">The key that signs it; "" for none.</param>
    /// <param name="signature">"" while it is not signed.</param>
    /// <remarks>A cluster that is merely called <c>management</c> has no object: the name is the management cluster's.</remarks>
    public static KubeObject? Desired(PermissionState state, ClusterName management, string keyId = "", string signature = "")
    {
        var key = SnapshotKey(state.Cluster, management);
        if (state.Snapshot is not { } snapshot || (key.Name == PermissionSnapshot.ManagementName && state.Cluster != management))
            return null;
        var made = new JsonObject
        {
            ["apiVersion"] = KnownKinds.PermissionSnapshot.ApiVersion,
            ["kind"] = KnownKinds.PermissionSnapshot.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = key.Name,
                ["namespace"] = key.Namespace,
                ["labels"] = new JsonObject { ["ontai.dev/managed-by"] = "guardian" },
            },
            ["spec"] = snapshot.ToSpec(keyId),
        };
        if (signature.Length > 0)
            made["metadata"]!["annotations"] = new JsonObject
            {
                [SignaturePurpose.PermissionSnapshot.Annotation] = signature,
                [HashAnnotation] = SpecDigestOf(KubeObject.From(made)).Split(':')[^1],
            };
        return KubeObject.From(made);
    }

    /// <summary>SHA-256 of the canonical spec.</summary>
    public static string SpecDigestOf(KubeObject snapshot) => PackSpec.DigestOf(snapshot);

    public static JsonObject Status(PermissionState state) => new()
    {
        ["expectedVersion"] = state.Snapshot?.Version ?? "",
        ["lastAckedVersion"] = state.Receipt?.Acknowledged?.Version ?? "",
        ["lastSeen"] = state.Receipt?.Acknowledged is { } seen ? KubeTime.Format(seen.AcknowledgedAt) : null,
        ["drift"] = state.Drifts,
        ["driftDetected"] = state.Drifts,
        ["signed"] = state.Published is { KeyId.Length: > 0 },
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static Decision<PermissionState> Grant(PermissionState state, GrantFact grant, DateTimeOffset now)
    {
        var before = state.Grants.GetValueOrDefault(grant.Profile.ToString());
        if (!grant.Supersedes(before))
            return Decision.Of(state);
        var principals = new HashSet<string>(new[] { before?.Grant?.Principal, grant.Grant?.Principal }.OfType<string>(), StringComparer.Ordinal);
        var next = state with { Grants = state.Grants.SetItem(grant.Profile.ToString(), grant) };
        return principals.Count == 0 ? Decision.Of(next) : Compute(next, principals, $"RBACProfile {grant.Profile} changed", now);
    }

    /// <param name="principals">Whose rights may have changed; null for everybody's.</param>
    private static Decision<PermissionState> Compute(PermissionState state, HashSet<string>? principals, string because, DateTimeOffset now)
    {
        if (state.Platform is not { } platform)
            return Decision.Of(state); // it is asked for; what is not known to be allowed is not
        var ceiling = PlatformCeiling.Of(platform);
        var inForce = state.Grants.Values.Select(fact => fact.Grant).OfType<Grant>().ToArray();
        if (inForce.Length == 0 && state.Snapshot is null)
            return Decision.Of(state);
        var permissions = principals is not null && state.Snapshot is { LeftOut.IsEmpty: true } known
            ? EffectivePermissions.Replace(known.Permissions, principals, [.. inForce.Where(grant => principals.Contains(grant.Principal)).Select(Cut)])
            : EffectivePermissions.Compute(state.Cluster, [.. inForce.Select(Cut)]);
        var snapshot = PermissionSnapshot.Build(permissions, now, state.Snapshot);
        if (snapshot.Version == state.Snapshot?.Version && snapshot.LeftOut.SequenceEqual(state.Snapshot.LeftOut))
            return Decision.Of(Describe(state, now));
        return Decision.Of(
            Describe(state with { Snapshot = snapshot }, now),
            Events(state).Governance(now, "permissionsnapshot.computed", "spec.version", state.Snapshot?.Version, snapshot.Version, $"{because}; {inForce.Length} profiles in force{LeftOut(snapshot)}"));

        Grant Cut(Grant grant) => grant with { PlatformCeiling = ceiling };
    }

    private static string LeftOut(PermissionSnapshot snapshot) => snapshot.LeftOut.IsEmpty ? "" : $"; left out because they do not fit: {string.Join(", ", snapshot.LeftOut)}";

    private static PermissionState Describe(PermissionState state, DateTimeOffset now)
    {
        if (state.Snapshot is not { } snapshot)
            return state;
        var complete = snapshot.LeftOut.IsEmpty;
        var platform = PlatformCeiling.ToClaim(state.Platform);
        var acknowledged = state.Receipt is { Sync: SnapshotSync.InSync } && !state.Drifts;
        var (reason, message) = acknowledged ? ("SnapshotAcknowledged", $"cluster {state.Cluster} has acknowledged {snapshot.Version}")
            : state.Receipt is { Sync: not SnapshotSync.InSync } receipt ? (receipt.Reason, receipt.Message)
            : ("SnapshotPending", $"waits for cluster {state.Cluster} to acknowledge {snapshot.Version}");
        var ready = complete && platform.Status == ConditionStatus.True;
        return state with
        {
            Conditions = state.Conditions.Apply(
                [
                    snapshot.FreshnessAt(now).ToClaim(),
                    ConditionClaim.Of("Compliant", acknowledged, reason, message),
                    ConditionClaim.Of("Complete", complete, complete ? "SnapshotComplete" : "SnapshotTooLarge",
                        complete ? "All rights are in it." : $"expected at most {PermissionSnapshot.MostBytes} bytes; these principals are left out and have no rights here: {string.Join(", ", snapshot.LeftOut)}"),
                    platform,
                    .. state.Rbac is { } rbac ? [ConditionClaim.Of(MaterialisationRules.Condition, rbac.IsDone, rbac.Reason, rbac.Message)] : ImmutableArray<ConditionClaim>.Empty,
                    .. ready
                        ? Conditions.Standing(ready: acknowledged, stalled: false, reason, message)
                        : Conditions.Standing(ready: false, stalled: true, complete ? platform.Reason : "SnapshotTooLarge", complete ? platform.Message : "not all rights fit"),
                ],
                0, now),
        };
    }

    private static Audit.EventContext Events(PermissionState state, string role = "guardian") =>
        GuardianEvents.Of(KnownKinds.PermissionSnapshot, new ObjectKey(SnapshotNamespace, $"snapshot-{state.Cluster}"), "", 0, state.Cluster.Value, role);
}
