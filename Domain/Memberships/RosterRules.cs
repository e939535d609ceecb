using System.Collections.Immutable;
using Governor.Domain.Facts;
using Governor.Domain.Permissions;

namespace Governor.Domain.Memberships;

/// <summary>The profiles and memberships of one namespace: where each side learns of the other.</summary>
public sealed record RosterState(ImmutableSortedDictionary<string, ProfileStanding> Profiles, ImmutableSortedDictionary<string, MembershipStanding> Memberships)
{
    /// <summary>Whoever else wants to know.</summary>
    public ImmutableSortedSet<Address> Interested { get; init; } = [];

    public static RosterState Initial { get; } =
        new(ImmutableSortedDictionary<string, ProfileStanding>.Empty, ImmutableSortedDictionary<string, MembershipStanding>.Empty);
}

/// <summary>How a roster is kept. Pure. It decides nothing and therefore has no events of its own.</summary>
public static class RosterRules
{
    public static Decision<RosterState> Decide(RosterState state, Fact fact) => fact switch
    {
        ProfileStanding profile when profile.Supersedes(state.Profiles.GetValueOrDefault(profile.Profile.ToString())) =>
            Decision.Of(state with { Profiles = state.Profiles.SetItem(profile.Profile.ToString(), profile) }),
        MembershipStanding membership when membership.Supersedes(state.Memberships.GetValueOrDefault(membership.Key.ToString())) =>
            Decision.Of(state with { Memberships = state.Memberships.SetItem(membership.Key.ToString(), membership) }),
        Interest interest => Decision.Of(state with { Interested = state.Interested.With(interest) }),
        _ => Decision.Of(state),
    };

    public static IEnumerable<Letter> Outbox(RosterState state)
    {
        var roster = new RosterFact(
            [.. state.Profiles.Values.Where(p => p.Exists).Select(p => new ProfileFact(p.Profile, p.PrincipalRef, p.DomainIdentityRef, p.Provisioned) { BeyondCeiling = p.BeyondCeiling, Clusters = p.Clusters })],
            [.. state.Memberships.Values.Select(m => m.Membership).OfType<MembershipFact>()]);
        foreach (var profile in state.Profiles.Values)
            yield return new Letter(new Address(Subjects.Profile, profile.Profile.ToString()), roster);
        foreach (var membership in state.Memberships.Values)
            yield return new Letter(new Address(Subjects.Membership, membership.Key.ToString()), roster);
        foreach (var receiver in state.Interested)
            yield return new Letter(receiver, roster);
    }
}
