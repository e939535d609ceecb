using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Admission;
using Governor.Domain.Kinds;
using System.Text.Json.Nodes;

namespace Governor.Domain.Tests.Admission;

/// <summary>Against a brute-force reading of RBAC over a small world.</summary>
public sealed class EscalationProperties
{
    private static readonly string[] Verbs = ["get", "bind", "escalate", "impersonate", "*"];
    private static readonly string[] Groups = ["", "apps", "rbac.authorization.k8s.io", "authentication.k8s.io", "*"];
    private static readonly string[] Resources = ["pods", "roles", "clusterroles", "users", "groups", "serviceaccounts", "uids", "*"];
    private static readonly string[] Names = ["a", "b"];

    private sealed record Rule(string[] Verbs, string[] Groups, string[] Resources, string[] Names);

    private static Gen<Rule[]> Roles { get; } = Gen.ArrayOf(
        from verbs in Some(Verbs)
        from groups in Some(Groups)
        from resources in Some(Resources)
        from names in Gen.Frequency((2, Gen.Constant(Array.Empty<string>())), (1, Some(Names)))
        select new Rule(verbs, groups, resources, names));

    private static Gen<string[]> Some(string[] of) => from count in Gen.Choose(0, 3) from chosen in Gen.ArrayOf(Gen.Elements(of), count) select chosen;

    /// <summary>Every question by which somebody can be given more, on any object.</summary>
    private static readonly (string Verb, string Group, string Resource)[] Questions =
    [
        .. from verb in (string[])["bind", "escalate"] from resource in (string[])["roles", "clusterroles"] select (verb, "rbac.authorization.k8s.io", resource),
        .. from resource in (string[])["users", "groups", "serviceaccounts"] select ("impersonate", "", resource),
        ("impersonate", "authentication.k8s.io", "uids"),
    ];

    [Fact]
    public void A_role_is_dangerous_exactly_when_it_answers_one_of_the_dangerous_questions() => Check(Roles, rules =>
    {
        var found = Escalations.In(Role(rules)).Where(danger => !danger.Contains("userextras", StringComparison.Ordinal)).Select(danger => string.Join(' ', danger.Split(' ').Take(2))).ToHashSet();
        var expected = Questions.Where(q => rules.Any(rule => Grants(rule, q.Verb, q.Group, q.Resource, null))).Select(q => $"{q.Verb} {q.Resource}").ToHashSet();
        return found.SetEquals(expected);
    });

    [Fact]
    public void A_change_that_is_let_through_grants_no_dangerous_right_that_was_not_there() => Check(from before in Roles from after in Roles select (before, after), pair =>
        !Escalations.Added(Role(pair.before), Role(pair.after)).IsEmpty
        || Questions.All(q => Names.Append("c").All(name =>
            !pair.after.Any(rule => Grants(rule, q.Verb, q.Group, q.Resource, name)) || pair.before.Any(rule => Grants(rule, q.Verb, q.Group, q.Resource, name)))));

    [Fact]
    public void Nothing_is_added_by_what_stays() => Check(Roles, rules => Escalations.Added(Role(rules), Role(rules)).IsEmpty);

    /// <summary>As the API server's authoriser reads a rule. Without a name: on any object at all.</summary>
    private static bool Grants(Rule rule, string verb, string group, string resource, string? name) =>
        Has(rule.Verbs, verb) && Has(rule.Groups, group) && Has(rule.Resources, resource) && (rule.Names.Length == 0 || name is null || rule.Names.Contains(name));

    private static bool Has(string[] patterns, string wanted) => patterns.Contains("*") || patterns.Contains(wanted);

    private static KubeObject Role(Rule[] rules) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = "rbac.authorization.k8s.io/v1",
        ["kind"] = "ClusterRole",
        ["metadata"] = new JsonObject { ["name"] = "r" },
        ["rules"] = new JsonArray([.. rules.Select(rule => new JsonObject
        {
            ["verbs"] = List(rule.Verbs), ["apiGroups"] = List(rule.Groups), ["resources"] = List(rule.Resources), ["resourceNames"] = List(rule.Names),
        })]),
    });

    private static JsonArray List(string[] texts) => [.. texts.Select(text => JsonValue.Create(text))];

    private static void Check<T>(Gen<T> of, Func<T, bool> holds) => FsCheck.Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll(of.ToArbitrary(), holds));
}
