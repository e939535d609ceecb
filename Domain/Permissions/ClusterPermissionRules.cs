using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Permissions;

/// <summary>The permissions of one cluster: who brings what, and the snapshot that comes out.</summary>
/// <param name="Grants">By profile.</param>
/// <param name="Snapshot">Null until the first grant; after that there always is one, if need be empty.</param>
public sealed record PermissionState(
    ClusterName Cluster, ImmutableSortedDictionary<string, GrantFact> Grants, PermissionSnapshot? Snapshot, ImmutableSortedSet<Address> Interested,
    ImmutableArray<Condition> Conditions)
{
    public static PermissionState Initial(ClusterName cluster) =>
        new(cluster, ImmutableSortedDictionary<string, GrantFact>.Empty, null, [], []);
}

/// <summary>How the permissions of a cluster are decided on. Pure.</summary>
public static class ClusterPermissionRules
{
    public const string SnapshotNamespace = "seam-system";

    public static Decision<PermissionState> Decide(PermissionState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Told(GrantFact grant) => grant.Supersedes(state.Grants.GetValueOrDefault(grant.Profile.ToString()))
            ? Compute(state with { Grants = state.Grants.SetItem(grant.Profile.ToString(), grant) }, $"RBACProfile {grant.Profile} changed", now)
            : Decision.Of(state),
        DeclarationInput.Told(Interest interest) => Decision.Of(
            state with { Interested = interest.Active ? state.Interested.Add(interest.From) : state.Interested.Remove(interest.From) }),
        DeclarationInput.Ticked => state.Snapshot is { } snapshot && now >= snapshot.RefreshAt
            ? Decision.Of(Describe(state with { Snapshot = snapshot.Refreshed(now) }, now), Events(state).Operator(
                now, "permissionsnapshot.refreshed", "spec.generatedAt", $"{snapshot.GeneratedAt:O}", $"{now:O}", $"content {snapshot.Version} is unchanged"))
            : Decision.Of(state),
        _ => Decision.Of(state),
    };

    /// <summary>When the snapshot has to be refreshed.</summary>
    public static DateTimeOffset? NextTick(PermissionState state) => state.Snapshot?.RefreshAt;

    public static IEnumerable<Letter> Outbox(PermissionState state)
    {
        var fact = new SnapshotFact(
            state.Cluster, state.Snapshot?.Version ?? "", state.Snapshot is { } snapshot ? snapshot.GeneratedAt + snapshot.Window : default);
        return state.Interested.Select(receiver => new Letter(receiver, fact));
    }

    public static ObjectKey SnapshotKey(ClusterName cluster, ClusterName management) => new(SnapshotNamespace, PermissionSnapshot.ObjectName(cluster, management));

    /// <summary>The PermissionSnapshot object that has to exist, or null.</summary>
    public static KubeObject? Desired(PermissionState state, ClusterName management) => state.Snapshot is not { } snapshot ? null : KubeObject.From(new JsonObject
    {
        ["apiVersion"] = KnownKinds.PermissionSnapshot.ApiVersion,
        ["kind"] = KnownKinds.PermissionSnapshot.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = SnapshotKey(state.Cluster, management).Name,
            ["namespace"] = SnapshotNamespace,
            ["labels"] = new JsonObject { ["ontai.dev/managed-by"] = "guardian" },
        },
        ["spec"] = snapshot.ToSpec(),
    });

    public static JsonObject Status(PermissionState state) => new()
    {
        ["expectedVersion"] = state.Snapshot?.Version ?? "",
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static Decision<PermissionState> Compute(PermissionState state, string because, DateTimeOffset now)
    {
        var grants = state.Grants.Values.Select(g => g.Grant).OfType<Grant>().ToArray();
        if (grants.Length == 0 && state.Snapshot is null)
            return Decision.Of(state);
        var snapshot = PermissionSnapshot.Build(EffectivePermissions.Compute(state.Cluster, grants), now);
        if (snapshot.Version == state.Snapshot?.Version)
            return Decision.Of(state);
        return Decision.Of(
            Describe(state with { Snapshot = snapshot }, now),
            Events(state).Governance(now, "permissionsnapshot.computed", "spec.version", state.Snapshot?.Version, snapshot.Version, $"{because}; {grants.Length} profiles in force"));
    }

    private static PermissionState Describe(PermissionState state, DateTimeOffset now)
    {
        var until = state.Snapshot!.GeneratedAt + state.Snapshot.Window;
        return state with { Conditions = state.Conditions.Set("Fresh", now <= until, now <= until ? "SnapshotFresh" : "SnapshotStale", $"fresh until {until:O}", now, 0) };
    }

    private static Audit.EventContext Events(PermissionState state) =>
        GuardianEvents.Of(KnownKinds.PermissionSnapshot, new ObjectKey(SnapshotNamespace, $"snapshot-{state.Cluster}"), "", 0, state.Cluster.Value);
}
