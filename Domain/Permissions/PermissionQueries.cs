using System.Collections.Immutable;

namespace Governor.Domain.Permissions;

/// <summary>Whether it is allowed, and by what.</summary>
/// <param name="MatchedRule">The effective rule that allows it; null when nothing does.</param>
public sealed record PermissionAnswer(bool Allowed, string Reason, EffectiveRule? MatchedRule);

/// <summary>What can be asked about the permissions of one cluster. Pure; answers from the snapshot that was committed.</summary>
public static class PermissionQueries
{
    /// <summary>The group of the resource that rights to ask are given on. It exists in roles only.</summary>
    public const string Group = "security.ontai.dev";

    /// <summary>Who may create these may ask about everybody; whoever may not, about himself.</summary>
    public const string Resource = "permissionqueries";

    public static PermissionAnswer Check(PermissionState state, PermissionQuestion question)
    {
        var rule = state.Snapshot?.Permissions.Of(question.Principal)?.Match(
            question.ApiGroup, question.Resource, question.Verb, question.ResourceName, question.Namespace);
        return rule is not null ? new PermissionAnswer(true, $"granted: {rule}", rule) : new PermissionAnswer(false, WhyNot(state, question), null);
    }

    /// <summary>All that a principal may do, in canonical order.</summary>
    public static ImmutableArray<EffectiveRule> List(PermissionState state, string principal) => state.Snapshot?.Permissions.Of(principal)?.Rules ?? [];

    /// <summary>Who may, sorted; the question's principal is not looked at.</summary>
    public static IEnumerable<string> WhoCan(PermissionState state, PermissionQuestion question) =>
        state.Snapshot?.Permissions.WhoCan(question.ApiGroup, question.Resource, question.Verb, question.ResourceName, question.Namespace) ?? [];

    private static string WhyNot(PermissionState state, PermissionQuestion question)
    {
        if (state.Snapshot is not { } snapshot)
            return state.Platform is null && !state.Grants.IsEmpty
                ? $"nothing is granted on {state.Cluster} before RBACPolicy {PlatformCeiling.Policy} has been heard of"
                : $"no profile has granted anything on {state.Cluster} yet";
        if (snapshot.LeftOut.Contains(question.Principal))
            return $"the rights of {question.Principal} do not fit into the snapshot of {state.Cluster}: it has none there";
        return snapshot.Permissions.Of(question.Principal) is null
            ? $"{question.Principal} has no rights on {state.Cluster}"
            : $"no rule of {question.Principal} on {state.Cluster} allows {question}";
    }
}
