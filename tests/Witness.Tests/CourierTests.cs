using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Domain.Transparency;
using Governor.Grains.Clusters;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Governor.Sandbox.Faults;
using Governor.Silo.Audit;
using Governor.Watchers;
using Governor.Witness.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Governor.Witness.Tests;

/// <summary>The side that shows the log: couriers of the silo, against witnesses as processes and clusters behind sockets.</summary>
public sealed class CourierTests : IAsyncLifetime, IDisposable
{
    private readonly TestLog _log = new();
    private readonly Newest<LogCheckpoint> _newest = new();
    private readonly WitnessBoard _board = new(NullLogger<WitnessBoard>.Instance);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _running = [];
    private readonly HttpClient _http = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("governor-courier-");
    private SandboxCluster _management = null!;
    private ServiceProvider _kubernetes = null!;

    private IClusters Clusters => _kubernetes.GetRequiredService<IClusters>();

    public async Task InitializeAsync()
    {
        _management = await SandboxCluster.StartAsync(new SandboxOptions("ccs-mgmt"));
        var kubeconfig = Path.Combine(_folder.FullName, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, _management.Kubeconfig);
        _kubernetes = new ServiceCollection().AddKubernetes(options =>
        {
            options.ManagementName = "ccs-mgmt";
            options.ManagementKubeconfig = kubeconfig;
            options.MinBackoff = TimeSpan.FromMilliseconds(50);
            options.MaxBackoff = TimeSpan.FromMilliseconds(500);
        }).BuildServiceProvider();
        await NamespaceAsync("ont-system");
    }

    public async Task DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_running);
        await _kubernetes.DisposeAsync();
        await _management.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    public void Dispose()
    {
        _end.Dispose();
        _http.Dispose();
        _board.Dispose();
    }

    [Fact]
    public async Task A_witness_over_HTTP_cosigns_every_step_wherever_it_stands()
    {
        await using var witness = await WitnessProcess.StartAsync(WitnessProcess.InFolder(_folder.FullName, _log.Key));
        // It has seen something that this silo does not know of.
        _log.Sign(grow: 5);
        await witness.AcceptAsync(await _log.RequestAsync(0));
        _log.Sign(grow: 10);
        Run(Http(witness, witness.Key));
        for (var step = 0; step < 3; step++)
            await CosignedAsync(witness.Key, grow: 40);
        Assert.All(_log.Cosigned, cosigned => Assert.Equal(witness.Key.Id, cosigned.Signature.KeyId));
        Assert.Null(Standing($"witness {witness.Http.BaseAddress}").Alarm);
    }

    [Fact]
    public async Task A_cosignature_by_another_key_than_the_pinned_one_does_not_count()
    {
        await using var witness = await WitnessProcess.StartAsync(WitnessProcess.InFolder(_folder.FullName, _log.Key));
        var pinned = new VerifierKey(witness.Key.Name, Domain.Signing.Ed25519.PublicKey(Domain.Signing.Ed25519.GenerateSeed()), NoteKeyType.Cosignature);
        Run(Http(witness, pinned));
        _newest.Set(_log.Sign(grow: 5));
        await StandingAsync("witness", s => s.Fault?.Contains("expected a cosignature by", StringComparison.Ordinal) == true);
        Assert.Empty(_log.Cosigned);
    }

    [Fact]
    public async Task A_witness_that_has_seen_more_or_something_else_raises_the_alarm()
    {
        await using var witness = await WitnessProcess.StartAsync(WitnessProcess.InFolder(_folder.FullName, _log.Key));
        _log.Sign(grow: 10);
        await witness.AcceptAsync(await _log.RequestAsync(0));
        var restored = _log.ForkAt(6);
        Run(Http(witness, witness.Key, restored));
        _newest.Set(restored.Sign());
        await StandingAsync("witness", s => s.Alarm?.Contains("has seen 10 leaves, this log has 6", StringComparison.Ordinal) == true);
        _newest.Set(restored.Sign(grow: 30, kind: "other"));
        await StandingAsync("witness", s => s.Alarm?.Contains("does not go on from", StringComparison.Ordinal) == true);
        Assert.Empty(restored.Cosigned);
    }

    [Fact]
    public async Task The_witness_of_a_cluster_cosigns_every_step_through_its_mailbox()
    {
        await using var cluster = await MailboxCluster.StartAsync();
        await using var witness = await cluster.WitnessAsync(_log.Key);
        Run(await CourierAsync(cluster.Sandbox, cluster.SiloKubeconfig, witness.Key));
        for (var step = 0; step < 4; step++)
            await CosignedAsync(witness.Key, grow: 40);
        var kept = await cluster.Admin.GetAsync(KnownKinds.ConfigMap, new ObjectKey("ont-system", CheckpointMailbox.PostedName), default);
        Assert.Equal((await _log.CheckpointAsync(default))!.Note, CheckpointMailbox.Text(kept, CheckpointMailbox.Checkpoint));
        Assert.Null(await cluster.AlarmAsync());
        Assert.Null(Standing("cluster").Fault);
    }

    [Fact]
    public async Task A_witness_that_comes_late_is_heard_although_nothing_new_happens()
    {
        await using var cluster = await MailboxCluster.StartAsync();
        Run(await CourierAsync(cluster.Sandbox, cluster.SiloKubeconfig, new VerifierKey("witness.test/w1", PublicKeyIn(cluster), NoteKeyType.Cosignature)));
        _newest.Set(_log.Sign(grow: 5));
        await Awaiting.MapAsync(cluster.Admin, CheckpointMailbox.PostedName, "a request", map => CheckpointMailbox.Text(map, CheckpointMailbox.Request).Length > 0);
        Assert.Empty(_log.Cosigned);

        await using var witness = await cluster.WitnessAsync(_log.Key);
        await Awaiting.DoneAsync(_log.CosignedOnce.Task, "a cosignature", () => witness.Log);
        Assert.Equal(5, await _log.CosignedOnce.Task);
    }

    [Fact]
    public async Task A_cluster_whose_witness_is_not_pinned_is_shown_checkpoints_and_its_cosignature_does_not_count()
    {
        await using var cluster = await MailboxCluster.StartAsync();
        await using var witness = await cluster.WitnessAsync(_log.Key);
        Run(await CourierAsync(cluster.Sandbox, cluster.SiloKubeconfig, null));
        _newest.Set(_log.Sign(grow: 5));
        await cluster.AnswerAsync("5 leaves accepted", map => CheckpointMailbox.Text(map, CheckpointMailbox.Accepted).Contains("\n5\n", StringComparison.Ordinal), () => witness.Log);
        _newest.Set(_log.Sign(grow: 5));
        await cluster.AnswerAsync("10 leaves accepted", map => CheckpointMailbox.Text(map, CheckpointMailbox.Accepted).Contains("\n10\n", StringComparison.Ordinal), () => witness.Log);
        Assert.Empty(_log.Cosigned);
    }

    [Fact]
    public async Task A_cluster_that_is_dead_or_hangs_holds_up_nobody_else()
    {
        await using var alive = await MailboxCluster.StartAsync("alive");
        await using var witness = await alive.WitnessAsync(_log.Key);
        await using var dead = await SandboxCluster.StartAsync(new SandboxOptions("dead"));
        await using var hanging = await SandboxCluster.StartAsync(new SandboxOptions("hanging"));
        Run(await CourierAsync(dead, dead.Kubeconfig, null));
        Run(await CourierAsync(hanging, hanging.Kubeconfig, null));
        await dead.GoAwayAsync();
        hanging.Faults.Arm(request => request.Resource == "configmaps", new FaultEffect.Hold(new RequestHold(HoldPoint.BeforeExecution)), count: int.MaxValue);
        Run(await CourierAsync(alive.Sandbox, alive.SiloKubeconfig, witness.Key));
        Run(new ManagementCourier(Clusters, _newest, _board, Options(), TimeProvider.System));

        for (var step = 0; step < 3; step++)
            await CosignedAsync(witness.Key, grow: 3);
        await Awaiting.MapAsync(Clusters.Management, CheckpointMailbox.PostedName, "the newest checkpoint", map => CheckpointMailbox.Text(map, CheckpointMailbox.Checkpoint).Contains("\n9\n", StringComparison.Ordinal));
        await StandingAsync("cluster dead", s => s.Fault is not null);

        // And when it comes back it gets what is newest then, wherever it had been.
        await dead.ComeBackAsync();
        await NamespaceAsync("ont-system", Clusters.Connect(new ClusterName("dead"), Encoding.UTF8.GetBytes(dead.Kubeconfig)));
        await StandingAsync("cluster dead", s => s.Size == 9);
    }

    [Fact]
    public async Task A_witness_that_accepted_more_than_the_log_has_raises_the_alarm_and_one_that_only_says_so_does_not()
    {
        await using var cluster = await MailboxCluster.StartAsync();
        await using var witness = await cluster.WitnessAsync(_log.Key);
        _log.Sign(grow: 10);
        await cluster.AcceptAsync(witness, await _log.RequestAsync(0));
        var restored = _log.ForkAt(6);
        Run(await CourierAsync(cluster.Sandbox, cluster.SiloKubeconfig, witness.Key, restored));
        _newest.Set(restored.Sign());
        await StandingAsync("cluster", s => s.Alarm?.Contains("accepted 10 leaves that this log signed, the log has 6", StringComparison.Ordinal) == true);
        _newest.Set(restored.Sign(grow: 20, kind: "other"));
        await StandingAsync("cluster", s => s.Alarm?.Contains("does not go on from there", StringComparison.Ordinal) == true);
        // The witness sees it, too, and keeps what it was shown.
        await cluster.AnswerAsync("the alarm", map => CheckpointMailbox.Text(map, CheckpointMailbox.Alarm).Contains("unproved", StringComparison.OrdinalIgnoreCase), () => witness.Log);
        Assert.Empty(restored.Cosigned);

        await using var liar = await MailboxCluster.StartAsync("liar");
        var stranger = new TestLog();
        stranger.Sign(grow: 1000);
        await liar.Admin.ApplyAsync(
            MailboxCluster.Map(CheckpointMailbox.AnswerName, (CheckpointMailbox.Accepted, (await stranger.CheckpointAsync(default))!.Note)), "liar", default, default);
        Run(await CourierAsync(liar.Sandbox, liar.SiloKubeconfig, null, restored));
        await StandingAsync("cluster liar", s => s.Fault?.Contains("was not signed by this log", StringComparison.Ordinal) == true);
        Assert.Null(Standing("cluster liar").Alarm);
    }

    [Fact]
    public async Task What_the_clusters_keep_is_found_again_without_the_database()
    {
        foreach (var definition in CrdGenerator.Objects([KnownKinds.TalosCluster]))
            await Clusters.Management.ApplyAsync(definition, "human", default, default);
        await _management.IdleAsync();
        await using var cluster = await MailboxCluster.StartAsync();
        await using var witness = await cluster.WitnessAsync(_log.Key);
        await using var dead = await SandboxCluster.StartAsync(new SandboxOptions("dead"));
        await CourierAsync(dead, dead.Kubeconfig, null);
        await dead.GoAwayAsync();
        Run(await CourierAsync(cluster.Sandbox, cluster.SiloKubeconfig, witness.Key));
        Run(new ManagementCourier(Clusters, _newest, _board, Options(), TimeProvider.System));
        await CosignedAsync(witness.Key, grow: 5);
        await StandingAsync("management", s => s.Size == 5);
        await NamespaceAsync("seam-system");
        foreach (var name in (string[])["ccs-dev", "dead"])
            await Clusters.Management.ApplyAsync(
                KubeObject.Parse(Encoding.UTF8.GetBytes($$"""{"apiVersion":"platform.ontai.dev/v1alpha1","kind":"TalosCluster","metadata":{"name":"{{name}}","namespace":"seam-system"},"spec":{"mode":"import","role":"tenant"} }""")),
                "human", default, default);

        var outside = new ClusterCheckpoints(
            Clusters, new TenantClusters(Clusters), KindTable.Default, Microsoft.Extensions.Options.Options.Create(Options()), NullLogger<ClusterCheckpoints>.Instance);
        var found = await outside.ReadAsync(default);

        Assert.Equal(
            [
                "cluster ccs-dev, ConfigMap ont-system/governor-checkpoint, data.checkpoint", "cluster ccs-dev, ConfigMap ont-system/governor-checkpoint-witness, data.accepted",
                "cluster ccs-mgmt, ConfigMap ont-system/governor-checkpoint, data.checkpoint",
            ],
            found.Select(f => f.Where).Order(StringComparer.Ordinal));
        Assert.All(found, f => Assert.StartsWith((_log.Key.Name + "\n5\n"), f.Note, StringComparison.Ordinal));
        await _management.GoAwayAsync();
        await Assert.ThrowsAsync<IOException>(() => outside.ReadAsync(default));
        await _management.ComeBackAsync();
    }

    private static byte[] PublicKeyIn(MailboxCluster cluster)
    {
        using var key = Keys.WitnessKey.Open(Path.Combine(cluster.Folder.FullName, "witness.key"), "witness.test/w1");
        return [.. key.Key.PublicKey];
    }

    private static AuditOptions Options(string cluster = "", VerifierKey? pinned = null) => new()
    {
        PublishInterval = TimeSpan.Zero,
        ClusterWitnesses = pinned is null ? [] : [new ClusterWitness(cluster, pinned.ToString())],
    };

    private HttpCourier Http(WitnessProcess witness, VerifierKey key, TestLog? log = null) => new(
        new HttpWitness($"{witness.Http.BaseAddress}", key.ToString()), _http, new WitnessRequests(log ?? _log, log ?? _log), _newest, _board, Options(), TimeProvider.System);

    private async Task<Courier> CourierAsync(SandboxCluster tenant, string kubeconfig, VerifierKey? pinned, TestLog? log = null)
    {
        var name = new ClusterName(tenant.Name);
        var key = ClusterRules.KubeconfigSecret(name);
        await NamespaceAsync(key.Namespace);
        await Clusters.Management.ApplyAsync(
            KubeObject.From(new JsonObject
            {
                ["apiVersion"] = "v1", ["kind"] = "Secret", ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace },
                ["data"] = new JsonObject { ["value"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(kubeconfig)) },
            }),
            "human", default, default);
        var tenants = new TenantClusters(Clusters);
        var uid = (await tenants.ConnectAsync(name, "", default)).ApiUid;
        return new ClusterCourier(name, tenants, new WitnessRequests(log ?? _log, log ?? _log), _newest, _board, Options(tenant.Name, pinned), TimeProvider.System) { ApiUid = uid };
    }

    private void Run(Courier courier) => _running.Add(courier.RunAsync(_end.Token));

    /// <summary>Signs a larger tree and waits for the cosignature on it.</summary>
    private async Task CosignedAsync(VerifierKey witness, int grow)
    {
        _log.CosignedOnce = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var signed = _log.Sign(grow);
        _newest.Set(signed);
        await Awaiting.DoneAsync(_log.CosignedOnce.Task, $"a cosignature on {signed.Checkpoint.Size} leaves", () => string.Join('\n', _board.Standings));
        Assert.Equal(signed.Checkpoint.Size, await _log.CosignedOnce.Task);
        Assert.True(SignedNote.TryParse(signed.Note, out var note));
        Assert.Equal(NoteVerdict.Good, note.With([_log.Cosigned[^1].Signature]).Verify(witness));
    }

    private WitnessStanding Standing(string place) => _board.Standings.First(s => s.Place.StartsWith(place, StringComparison.Ordinal));

    private Task StandingAsync(string place, Func<WitnessStanding, bool> holds) =>
        Awaiting.DoneAsync(
            _board.WhenAsync(standings => standings.Any(s => s.Place.StartsWith(place, StringComparison.Ordinal) && holds(s))),
            $"{place} to stand as expected", () => string.Join('\n', _board.Standings));

    private Task<KubeObject> NamespaceAsync(string name, ICluster? cluster = null) => (cluster ?? Clusters.Management).ApplyAsync(
        KubeObject.Parse(Encoding.UTF8.GetBytes($$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}" } }""")), "human", default, default);
}
