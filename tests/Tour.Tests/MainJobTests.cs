using System.Diagnostics;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Tour.Tests.Support;

namespace Governor.Tour.Tests;

/// <summary>The main job, once; the tests look at what came of it.</summary>
public sealed class MainJobRun : IAsyncLifetime
{
    private TestLandscape? _landscape;

    public TestLandscape Landscape => _landscape ?? throw new InvalidOperationException("not started");

    public TourReport Report { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _landscape = await TestLandscape.StartAsync(MainJob.Tenant);
        await Task.WhenAll(_landscape.Landscape.StartSiloAsync(CancellationToken.None), _landscape.Landscape.StartWitnessAsync(MainJob.Tenant, CancellationToken.None));
        Report = await new MainJob(_landscape.Landscape, _ => { }).RunAsync("test", Stopwatch.StartNew(), CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        if (_landscape is not null)
            await _landscape.DisposeAsync();
    }
}

public sealed class MainJobTests(MainJobRun run) : IClassFixture<MainJobRun>
{
    private string Kubeconfig => run.Landscape.Landscape.KubeconfigFile("ccs-mgmt");

    [Fact]
    public void Every_gate_was_seen_closed_for_a_reason_and_then_open_on_evidence()
    {
        Assert.Equal([0, 1, 2, 3, 4, 5, 6], run.Report.Gates.Select(g => g.Gate));
        Assert.Equal(
            [
                "AwaitingConductorReady", "AwaitingSignature", "SnapshotOutOfSync", "RBACProfileNotProvisioned", "AwaitingPack", "AwaitingContent", "AwaitingFirstAnswer",
            ],
            run.Report.Gates.Select(g => g.BlockedReason));
        Assert.All(run.Report.Gates, gate =>
        {
            Assert.True(gate.ClearedAfterMs >= 0, $"gate {gate.Gate} cleared after {gate.ClearedAfterMs} ms");
            Assert.NotEmpty(gate.Evidence);
        });
    }

    [Fact]
    public void The_instance_is_ready_and_lists_every_object_of_the_pack()
    {
        Assert.True(run.Report.PackInstance.Ready);
        string[] expected =
        [
            "Namespace web", "ServiceAccount web/web", "Role web/web", "RoleBinding web/web", "CustomResourceDefinition sites.web.example.org", "ConfigMap web/web",
            "Service web/web", "NetworkPolicy web/web", "PodDisruptionBudget web/web", "Deployment web/web", "Site web/main",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), run.Report.PackInstance.DeployedResources.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Nothing_of_the_pack_is_on_the_management_cluster()
    {
        Assert.DoesNotContain(run.Landscape.Landscape.Management.Writes, w => Tenant.IsDelivery(w.FieldManager));
        Assert.Contains(run.Landscape.Landscape.Tenants[MainJob.Tenant].Writes, w => Tenant.IsDelivery(w.FieldManager));
    }

    [Fact]
    public void The_lineage_index_of_the_pack_has_its_descendants()
    {
        Assert.Equal("clusterpack-web", run.Report.Lineage.Index);
        Assert.Equal(
            ["PackExecution seam-tenant-ccs-dev/web-ccs-dev", "PackInstance seam-tenant-ccs-dev/web-ccs-dev"],
            run.Report.Lineage.Descendants.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_audit_trail_verifies_and_holds_every_event()
    {
        Assert.True(run.Report.Audit.Verified);
        Assert.True(run.Report.Audit.TreeSize > 0);
        Assert.Equal(run.Report.Audit.Events, run.Report.Audit.TreeSize);
    }

    [Fact]
    public async Task The_witness_of_the_tenant_has_cosigned_it_and_everybody_can_read_that()
    {
        var landscape = run.Landscape.Landscape;
        var witness = Assert.Single(run.Report.Audit.Witnesses);
        Assert.Equal((MainJob.Tenant, landscape.WitnessKeyOf(MainJob.Tenant).ToString(), true), (witness.Cluster, witness.Key, witness.Verified));
        Assert.True(witness.TreeSize >= run.Report.Audit.Events, $"{witness.TreeSize} leaves are cosigned, there are {run.Report.Audit.Events} events");

        // The silo has verified it by the pinned key and serves it with the checkpoint, to anybody.
        using var stranger = new HttpClient { BaseAddress = landscape.SiloUrl };
        SignedNote? note = null;
        await Awaiting.DoneAsync(
            Task.Run(async () =>
            {
                // The note is remembered for a second where it is served.
                while (!SignedNote.TryParse(await stranger.GetStringAsync("/log/checkpoint"), out note) || note.Verify(landscape.WitnessKeyOf(MainJob.Tenant)) != NoteVerdict.Good)
                    await Task.Yield();
            }),
            "a cosigned checkpoint", () => $"{note}");
        var kept = await landscape.ManagementClient.GetAsync(KnownKinds.ConfigMap, new ObjectKey("ont-system", CheckpointMailbox.PostedName), CancellationToken.None);
        Assert.Contains(note!.Text, CheckpointMailbox.Text(kept, CheckpointMailbox.Checkpoint), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_lists_packs_executions_and_instances()
    {
        var listed = await Tool.RunAsync("kubectl", "--kubeconfig", Kubeconfig, "get", "clusterpacks,packexecutions,packinstances", "-A", "-o", "wide");
        Assert.True(listed.ExitCode == 0, listed.ToString());
        Assert.Contains("clusterpack.infra.ontai.dev/web", listed.Output, StringComparison.Ordinal);
        Assert.Contains("packexecution.infra.ontai.dev/web-ccs-dev", listed.Output, StringComparison.Ordinal);
        Assert.Contains("packinstance.infra.ontai.dev/web-ccs-dev", listed.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("packinstance/web-ccs-dev", "Ready")]
    [InlineData("packexecution/web-ccs-dev", "Succeeded")]
    [InlineData("clusterpack/web", "Ready")]
    public async Task Kubectl_wait_returns(string item, string condition)
    {
        var waited = await Tool.RunAsync(
            "kubectl", "--kubeconfig", Kubeconfig, "wait", $"--for=condition={condition}", item, "-n", "seam-tenant-ccs-dev", "--timeout=30s");
        Assert.True(waited.ExitCode == 0, waited.ToString());
        Assert.Contains("condition met", waited.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pack_carries_a_signature_that_was_made_for_it()
    {
        var pack = await run.Landscape.Landscape.ManagementClient.GetAsync(KnownKinds.ClusterPack, new ObjectKey("seam-tenant-ccs-dev", "web"), CancellationToken.None);
        Assert.NotNull(pack);
        Assert.StartsWith("ed25519:", pack.Annotations["ontai.dev/pack-signature"], StringComparison.Ordinal);
    }
}
