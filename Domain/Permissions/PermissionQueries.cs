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
        if (Match(question.Principal) is { } own)
            return new PermissionAnswer(true, $"granted: {own}", own);
        foreach (var group in question.Groups)
            if (Match(Principal.OfGroup(group)) is { } rule)
                return new PermissionAnswer(true, $"granted to {Principal.OfGroup(group)}: {rule}", rule);
        return new PermissionAnswer(false, WhyNot(state, question), null);

        EffectiveRule? Match(string subject) => state.Snapshot?.Permissions.Of(subject)?.Match(
            question.ApiGroup, question.Resource, question.Verb, question.ResourceName, question.Namespace);
    }

    /// <summary>All that a principal may do by itself and by its groups, in canonical order.</summary>
    public static ImmutableArray<EffectiveRule> List(PermissionState state, string principal, ImmutableArray<string> groups)
    {
        var held = groups.Select(Principal.OfGroup).Prepend(principal).Distinct().Select(subject => state.Snapshot?.Permissions.Of(subject)).OfType<PrincipalPermissions>().ToArray();
        if (held.Length <= 1)
            return held is [var alone] ? alone.Rules : [];
        var all = new RuleTable();
        foreach (var rule in held.SelectMany(one => one.Rules))
            all.Add(rule.Slot, VerbMasks.Of(rule.Verbs), rule.ResourceNames);
        all.Prune();
        return all.ToRules();
    }

    /// <summary>Who may, sorted; the question's principal is not looked at.</summary>
    public static IEnumerable<string> WhoCan(PermissionState state, PermissionQuestion question) =>
        state.Snapshot?.Permissions.WhoCan(question.ApiGroup, question.Resource, question.Verb, question.ResourceName, question.Namespace) ?? [];

    private static string WhyNot(PermissionState state, PermissionQuestion question)
    {
        if (state.Snapshot is not { } snapshot)
            return state.Platform is null && !state.Grants.IsEmpty
                ? $"nothing is granted on {state.Cluster} before RBACPolicy {PlatformCeiling.Policy} has been heard of"
                : $"no profile has granted anything on {state.Cluster} yet";
        if (question.Subjects.FirstOrDefault(subject => snapshot.LeftOut.Contains(subject)) is { } leftOut)
            return $"the rights of {leftOut} do not fit into the snapshot of {state.Cluster}: it has none there";
        if (question.Subjects.Skip(1).FirstOrDefault(subject => snapshot.Permissions.Of(subject) is not null) is { } through)
            return $"no rule of {question.Principal} or of {through} on {state.Cluster} allows {question}";
        return snapshot.Permissions.Of(question.Principal) is null
            ? $"{question.Principal} has no rights on {state.Cluster}"
            : $"no rule of {question.Principal} on {state.Cluster} allows {question}";
    }
}
