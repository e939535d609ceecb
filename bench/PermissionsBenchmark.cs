using System.Collections.Immutable;
using System.Diagnostics;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Bench;

/// <summary>
/// Effective permissions: how the time grows with the profiles of one principal, what a whole platform costs, and what one changed set
/// costs: the pure decisions that the actors make, without journal and clusters. Then what it costs to ask a silo who may do what.
/// </summary>
/// <param name="part"><c>compute</c> or <c>service</c>; "" for both.</param>
internal sealed class PermissionsBenchmark(string part = "") : IBenchmark
{
    private const int RulesEach = 20;
    private const int ClusterCount = 1_000;
    private const int ProfilesEach = 50;
    private const double MostGrowth = 2.2;
    private const double MostMilliseconds = 10;
    private const double MostMillisecondsForOne = 10;

    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public string Name => part.Length == 0 ? "permissions" : $"permissions:{part}";

    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        var measures = new List<Measure>();
        if (part != "service")
        {
            Growth(measures, cancellation);
            Platform(measures, cancellation);
        }
        if (part != "compute")
            await PermissionServiceMeasure.RunAsync(Tell(Granted(0), new PolicyStanding(PlatformCeiling.Policy, null, null) { Version = 1 }), measures, cancellation);
        return BenchReport.Of(Name, measures);
    }

    private static void Growth(List<Measure> measures, CancellationToken cancellation)
    {
        var cluster = new ClusterName("c");
        var took = new Dictionary<int, double>();
        // The compiler gets to its best code while nobody measures.
        Grant[] warm = [.. Enumerable.Range(0, 400).Select(i => GrantOf("c", i, "system:serviceaccount:one:principal"))];
        for (var i = 0; i < 100; i++)
            _ = EffectivePermissions.Compute(cluster, warm);
        var sizes = ((int[])[100, 200, 400, 800]).ToDictionary(count => count, count =>
            (Grant[])[.. Enumerable.Range(0, count).Select(i => GrantOf("c", i, "system:serviceaccount:one:principal"))]);
        // In turns, so that whatever else the machine does meanwhile hits all sizes alike.
        for (var round = 0; round < 44; round++)
            foreach (var (count, grants) in sizes)
            {
                cancellation.ThrowIfCancellationRequested();
                var clock = Stopwatch.StartNew();
                _ = EffectivePermissions.Compute(cluster, grants);
                if (round >= 3)
                    took[count] = Math.Min(took.GetValueOrDefault(count, double.MaxValue), clock.Elapsed.TotalMilliseconds);
            }
        foreach (var count in (int[])[100, 200, 800])
            measures.Add(Measure.AtMost($"{count} profiles x {RulesEach} rules, one principal", took[count], "ms", Math.Max(MostMilliseconds, MostMilliseconds * count / 400)));
        measures.Add(Measure.AtMost($"400 profiles x {RulesEach} rules, one principal", took[400], "ms", MostMilliseconds));
        measures.Add(Measure.AtMostTimes("growth from 400 to 800 profiles", took[800], "ms", "400 profiles", took[400], MostGrowth));
    }

    private static void Platform(List<Measure> measures, CancellationToken cancellation)
    {
        var whole = Stopwatch.StartNew();
        var states = new PermissionState[ClusterCount];
        for (var c = 0; c < ClusterCount; c++)
        {
            cancellation.ThrowIfCancellationRequested();
            states[c] = Granted(c);
        }
        // The platform's word comes last: everything is computed at once.
        whole.Restart();
        for (var c = 0; c < ClusterCount; c++)
            states[c] = Tell(states[c], new PolicyStanding(PlatformCeiling.Policy, null, null) { Version = 1 });
        measures.Add(Measure.AtMost($"{ClusterCount} clusters x {ProfilesEach} profiles, everything", whole.Elapsed.TotalMilliseconds, "ms", 10_000));

        // One tenant's set changes: one of its profiles declares another rule.
        var before = states.Select(state => state.Snapshot).ToArray();
        var profile = GrantOf("c7", 3, "p3");
        var changed = profile with { Declarations = [profile.Declarations[0] with { Rules = profile.Declarations[0].Rules.Add(new PermissionRule(["apps"], ["deployments"], ["get"], ["extra"])) }] };
        var one = Best(() => Tell(states[7], new GrantFact(changed.Profile, changed) { Version = 2 }));
        states[7] = Tell(states[7], new GrantFact(changed.Profile, changed) { Version = 2 });
        var recomputed = states.Where((state, i) => !ReferenceEquals(state.Snapshot, before[i])).Count();
        measures.Add(Measure.AtMost("one set changed: clusters recomputed", recomputed, "clusters", 1));
        measures.Add(Measure.AtMost("one set changed", one, "ms", MostMillisecondsForOne));
    }

    private static PermissionState Granted(int cluster)
    {
        var grants = Enumerable.Range(0, ProfilesEach).Select(p => GrantOf($"c{cluster}", p, $"p{p}"));
        return PermissionState.Initial(new ClusterName($"c{cluster}")) with
        {
            Grants = grants.ToImmutableSortedDictionary(grant => grant.Profile.ToString(), grant => new GrantFact(grant.Profile, grant) { Version = 1 }),
        };
    }

    private static PermissionState Tell(PermissionState state, Fact fact) => ClusterPermissionRules.Decide(state, new PermissionInput.Told(fact), Noon).State;

    private static Grant GrantOf(string cluster, int profile, string principal) => new(
        principal,
        new ObjectKey($"seam-tenant-{cluster}", $"profile-{profile}"),
        [new GrantedDeclaration(new ObjectKey($"seam-tenant-{cluster}", $"set-{profile}"), DeclarationScope.Cluster, [], Rules(profile))],
        new PermissionCeiling(new ObjectKey($"seam-tenant-{cluster}", "cluster-policy"), new ObjectKey($"seam-tenant-{cluster}", "cluster-maximum"), Ceiling));

    private static readonly ImmutableArray<PermissionRule> Ceiling =
    [
        new(["*"], ["*"], ["get", "list", "watch"], []),
        new(["apps"], ["*"], ["create", "update", "patch", "delete"], []),
    ];

    // Every profile has its own resources and shares some with others.
    private static ImmutableArray<PermissionRule> Rules(int profile) =>
    [
        .. Enumerable.Range(0, RulesEach).Select(rule => new PermissionRule(
            [rule % 2 == 0 ? "apps" : "batch"], [rule % 4 == 0 ? $"shared-{rule}" : $"kind-{profile}-{rule}"], ["get", "list", "update"],
            rule % 5 == 0 ? [$"name-{profile}", "common"] : [])),
    ];

    /// <summary>The best of forty-one, in milliseconds, after three to warm up.</summary>
    private static double Best(Func<object> step)
    {
        var best = double.MaxValue;
        GC.Collect(); // what was measured before is not paid for here
        for (var i = 0; i < 44; i++)
        {
            var clock = Stopwatch.StartNew();
            _ = step();
            if (i >= 3)
                best = Math.Min(best, clock.Elapsed.TotalMilliseconds);
        }
        return best;
    }
}
