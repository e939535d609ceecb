using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces;
using Governor.Grains.Tests.Support;
using Governor.Manifests;

namespace Governor.Grains.Tests.Packs;

[Collection(nameof(Ground))]
public sealed class GateTests(Ground ground) : IAsyncLifetime
{
    private Bed _bed = null!;

    public async Task InitializeAsync() => _bed = await Bed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task In_every_order_of_arrival_the_delivery_begins_with_the_last_input_and_not_before()
    {
        var orders = Permutations.Of(Enumerable.Range(0, 5).ToArray()).ToArray();
        await Parallel.ForAsync(0, orders.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var pack = $"web{i:000}";
            var inputs = Inputs(pack);
            await inputs[5](); // the declaration: nobody is asked before there is somebody who asks
            foreach (var at in orders[i][..^1])
                await inputs[at]();
            Assert.DoesNotContain(Phases(pack), p => p != ExecutionPhase.Gated);
            await inputs[orders[i][^1]]();
            Assert.Contains(ExecutionPhase.Verifying, Phases(pack));
        });
        // There is neither a pack nor a kubeconfig: every one of them stops before its first write, and none of them anywhere else.
        for (var i = 0; i < orders.Length; i++)
        {
            var end = await _bed.Commits.UntilAsync<ExecutionState>(Subjects.Execution, $"seam-tenant-dev/web{i:000}-dev", e => e.Phase == ExecutionPhase.Failed, "failed");
            Assert.Equal(DeliverySteps.Verify, end.As<ExecutionState>().Failure!.Step);
        }
    }

    [Fact]
    public async Task A_gate_that_never_opens_keeps_the_delivery_waiting()
    {
        for (var missing = 0; missing < 5; missing++)
        {
            var inputs = Inputs($"web{missing}");
            await inputs[5]();
            for (var i = 0; i < 5; i++)
                if (i != missing)
                    await inputs[i]();
            Assert.All(Phases($"web{missing}"), phase => Assert.Equal(ExecutionPhase.Gated, phase));
        }
    }

    private IReadOnlyList<ExecutionPhase> Phases(string pack) =>
        [.. _bed.Commits.Of(Subjects.Execution, $"seam-tenant-dev/{pack}-dev").Select(e => e.As<ExecutionState>().Phase)];

    private Func<Task>[] Inputs(string pack)
    {
        var cluster = new ClusterName("dev");
        var key = new ObjectKey("seam-tenant-dev", pack);
        var instance = new ObjectKey("seam-tenant-dev", $"{pack}-dev");
        var execution = _bed.Grains.GetGrain<IPackExecutionGrain>($"{key}-dev");
        var spec = new PackSpec("v1.0.0-r1", "127.0.0.1:1/packs/web", null, null, Digest.Of("x"u8), pack, ["dev"]);
        Fact[] facts =
        [
            new ConductorFact(cluster, ConductorReadiness.Ready, "ConductorReady", "ready", "", 17, 17, "api", Reachability.Reachable, "v1.32.3") { From = new Address(Subjects.Cluster, "dev") },
            new PackFact(key, true, "uid", spec, PackTrust.Signed, "PackSigned", "signed", "key", default, "sha256:1", Needs: []) { From = new Address(Subjects.Pack, $"{key}") },
            new SnapshotFact(cluster, "sha256:1", DateTimeOffset.UtcNow + TimeSpan.FromHours(1)) { From = new Address(Subjects.Permission, "dev") },
            new ProfileStanding(key, true, "", "", true, "ProvisioningComplete", "provisioned") { From = new Address(Subjects.Profile, $"{key}") },
            new TurnFact(instance, 1, $"{key}-dev", "", "") { From = InstanceRules.AddressOf(instance) },
        ];
        // The real senders, whom the execution asks, know nothing yet and say so: with lower versions.
        return [.. facts.Select(fact => (Func<Task>)(() => execution.TellAsync(fact with { Version = 1000 }))), () => execution.ObserveAsync(Declared.Seen(Execution(pack)))];
    }

    private static KubeObject Execution(string pack) => ManifestReader.Read(
        $$"""
        apiVersion: infra.ontai.dev/v1alpha1
        kind: PackExecution
        metadata: { name: {{pack}}-dev, namespace: seam-tenant-dev, uid: uid-of-{{pack}}, generation: 1 }
        spec:
          clusterPackRef: { name: {{pack}}, version: v1.0.0-r1 }
          targetClusterRef: dev
          admissionProfileRef: {{pack}}
        """, "test")[0];
}
