using System.Globalization;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Sandbox;
using Governor.Tour;

namespace Governor.Bench;

/// <summary>
/// How long it takes from the commit of the last gate's input to the first write on the tenant, and what the silo asks the clusters
/// while everything waits. 200 packs on 20 tenants, once all released together by one signing key, once one at a time by one
/// SeamMembership each. PostgreSQL with fsync, the registry and the silo are processes of their own; the clusters are sandboxes here.
/// </summary>
internal sealed class GatesBenchmark : IBenchmark
{
    private const int TenantCount = 20;
    private const int PacksEach = 10;
    private const double MostMilliseconds = 100;

    // What is expected. The peer does one commit and one request; we do three commits in a row (the input, the open gates, the verified
    // pack), three calls between actors, two requests in parallel, one signature check, and the request. At once the processors are the
    // limit, not the way: the peer has nothing else to do, while the first of 200 deliveries are at work when the last begins.
    private const double MostTimesThePeer = 30;
    private const double MostTimesThePeerAtOnce = 20;

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    public string Name => "gates";

    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("governor-bench-").FullName;
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101); // PostgreSQL runs as a user of its own
        try
        {
            string[] tenants = [.. Enumerable.Range(1, TenantCount).Select(i => $"t{i:00}")];
            await using var landscape = await Landscape.StartAsync(new LandscapeOptions(folder, Tenants: tenants), cancellation);
            await MainJob.PrepareAsync(landscape, cancellation);
            await landscape.StartSiloAsync(cancellation);
            await using var fleet = new GateFleet(landscape);
            var key = await WarmUpAsync(landscape, fleet, tenants, cancellation);
            await using var peer = await BarePeer.StartAsync(landscape, cancellation);
            var measures = new List<Measure>();
            await BurstAsync(landscape, fleet, peer, key, tenants, measures, cancellation);
            await SteadyAsync(landscape, fleet, peer, tenants, measures, cancellation);
            return BenchReport.Of(Name, measures);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Connects every tenant and delivers one pack to each, which also gives each a permission snapshot.</summary>
    private static async Task<SigningKey> WarmUpAsync(Landscape landscape, GateFleet fleet, string[] tenants, CancellationToken cancellation)
    {
        var key = SigningKey.Generate();
        await HandOverAsync(landscape, key, cancellation);
        foreach (var tenant in tenants)
        {
            await fleet.DeclareTenantAsync(tenant, cancellation);
            await MainJob.DeclareTenantAsync(landscape, tenant, cancellation);
        }
        var packs = GateFleet.Packs("warm", tenants, 1);
        await fleet.DeclareAsync(packs, cancellation);
        await fleet.AdmitAsync(packs, cancellation);
        await fleet.ReachAsync(packs, "Succeeded", cancellation);
        return key;
    }

    /// <summary>All packs wait for nothing but the signing key; then it is handed over.</summary>
    private static async Task BurstAsync(
        Landscape landscape, GateFleet fleet, BarePeer peer, SigningKey key, string[] tenants, List<Measure> measures, CancellationToken cancellation)
    {
        var packs = GateFleet.Packs("burst", tenants, PacksEach);
        await landscape.ManagementClient.DeleteAsync(KnownKinds.Secret, SigningKeyRules.Secret, null, cancellation);
        await fleet.DeclareAsync(packs, cancellation);
        await fleet.AdmitAsync(packs, cancellation);
        await fleet.ReachAsync(packs, "Gated 1", cancellation);
        measures.Add(await CountPollsAsync(landscape, $"requests while {packs.Length} packs wait for the key, {Quiet.TotalSeconds} s", cancellation));

        await peer.OneAtATimeAsync(packs, cancellation); // the first round warms up
        var bare = await peer.AllAtOnceAsync(packs, cancellation);

        await HandOverAsync(landscape, key, cancellation);
        await fleet.ReachAsync(packs, "Succeeded", cancellation);
        var times = await GateTimeline.ReadAsync(landscape, packs, KnownKinds.ClusterPack, "pack.signed", cancellation);
        var released = await GateTimeline.CommitAsync(landscape, "signingkey.changed", cancellation);
        var own = new Latencies(times.Select(t => t.Latency));
        var all = new Latencies(times.Select(t => (t.FirstWrite - released).TotalMilliseconds));
        Explain("all at once", times);
        const string Peer = "200 bare commits and applies at once";
        measures.Add(Measure.AtMostTimes("its signature committed to first write, at once, p50", own.P50, "ms", $"{Peer}, p50", bare.P50, MostTimesThePeerAtOnce));
        measures.Add(Measure.AtMostTimes("its signature committed to first write, at once, p99", own.P99, "ms", $"{Peer}, p99", bare.P99, MostTimesThePeerAtOnce));
        measures.Add(Measure.AtMostTimes("key committed to first write, at once, p50", all.P50, "ms", $"{Peer}, p50", bare.P50, MostTimesThePeerAtOnce));
        measures.Add(Measure.AtMostTimes("key committed to first write, at once, p99", all.P99, "ms", $"{Peer}, p99", bare.P99, MostTimesThePeerAtOnce));
    }

    /// <summary>Each pack waits for nothing but its profile, which waits for its membership; each is admitted when the one before has arrived.</summary>
    private static async Task SteadyAsync(Landscape landscape, GateFleet fleet, BarePeer peer, string[] tenants, List<Measure> measures, CancellationToken cancellation)
    {
        var packs = GateFleet.Packs("steady", tenants, PacksEach);
        await fleet.DeclareAsync(packs, cancellation);
        await fleet.ReachAsync(packs, "Gated 3", cancellation);
        measures.Add(await CountPollsAsync(landscape, $"requests while {packs.Length} packs wait for their memberships, {Quiet.TotalSeconds} s", cancellation));

        var bare = await peer.OneAtATimeAsync(packs, cancellation);

        foreach (var pack in packs)
        {
            await fleet.AdmitAsync(pack, cancellation);
            await fleet.ReachAsync([pack], "Succeeded", cancellation);
        }
        var times = await GateTimeline.ReadAsync(landscape, packs, KnownKinds.RBACProfile, "rbacprofile.provisioned", cancellation);
        var own = new Latencies(times.Select(t => t.Latency));
        Explain("one at a time", times);
        const string Peer = "a bare commit and apply";
        measures.Add(Measure.AtMostTimes("last input committed to first write, p50", own.P50, "ms", $"{Peer}, p50", bare.P50, MostTimesThePeer));
        measures.Add(Measure.AtMostTimes("last input committed to first write, p99", own.P99, "ms", $"{Peer}, p99", bare.P99, MostTimesThePeer));
        measures.Add(Measure.AtMost("last input committed to first write, p99", own.P99, "ms", MostMilliseconds));
    }

    private static Task HandOverAsync(Landscape landscape, SigningKey key, CancellationToken cancellation) => landscape.DeclareSecretAsync(
        SigningKeyRules.Secret, [("private.pem", key.ToPem()), ("public.pem", key.VerifyingKey.ToPem())], cancellation);

    /// <summary>
    /// What is asked of any cluster, watches apart, while nothing happens. Begins when a second has passed without a request, so that
    /// what the declarations caused is over; something that never rests is counted.
    /// </summary>
    private static async Task<Measure> CountPollsAsync(Landscape landscape, string what, CancellationToken cancellation)
    {
        var before = Requests(landscape);
        for (var attempt = 0; attempt < 20; attempt++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellation);
            var now = Requests(landscape);
            var rests = now.Values.Sum() == before.Values.Sum();
            before = now;
            if (rests)
                break;
        }
        await Task.Delay(Quiet, cancellation);
        var made = Requests(landscape).Select(r => (r.Key, Count: r.Value - before.GetValueOrDefault(r.Key))).Where(r => r.Count > 0).ToArray();
        return Measure.None(what, made.Sum(r => r.Count), "requests", string.Join(", ", made.Select(r => $"{r.Count} x {r.Key}")));
    }

    private static Dictionary<string, long> Requests(Landscape landscape) => ((SandboxCluster[])[landscape.Management, .. landscape.Tenants.Values])
        .SelectMany(cluster => cluster.Requests)
        .Where(request => !request.Key.StartsWith("watch ", StringComparison.Ordinal))
        .GroupBy(request => request.Key, request => request.Value)
        .ToDictionary(group => group.Key, group => group.Sum());

    /// <summary>Where the time goes, for whoever makes it faster; not part of the report.</summary>
    private static void Explain(string round, IReadOnlyList<GateTimeline> times)
    {
        foreach (var (what, of) in ((string, Func<GateTimeline, TimeSpan>)[])
            [
                ("input to gates cleared", t => t.Cleared - t.Input),
                ("gates cleared to pack verified", t => t.Verified - t.Cleared),
                ("pack verified to first write", t => t.FirstWrite - t.Verified),
                ("input to first write", t => t.FirstWrite - t.Input),
            ])
        {
            var taken = new Latencies(times.Select(t => of(t).TotalMilliseconds));
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {round}: {what,-32} p50 {taken.P50,8:F1} ms  p99 {taken.P99,8:F1} ms  longest {taken.Longest,8:F1} ms"));
        }
    }
}
