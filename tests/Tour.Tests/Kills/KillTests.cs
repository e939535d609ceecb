using Governor.Domain.Audit;
using Governor.Sandbox.Faults;
using Governor.Tour.Tests.Support;
using Xunit.Abstractions;

namespace Governor.Tour.Tests.Kills;

/// <summary>
/// Kills the silo at every write of a delivery: once when the write has arrived and is not done, once when it is done and not
/// answered. The stages are those of undisturbed deliveries. Many deliveries, each held at a stage of its own, die by one kill:
/// every stage still has its own delivery that is killed exactly there.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int AtOnce = 12;

    /// <summary>A write that may be merged with the one before is tried this often before it is reported as not seen.</summary>
    private const int Tries = 2;

    // What happens exactly once in the life of every delivery.
    private static readonly string[] Once =
    [
        "ClusterPack web pack.declared",
        "ClusterPack web pack.signed",
        "InfrastructureLineageIndex clusterpack-web lineage.descendant-registered PackExecution",
        "InfrastructureLineageIndex clusterpack-web lineage.descendant-registered PackInstance",
        "InfrastructureLineageIndex clusterpack-web lineage.index-created",
        "InfrastructureLineageIndex clusterpack-web lineage.outcome-registered",
        "PackExecution web-{tenant} packexecution.declared",
        "PackExecution web-{tenant} packexecution.delivered",
        "PackExecution web-{tenant} packexecution.gates-cleared",
        "PackExecution web-{tenant} packexecution.step-done status.steps[apply-cluster-scoped]",
        "PackExecution web-{tenant} packexecution.step-done status.steps[apply-namespaces]",
        "PackExecution web-{tenant} packexecution.step-done status.steps[apply-rbac-tenant]",
        "PackExecution web-{tenant} packexecution.step-done status.steps[apply-workload]",
        "PackExecution web-{tenant} packexecution.step-done status.steps[verify-pack]",
        "PackInstance web-{tenant} packinstance.recorded",
        "PackInstance web-{tenant} packinstance.released",
    ];

    private readonly List<(string Tenant, string Namespace)> _delivered = [];
    private TestLandscape _landscape = null!;
    private string _pack = "";
    private int _objects;

    [Fact]
    public async Task A_delivery_completes_exactly_once_whichever_write_the_silo_is_killed_at()
    {
        await using var landscape = _landscape = await TestLandscape.StartAsync();
        await landscape.DeclareSigningKeyAsync();
        var input = Path.Combine(AppContext.BaseDirectory, "samples", "packs", "web", "pack.yaml");
        _pack = await File.ReadAllTextAsync(await SamplePack.BuildAsync(landscape.Landscape, input, "packs/web", CancellationToken.None));
        await landscape.Landscape.StartSiloAsync(CancellationToken.None);

        var stages = await EnumerateAsync();
        var open = stages.SelectMany(stage => (IEnumerable<Kill>)[new(stage, HoldPoint.BeforeExecution), new(stage, HoldPoint.BeforeAnswer)]).ToList();
        output.WriteLine($"{stages.Count} writes, {open.Count} kills:");
        foreach (var stage in stages)
            output.WriteLine($"  {stage}");

        for (var attempt = 1; attempt <= Tries && open.Count > 0; attempt++)
        {
            var missed = new List<Kill>();
            foreach (var batch in open.Chunk(AtOnce))
                missed.AddRange(await KillAsync(batch));
            open = missed;
        }
        foreach (var kill in open)
            output.WriteLine($"not seen in {Tries} tries, merged with the write before: {kill}");
        Assert.DoesNotContain(open, kill => !kill.Stage.MayBeMerged);

        await CheckTrailAsync();
    }

    /// <summary>The writes of undisturbed deliveries, under the same load as the ones that are killed.</summary>
    private async Task<IReadOnlyList<Stage>> EnumerateAsync()
    {
        var deliveries = await StartAsync([.. Enumerable.Repeat<Kill?>(null, AtOnce)]);
        await Task.WhenAll(deliveries.Select(d => d.CompleteAsync()));
        var stages = deliveries.SelectMany(d => d.Stages).Distinct().OrderBy(s => s.OnTenant).ThenBy(s => s.Item, StringComparer.Ordinal).ThenBy(s => s.Number).ToList();
        Assert.All(_landscape.Landscape.Management.Writes.Where(w => w.User == TestLandscape.SiloUser), write => Assert.True(write.Verb is "apply" or "create", $"{write}"));
        // What the pack brings; Guardian writes the rights of its principal beside it.
        _objects = Assert.Single(deliveries.Select(d => d.ObjectsOnTenant).Distinct());
        Assert.Equal(11, _objects);
        await EndAsync(deliveries);
        return stages;
    }

    /// <returns>The kills whose write did not come.</returns>
    private async Task<IReadOnlyList<Kill>> KillAsync(Kill[] kills)
    {
        var deliveries = await StartAsync(kills);
        var reached = await Task.WhenAll(deliveries.Select(d => d.ReachAsync()));
        await _landscape.Landscape.KillSiloAsync();
        foreach (var delivery in deliveries)
            delivery.Drop();
        await _landscape.Landscape.StartSiloAsync(CancellationToken.None);
        await Task.WhenAll(deliveries.Select(d => d.CompleteAsync()));
        await EndAsync(deliveries);
        return [.. kills.Where((_, i) => !reached[i])];
    }

    private async Task<Delivery[]> StartAsync(IReadOnlyList<Kill?> kills)
    {
        var first = _delivered.Count;
        var deliveries = await Task.WhenAll(kills.Select((kill, i) =>
            Delivery.StartAsync(_landscape, $"t{first + i:000}", kill?.Stage, kill?.Point ?? HoldPoint.BeforeExecution)));
        _delivered.AddRange(deliveries.Select(d => (d.Name, d.Namespace)));
        await Task.WhenAll(deliveries.Select(d => d.DeclareAsync(_pack)));
        return deliveries;
    }

    private async Task EndAsync(Delivery[] deliveries)
    {
        foreach (var delivery in deliveries)
        {
            delivery.CheckTenant(_objects);
            await delivery.DisposeAsync();
        }
    }

    private async Task CheckTrailAsync()
    {
        var trail = await Trail.ExportAsync(_landscape.Landscape);
        trail.CheckDense();
        var byNamespace = trail.Leaves.Select(l => l.Event).ToLookup(e => e.Subject.Namespace);
        foreach (var (tenant, @namespace) in _delivered)
        {
            var seen = byNamespace[@namespace].Select(e => Describe(e, tenant)).Where(Once.Contains).Order(StringComparer.Ordinal);
            Assert.Equal(Once, seen);
            CheckGates(tenant, byNamespace[@namespace].Where(e => e.FieldChanged.StartsWith("status.gates[", StringComparison.Ordinal)));
        }
    }

    // Each answer of a gate goes on where the one before it stopped: none is missing, none is there twice.
    private static void CheckGates(string tenant, IEnumerable<GovernanceEvent> answers)
    {
        foreach (var gate in answers.GroupBy(e => e.FieldChanged))
        {
            string? last = null;
            foreach (var answer in gate)
            {
                Assert.True(answer.PreviousValue == last && answer.NewValue != last, $"{tenant} {gate.Key}: '{answer.PreviousValue}' -> '{answer.NewValue}' follows '{last}'");
                last = answer.NewValue;
            }
            Assert.StartsWith("Allow/", last, StringComparison.Ordinal);
        }
    }

    private static string Describe(GovernanceEvent e, string tenant)
    {
        var detail = e.Action switch
        {
            "packexecution.step-done" => $" {e.FieldChanged}",
            "lineage.descendant-registered" => e.NewValue!.Contains("PackExecution", StringComparison.Ordinal) ? " PackExecution" : " PackInstance",
            _ => "",
        };
        return $"{e.Subject.Kind} {e.Subject.Name.Replace(tenant, "{tenant}", StringComparison.Ordinal)} {e.Action}{detail}";
    }

    private sealed record Kill(Stage Stage, HoldPoint Point);
}
