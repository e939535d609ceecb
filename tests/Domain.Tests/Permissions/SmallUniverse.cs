using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Tests.Permissions;

/// <summary>One concrete question; null names no single object, or no namespace.</summary>
public sealed record Question(string Principal, string? Namespace, string Group, string Resource, string Verb, string? Name);

/// <summary>
/// A universe small enough to ask every question, with wildcards and names in it, and an evaluator that answers by looking at every rule.
/// </summary>
public static class SmallUniverse
{
    public static readonly ClusterName Cluster = new("ccs-dev");

    private static readonly string[] Principals = ["system:serviceaccount:blue:runner", "alice"];

    /// <summary>Every concrete question, with a group, resource, verb, name and namespace that no rule mentions among them.</summary>
    public static readonly ImmutableArray<Question> Questions =
    [
        .. from principal in Principals
           from place in (string?[])[null, "blue", "green", "unheard-of"]
           from @group in (string[])["", "apps", "unheard.of"]
           from resource in (string[])["pods", "pods/log", "jobs/log", "deployments", "unheardofs"]
           from verb in (string[])["get", "list", "use"]
           from name in (string?[])[null, "a", "b", "unheard-of"]
           select new Question(principal, place, @group, resource, verb, name),
    ];

    private static Gen<ImmutableArray<string>> SomeOf(int atLeast, int atMost, params string[] values) =>
        from count in Gen.Choose(atLeast, atMost)
        from picked in Gen.ArrayOf(Gen.Elements(values), count)
        select picked.Distinct().ToImmutableArray();

    public static Gen<PermissionRule> ARule { get; } =
        from groups in SomeOf(0, 2, "", "apps", "*")
        from resources in SomeOf(1, 2, "pods", "pods/log", "deployments", "*/log", "*")
        from verbs in SomeOf(1, 2, "get", "list", "*")
        from names in SomeOf(0, 2, "a", "b")
        select new PermissionRule(groups, resources, verbs, names);

    public static Gen<ImmutableArray<PermissionRule>> Rules { get; } =
        from count in Gen.Choose(0, 4)
        from rules in Gen.ArrayOf(ARule, count)
        select rules.ToImmutableArray();

    private static Gen<GrantedDeclaration> Declaration { get; } =
        from scope in Gen.Elements(DeclarationScope.Cluster, DeclarationScope.Namespaced)
        from namespaces in SomeOf(0, 2, "blue", "green")
        from rules in Rules
        select new GrantedDeclaration(new ObjectKey("seam-tenant-ccs-dev", "claim"), scope, namespaces, rules);

    public static Gen<Grant> AGrant { get; } =
        from principal in Gen.Elements(Principals)
        from count in Gen.Choose(1, 2)
        from declarations in Gen.ArrayOf(Declaration, count)
        from cluster in Rules
        from hasPlatform in Gen.Elements(true, false)
        from platform in Rules
        select new Grant(
            principal, new ObjectKey("seam-tenant-ccs-dev", "profile"), [.. declarations],
            CeilingOf(cluster), hasPlatform ? CeilingOf(platform) : null);

    public static Gen<ImmutableArray<Grant>> Grants { get; } =
        from count in Gen.Choose(0, 4)
        from grants in Gen.ArrayOf(AGrant, count)
        select grants.ToImmutableArray();

    public static PermissionCeiling CeilingOf(ImmutableArray<PermissionRule> rules) =>
        new(new ObjectKey("seam-tenant-ccs-dev", "cluster-policy"), new ObjectKey("seam-tenant-ccs-dev", "cluster-maximum"), rules);

    public static bool Answer(IEnumerable<Grant> grants, Question question) =>
        grants.Any(grant => grant.Principal == question.Principal && Declared(grant, question)
            && Within(grant.ClusterCeiling.Rules, question) && (grant.PlatformCeiling is not { } platform || Within(platform.Rules, question)));

    public static bool Declared(Grant grant, Question question) =>
        grant.Declarations.Any(declaration => HoldsIn(grant, declaration, question.Namespace) && Within(declaration.Rules, question));

    public static bool Within(ImmutableArray<PermissionRule> rules, Question question) => rules.Any(rule => Covers(rule, question));

    private static bool HoldsIn(Grant grant, GrantedDeclaration declaration, string? place)
    {
        if (declaration.Scope == DeclarationScope.Cluster)
            return true;
        if (!declaration.Namespaces.IsEmpty)
            return place is not null && declaration.Namespaces.Contains(place);
        return grant.Principal == "system:serviceaccount:blue:runner" && place == "blue";
    }

    private static bool Covers(PermissionRule rule, Question question) =>
        (rule.ApiGroups.IsEmpty ? question.Group.Length == 0 : rule.ApiGroups.Any(group => group == "*" || group == question.Group))
        && rule.Resources.Any(resource => resource == "*" || resource == question.Resource
            || (resource == "*/log" && question.Resource.EndsWith("/log", StringComparison.Ordinal)))
        && rule.Verbs.Any(verb => verb == "*" || verb == question.Verb)
        && (rule.ResourceNames.IsEmpty || (question.Name is not null && rule.ResourceNames.Contains(question.Name)));
}
