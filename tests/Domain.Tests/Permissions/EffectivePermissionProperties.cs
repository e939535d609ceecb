using System.Collections.Immutable;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.SmallUniverse;

namespace Governor.Domain.Tests.Permissions;

public sealed class EffectivePermissionProperties
{
    private static readonly Config Cases = Config.QuickThrowOnFailure.WithMaxTest(300);

    [Fact]
    public void Agrees_with_the_brute_force_evaluator_on_every_question() => Check(Grants, grants =>
    {
        var effective = EffectivePermissions.Compute(Cluster, grants);
        return Questions.All(question => Allows(effective, question) == Answer(grants, question));
    });

    [Fact]
    public void Nothing_is_effective_that_is_not_declared_and_under_every_ceiling() => Check(AGrant, grant =>
    {
        var effective = EffectivePermissions.Compute(Cluster, [grant]);
        return Questions.Where(question => Allows(effective, question)).All(question =>
            Declared(grant, question) && Within(grant.ClusterCeiling.Rules, question)
            && (grant.PlatformCeiling is not { } platform || Within(platform.Rules, question)));
    });

    [Fact]
    public void The_order_of_grants_and_rules_does_not_matter() => Check(Grants, grants =>
    {
        var reversed = grants.Reverse().Select(grant => grant with
        {
            Declarations = [.. grant.Declarations.Reverse().Select(declaration => declaration with { Rules = [.. declaration.Rules.Reverse()] })],
            ClusterCeiling = grant.ClusterCeiling with { Rules = [.. grant.ClusterCeiling.Rules.Reverse()] },
        }).ToArray();
        return Text(EffectivePermissions.Compute(Cluster, grants)) == Text(EffectivePermissions.Compute(Cluster, reversed));
    });

    [Fact]
    public void Granting_twice_grants_the_same() => Check(Grants, grants =>
        Text(EffectivePermissions.Compute(Cluster, grants)) == Text(EffectivePermissions.Compute(Cluster, grants.AddRange(grants))));

    [Fact]
    public void What_is_effective_stays_the_same_under_the_same_ceiling() => Check(AGrant, grant =>
    {
        var once = EffectivePermissions.Compute(Cluster, [grant]);
        var again = EffectivePermissions.Compute(Cluster, [grant with { Declarations = Declarations(once.Of(grant.Principal)) }]);
        return Text(once) == Text(again);
    });

    [Fact]
    public void Declaring_more_never_takes_away() => Check(Grants.Zip(AGrant), pair =>
    {
        var (grants, more) = pair;
        return Contains(EffectivePermissions.Compute(Cluster, grants.Add(more)), EffectivePermissions.Compute(Cluster, grants));
    });

    [Fact]
    public void Raising_the_ceiling_never_takes_away() => Check(AGrant.Zip(ARule), pair =>
    {
        var (grant, more) = pair;
        var raised = grant with { ClusterCeiling = CeilingOf(grant.ClusterCeiling.Rules.Add(more)) };
        return Contains(EffectivePermissions.Compute(Cluster, [raised]), EffectivePermissions.Compute(Cluster, [grant]));
    });

    [Fact]
    public void The_snapshot_version_says_exactly_whether_the_rights_are_the_same() => Check(Grants.Zip(Grants), pair =>
    {
        var (left, right) = (EffectivePermissions.Compute(Cluster, pair.Item1), EffectivePermissions.Compute(Cluster, pair.Item2));
        var sameRights = Questions.All(question => Allows(left, question) == Allows(right, question));
        return sameRights == (PermissionSnapshot.VersionOf(left) == PermissionSnapshot.VersionOf(right));
    });

    [Fact]
    public void Explanations_account_for_every_right_and_no_other() => Check(AGrant, grant =>
    {
        var explained = Explanation.Explain(grant);
        var effective = EffectivePermissions.Compute(Cluster, [grant]);
        return explained.All(right => (right.Outcome == RightOutcome.Dropped) == right.Remaining.IsEmpty)
            && Questions.Where(question => question.Principal == grant.Principal).All(question =>
                Allows(effective, question) == explained.Any(right =>
                    Allows(new ClusterPermissions(Cluster, [new PrincipalPermissions(grant.Principal, right.Remaining)]), question)));
    });

    [Fact]
    public void Effective_permissions_survive_JSON() => Check(Grants, grants =>
    {
        var effective = EffectivePermissions.Compute(Cluster, grants);
        var back = JsonSerializer.Deserialize<ClusterPermissions>(JsonSerializer.Serialize(effective))!;
        var grantsBack = JsonSerializer.Deserialize<ImmutableArray<Grant>>(JsonSerializer.Serialize(grants));
        return Text(back) == Text(effective) && Text(EffectivePermissions.Compute(Cluster, grantsBack)) == Text(effective);
    });

    private static bool Allows(ClusterPermissions effective, Question question) =>
        effective.Allows(question.Principal, question.Group, question.Resource, question.Verb, question.Name, question.Namespace);

    private static bool Contains(ClusterPermissions outer, ClusterPermissions inner) =>
        Questions.All(question => !Allows(inner, question) || Allows(outer, question));

    private static string Text(ClusterPermissions permissions) => JsonSerializer.Serialize(permissions);

    private static ImmutableArray<GrantedDeclaration> Declarations(PrincipalPermissions? held) =>
        [.. (held?.Rules ?? []).Select(rule => new GrantedDeclaration(
            new ObjectKey("seam-tenant-ccs-dev", "effective"),
            rule.Namespace.Length == 0 ? DeclarationScope.Cluster : DeclarationScope.Namespaced,
            rule.Namespace.Length == 0 ? [] : [rule.Namespace],
            [new PermissionRule([rule.ApiGroup], [rule.Resource], rule.Verbs, rule.ResourceNames)]))];

    private static void Check<T>(Gen<T> cases, Func<T, bool> holds) => FsCheck.Check.One(Cases, Prop.ForAll(cases.ToArbitrary(), holds));
}
