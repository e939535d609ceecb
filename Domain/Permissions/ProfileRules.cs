using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Permissions;

/// <summary>An RBACProfile as its actor remembers it, with what others have told it.</summary>
/// <param name="Clusters">Every cluster that this profile ever brought something to: each has to learn when it does not any more.</param>
public sealed record ProfileState(
    ObjectKey Key, string Uid, long Generation, string Declarer, Reading<RbacProfile>? Profile, ImmutableSortedDictionary<string, PolicyStanding> Policies,
    ImmutableSortedDictionary<string, PermissionSetStanding> Sets,
    RosterFact? Roster, ProfileVerdict? Verdict, ImmutableSortedSet<string> Clusters, DateTimeOffset? LastProvisionedAt,
    ImmutableSortedSet<Address> Interested, ImmutableArray<Condition> Conditions)
{
    public static ProfileState Initial(ObjectKey key) =>
        new(key, "", 0, "", null, ImmutableSortedDictionary<string, PolicyStanding>.Empty, ImmutableSortedDictionary<string, PermissionSetStanding>.Empty, null, null, [], null, [], []);

    /// <summary>What the policy that the profile refers to now says of itself; null while it has not.</summary>
    [JsonIgnore]
    public PolicyStanding? Policy => Profile?.Value is { } profile ? Policies.GetValueOrDefault(profile.Policy.ToString()) : null;

    public ProfileStanding Standing() => new(
        Key, Profile is not null, Profile?.Value?.PrincipalRef ?? "", Profile?.Value?.DomainIdentityRef ?? "", Verdict?.Provisioned ?? false,
        Verdict?.Reason ?? "NotObserved", Verdict?.Summary ?? "not observed yet")
    {
        BeyondCeiling = Verdict?.BeyondCeiling ?? "",
        Clusters = Profile?.Value?.TargetClusters ?? [],
    };
}

/// <summary>How an RBACProfile is decided on: again whenever anything it depends on changes, appears or disappears. Pure.</summary>
public static class ProfileRules
{
    public static Decision<ProfileState> Decide(ProfileState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Observed(var seen) => Observe(state, seen, now),
        DeclarationInput.Gone => state.Profile is null ? Decision.Of(state) : Decision.Of(
            state with { Profile = null, Generation = 0, Verdict = null },
            Events(state).Governance(now, "rbacprofile.deleted", "status.provisioned", $"{state.Verdict?.Provisioned}", null, "the RBACProfile was deleted; its rights end")),
        DeclarationInput.Told(Interest interest) => Decision.Of(
            state with { Interested = state.Interested.With(interest) }),
        // Policies that the profile referred to before go on speaking: each has its own place, and only the present one counts.
        DeclarationInput.Told(PolicyStanding policy) => policy.Supersedes(state.Policies.GetValueOrDefault(policy.Key.ToString()))
            ? Evaluate(state with { Policies = state.Policies.SetItem(policy.Key.ToString(), policy) }, now)
            : Decision.Of(state),
        DeclarationInput.Told(PermissionSetStanding set) => set.Supersedes(state.Sets.GetValueOrDefault(set.Key.ToString()))
            ? Evaluate(state with { Sets = state.Sets.SetItem(set.Key.ToString(), set) }, now)
            : Decision.Of(state),
        DeclarationInput.Told(RosterFact roster) => roster.Supersedes(state.Roster) ? Evaluate(state with { Roster = roster }, now) : Decision.Of(state),
        _ => Decision.Of(state),
    };

    public static IEnumerable<Letter> Outbox(ProfileState state)
    {
        var standing = state.Standing();
        foreach (var receiver in state.Interested)
            yield return new Letter(receiver, standing);
        yield return new Letter(new Address(Subjects.Roster, state.Key.Namespace), standing);
        var profile = state.Profile?.Value;
        var wanted = References(profile);
        foreach (var reference in wanted)
            yield return new Letter(reference, new Interest());
        foreach (var former in Known(state).Where(known => !wanted.Contains(known)))
            yield return new Letter(former, new Interest(false));
        foreach (var letter in Descent.Root(KnownKinds.RBACProfile, state.Key, state.Uid, state.Generation, state.Declarer, "guardian", state.Profile is not null))
            yield return letter;
        foreach (var cluster in state.Clusters)
        {
            var grant = GrantOn(state, new ClusterName(cluster));
            yield return new Letter(new Address(Subjects.Permission, cluster), new GrantFact(state.Key, grant) { Withheld = grant is null ? WhyNothing(state, cluster) : "" });
        }
    }

    public static JsonObject Status(ProfileState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["provisioned"] = state.Verdict?.Provisioned ?? false,
        ["validationSummary"] = state.Verdict?.Summary ?? "",
        ["lastProvisionedAt"] = state.LastProvisionedAt is { } at ? KubeTime.Format(at) : null,
        ["conditions"] = state.Conditions.ToJson(),
    };

    /// <summary>What the profile brings to a cluster now; null when it is not in force there.</summary>
    public static Grant? GrantOn(ProfileState state, ClusterName cluster)
    {
        if (state is not { Profile.Value: { } profile, Verdict: { } verdict } || !GrantAssembly.IsInForce(profile, verdict.Provisioned, Memberships(state)))
            return null;
        var policies = new Dictionary<ObjectKey, Reading<RbacPolicy>>();
        if (state.Policy is { Policy: { } policy, Key: var key })
            policies[key] = policy;
        return GrantAssembly.Assemble(cluster, profile, policies, Sets(state)).Grant;
    }

    private static Decision<ProfileState> Observe(ProfileState state, KubeObject seen, DateTimeOffset now)
    {
        if (seen.Uid == state.Uid && seen.Generation == state.Generation && state.Profile is not null)
            return Decision.Of(state);
        var profile = RbacProfile.Read(seen);
        // What is referred to anew, or again, has to say anew how it stands.
        var added = References(profile.Value).Except(References(state.Profile?.Value)).Select(address => address.Key).ToArray();
        return Evaluate(
            state with
            {
                Uid = seen.Uid,
                Generation = seen.Generation,
                Declarer = Descent.DeclarerOf(seen),
                Profile = profile,
                Policies = state.Policies.RemoveRange(added),
                Sets = state.Sets.RemoveRange(added),
                Clusters = profile.Value is { } valid ? state.Clusters.Union(valid.TargetClusters) : state.Clusters,
                Conditions = seen.Uid == state.Uid ? state.Conditions : [],
            },
            now);
    }

    private static Decision<ProfileState> Evaluate(ProfileState state, DateTimeOffset now)
    {
        if (state.Profile is not { } profile)
            return Decision.Of(state);
        var verdict = ProfileEvaluation.Evaluate(profile, state.Policy?.Policy, Sets(state), Memberships(state));
        var next = state with
        {
            Verdict = verdict,
            LastProvisionedAt = !verdict.Provisioned ? null : state.LastProvisionedAt ?? now,
            Conditions = state.Conditions.Apply(verdict.Claims, state.Generation, now),
        };
        var before = state.Verdict;
        if (before is not null && before.Provisioned == verdict.Provisioned && before.Summary == verdict.Summary)
            return Decision.Of(next);
        return Decision.Of(
            next,
            Events(state).Governance(
                now, verdict.Provisioned ? "rbacprofile.provisioned" : "rbacprofile.not-provisioned", "status.provisioned",
                before is null ? null : $"{before.Provisioned}", $"{verdict.Provisioned}", $"{verdict.Reason}: {verdict.Summary} (declared by {state.Declarer})"));
    }

    /// <summary>Policy and sets of a profile.</summary>
    private static ImmutableHashSet<Address> References(RbacProfile? profile) => profile is null ? [] :
    [
        .. profile.RbacPolicyRef.Length > 0 ? (Address[])[new Address(Subjects.Policy, profile.Policy.ToString())] : [],
        .. profile.PermissionSets.Select(set => new Address(Subjects.PermissionSet, set.ToString())),
    ];

    private static IEnumerable<Address> Known(ProfileState state) =>
        state.Policies.Keys.Select(key => new Address(Subjects.Policy, key)).Concat(state.Sets.Keys.Select(key => new Address(Subjects.PermissionSet, key)));

    private static string WhyNothing(ProfileState state, string cluster) => state switch
    {
        { Profile: null } => "it was deleted",
        { Profile.Value: { } profile } when !profile.TargetClusters.Contains(cluster) => $"it does not target {cluster}",
        { Verdict: { Provisioned: false } verdict } => $"{verdict.Reason}: {verdict.Summary}",
        { Profile.Value.BelongsToMember: true } => $"its SeamMembership is not admitted",
        _ => "it declares nothing there",
    };

    private static ImmutableArray<MembershipFact> Memberships(ProfileState state) => state.Roster?.Memberships ?? [];

    private static Dictionary<ObjectKey, Reading<PermissionSet>> Sets(ProfileState state)
    {
        var sets = new Dictionary<ObjectKey, Reading<PermissionSet>>();
        foreach (var standing in state.Sets.Values)
            if (standing.Set is { } set)
                sets[standing.Key] = set;
        if (state.Policy is { Policy.Value: { } policy, Ceiling: { } ceiling })
            sets[policy.MaximumPermissionSet] = ceiling;
        return sets;
    }

    private static Audit.EventContext Events(ProfileState state) => GuardianEvents.Of(KnownKinds.RBACProfile, state.Key, state.Uid, state.Generation);
}
