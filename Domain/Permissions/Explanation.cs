using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What became of a declared right.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RightOutcome>))]
public enum RightOutcome
{
    Granted,
    Narrowed,
    Dropped,
}

/// <summary>What became of one declared rule at one group and resource, and why.</summary>
/// <param name="Declaration">The declared set.</param>
/// <param name="RuleIndex">The rule's place in the set.</param>
/// <param name="Reason"><c>WithinCeiling</c>, <c>NarrowedByClusterCeiling</c>, <c>NarrowedByPlatformCeiling</c>,
/// <c>OutsideClusterCeiling</c>, <c>OutsidePlatformCeiling</c>, <c>VerbUnknown</c> or <c>NamespaceUnknown</c>.</param>
/// <param name="ClusterCeilingRules">The rules of the cluster ceiling that overlap.</param>
/// <param name="PlatformCeilingRules">The rules of the platform ceiling that overlap.</param>
/// <param name="Remaining">What is granted.</param>
[GenerateSerializer, Immutable]
public sealed record RightExplanation(
    ObjectKey Profile,
    ObjectKey Declaration,
    int RuleIndex,
    string ApiGroup,
    string Resource,
    RightOutcome Outcome,
    string Reason,
    string Message,
    ImmutableArray<int> ClusterCeilingRules,
    ImmutableArray<int> PlatformCeilingRules,
    ImmutableArray<EffectiveRule> Remaining);

/// <summary>Explains a grant right by right. Apart from the computation, so that nobody pays for it who does not ask.</summary>
public static class Explanation
{
    public static ImmutableArray<RightExplanation> Explain(Grant grant)
    {
        var ceilings = new Ceilings(
            Ceiling.Of(grant.ClusterCeiling.Rules),
            grant.PlatformCeiling is { } platform ? Ceiling.Of(platform.Rules) : null);
        var rights =
            from declaration in grant.Declarations
            from indexed in declaration.Rules.Select((rule, index) => (Rule: rule, Index: index))
            from @group in indexed.Rule.EffectiveGroups
            from resource in indexed.Rule.Resources
            select Explain(grant, ceilings, declaration, indexed.Rule, indexed.Index, @group, resource);
        return [.. rights];
    }

    private static RightExplanation Explain(
        Grant grant, Ceilings ceilings, GrantedDeclaration declaration, PermissionRule rule, int index, string group, string resource)
    {
        var verbs = VerbMasks.Of(rule.Verbs);
        var afterCluster = Meet(ceilings.Cluster, grant.Places(declaration), group, resource, verbs, rule.ResourceNames);
        var both = ceilings.Platform is null ? ceilings.Cluster : Ceiling.Of(grant.ClusterCeiling.Rules, ceilings.Platform);
        var remaining = Meet(both, grant.Places(declaration), group, resource, verbs, rule.ResourceNames);
        var (outcome, reason, message) = Judge(grant, ceilings, declaration, rule, (group, resource, verbs), afterCluster, remaining);
        return new RightExplanation(
            grant.Profile, declaration.PermissionSet, index, group, resource, outcome, reason, message,
            Overlapping(grant.ClusterCeiling.Rules, group, resource, verbs, rule.ResourceNames),
            Overlapping(grant.PlatformCeiling?.Rules ?? [], group, resource, verbs, rule.ResourceNames),
            remaining.ToRules());
    }

    private static (RightOutcome Outcome, string Reason, string Message) Judge(
        Grant grant, Ceilings ceilings, GrantedDeclaration declaration, PermissionRule rule,
        (string Group, string Resource, VerbMask Verbs) right, RuleTable afterCluster, RuleTable remaining)
    {
        var cluster = $"ceiling {grant.ClusterCeiling.PermissionSet} of policy {grant.ClusterCeiling.Policy}";
        var platform = $"platform ceiling {grant.PlatformCeiling?.PermissionSet}";
        if (right.Verbs == VerbMask.None)
            return (RightOutcome.Dropped, "VerbUnknown", $"none of the verbs {string.Join(", ", rule.Verbs)} is known");
        if (grant.Places(declaration).IsEmpty)
            return (RightOutcome.Dropped, "NamespaceUnknown", $"namespaced, without namespaces, and {grant.Principal} has none of its own");
        if (afterCluster.IsEmpty)
            return (RightOutcome.Dropped, "OutsideClusterCeiling", $"nothing of it is in {cluster}");
        if (remaining.IsEmpty)
            return (RightOutcome.Dropped, "OutsidePlatformCeiling", $"nothing of it is in {platform}");
        var known = rule.Verbs.All(verb => VerbMasks.Parse(verb) != VerbMask.None);
        if (ceilings.Cluster.Excess(right.Group, right.Resource, right.Verbs, rule.ResourceNames) != VerbMask.None)
            return (RightOutcome.Narrowed, "NarrowedByClusterCeiling", $"a part of it is not in {cluster}");
        if (ceilings.Platform is not null && ceilings.Platform.Excess(right.Group, right.Resource, right.Verbs, rule.ResourceNames) != VerbMask.None)
            return (RightOutcome.Narrowed, "NarrowedByPlatformCeiling", $"a part of it is not in {platform}");
        return known
            ? (RightOutcome.Granted, "WithinCeiling", $"all of it is in {cluster}")
            : (RightOutcome.Narrowed, "VerbUnknown", $"some of the verbs {string.Join(", ", rule.Verbs)} are not known");
    }

    private static RuleTable Meet(
        Ceiling ceiling, ImmutableArray<string> places, string group, string resource, VerbMask verbs, ImmutableArray<string> names)
    {
        var table = new RuleTable();
        foreach (var place in places)
            ceiling.Intersect(place, group, resource, verbs, names, table);
        table.Prune();
        return table;
    }

    private static ImmutableArray<int> Overlapping(
        ImmutableArray<PermissionRule> rules, string group, string resource, VerbMask verbs, ImmutableArray<string> names) =>
        [.. Enumerable.Range(0, rules.Length).Where(i => Ceiling.Of([rules[i]]).Intersect("", group, resource, verbs, names, new RuleTable()))];

    private sealed record Ceilings(Ceiling Cluster, Ceiling? Platform);
}
