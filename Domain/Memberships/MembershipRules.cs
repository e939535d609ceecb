using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Memberships;

/// <summary>A SeamMembership as its actor remembers it.</summary>
public sealed record MembershipState(
    ObjectKey Key, string Uid, long Generation, Reading<SeamMembership>? Membership, RosterFact? Roster, MembershipVerdict? Verdict, ImmutableArray<Condition> Conditions)
{
    /// <summary>The clusters that have a permission snapshot.</summary>
    public ImmutableSortedSet<string> Resolved { get; init; } = [];

    public static MembershipState Initial(ObjectKey key) => new(key, "", 0, null, null, null, []);
}

/// <summary>How a SeamMembership is decided on. Pure.</summary>
public static class MembershipRules
{
    public static Decision<MembershipState> Decide(MembershipState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Observed(var seen) => seen.Uid == state.Uid && seen.Generation == state.Generation && state.Membership is not null
            ? Decision.Of(state)
            : Evaluate(
                state with
                {
                    Uid = seen.Uid,
                    Generation = seen.Generation,
                    Membership = SeamMembership.Read(seen),
                    Verdict = seen.Uid == state.Uid ? state.Verdict : null,
                    Conditions = seen.Uid == state.Uid ? state.Conditions : [],
                },
                now),
        DeclarationInput.Gone => state.Membership is null ? Decision.Of(state) : Decision.Of(
            state with { Membership = null, Generation = 0, Verdict = null },
            Events(state).Governance(now, "seammembership.deleted", "status.admitted", $"{state.Verdict?.Admitted}", null, "the SeamMembership was deleted; its admission ends")),
        DeclarationInput.Told(RosterFact roster) => roster.Supersedes(state.Roster) ? Evaluate(state with { Roster = roster }, now) : Decision.Of(state),
        // A cluster that has a snapshot always has one: which is of no concern here.
        DeclarationInput.Told(SnapshotFact { SnapshotVersion.Length: > 0 } snapshot) => state.Resolved.Contains(snapshot.Cluster.Value)
            ? Decision.Of(state)
            : Evaluate(state with { Resolved = state.Resolved.Add(snapshot.Cluster.Value) }, now),
        _ => Decision.Of(state),
    };

    public static IEnumerable<Letter> Outbox(MembershipState state)
    {
        var membership = state is { Membership.Value: { } valid, Verdict: { } verdict } ? verdict.FactOf(valid) : null;
        yield return new Letter(new Address(Subjects.Roster, state.Key.Namespace), new MembershipStanding(state.Key, membership));
        if (state.Membership?.Value is not { } member)
            yield break;
        foreach (var cluster in (state.Roster?.Profiles ?? []).Where(profile => profile.PrincipalRef == member.PrincipalRef).SelectMany(profile => profile.Clusters).Distinct())
            yield return new Letter(new Address(Subjects.Permission, cluster), new Interest(!state.Resolved.Contains(cluster)));
    }

    public static JsonObject Status(MembershipState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["admitted"] = state.Verdict?.Admitted ?? false,
        ["admittedAt"] = state.Verdict?.AdmittedAt is { } at ? KubeTime.Format(at) : null,
        ["permissionSnapshotRef"] = state.Verdict?.SnapshotRef ?? "",
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static Decision<MembershipState> Evaluate(MembershipState state, DateTimeOffset now)
    {
        if (state.Membership is not { } membership)
            return Decision.Of(state);
        var before = state.Verdict;
        var verdict = MembershipChain.Evaluate(membership, state.Roster?.Profiles ?? [], before?.AdmittedAt, now, state.Resolved);
        var next = state with { Verdict = verdict, Conditions = state.Conditions.Apply(verdict.Claims, state.Generation, now) };
        if (before is not null && before.Reason == verdict.Reason && before.Message == verdict.Message)
            return Decision.Of(next);
        return Decision.Of(
            next,
            Events(state).Governance(
                now, verdict.Admitted ? "seammembership.admitted" : verdict.Validated ? "seammembership.validated" : "seammembership.not-validated", "status.admitted",
                before is null ? null : $"{before.Admitted}", $"{verdict.Admitted}", $"{verdict.Reason}: {verdict.Message}"));
    }

    private static EventContext Events(MembershipState state) => new(
        new EventSubject(KnownKinds.SeamMembership.Group, KnownKinds.SeamMembership.Kind, state.Key.Namespace, state.Key.Name, state.Uid, state.Generation),
        "system:governor:guardian", "guardian", state.Uid, "", state.Uid);
}
