using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Clusters;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Packs;
using Governor.Grains.Watches;
using Governor.Host.Tests.Fixture;
using Governor.Journal;
using Governor.Journal.Commits;
using Governor.Manifests;
using Governor.Registry;
using Governor.Sandbox;
using Governor.Watchers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;

namespace Governor.Sieve.Tests.Support;

/// <summary>
/// One run: a management cluster, a tenant and a database that nobody has used before, and a silo, which may die and be followed by
/// another one.
/// </summary>
internal sealed class World : IAsyncDisposable
{
    public const string ManagementName = "ccs-mgmt";
    public const string TenantName = "ccs-dev";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>What a silo watches that is not told otherwise.</summary>
    public static readonly GroupVersionKind[] Watched =
        [.. KindTable.Default.Kinds.Where(kind => kind.Watched && Routes.Follows(kind.Gvk)).Select(kind => kind.Gvk)];

    private static readonly string[] Streams =
    [
        .. Watched.Select(kind => WatchKey.Of(new ClusterName(ManagementName), kind)),
        WatchKey.Of(new ClusterName(ManagementName), KnownKinds.Secret, SigningKeyRules.Secret),
    ];

    private readonly Workshop _workshop;
    private readonly (string Name, string ConnectionString, string Folder) _place;
    private readonly LeapingClock _clock = new();
    private readonly Pulse _pulse = new();
    private readonly Life _life;
    private readonly Shown _shown;
    private readonly ServiceProvider _human;
    private readonly DurableStorage _places = new();
    private GrainHost? _silo;

    private World(Workshop workshop, Perturbation perturbation, (string, string, string) place, SandboxCluster management, SandboxCluster tenant)
    {
        (_workshop, _place, Management, Tenant) = (workshop, place, management, tenant);
        _life = new Life(_pulse);
        _shown = new Shown(_life, _pulse);
        Ledger = new Ledger(perturbation, _life, _pulse);
        Wire = new Wire(perturbation, _life, _clock, _pulse);
        _human = new ServiceCollection().AddKubernetes(options => Configure(options, "human")).BuildServiceProvider();
    }

    public SandboxCluster Management { get; }

    public SandboxCluster Tenant { get; }

    public Ledger Ledger { get; }

    public Wire Wire { get; }

    /// <summary>The silo has died.</summary>
    public bool HasCrashed => _life.WasEnded;

    public ICluster ManagementClient => _human.GetRequiredService<IClusters>().Management;

    public ICluster TenantClient => _human.GetRequiredService<IClusters>().Connect(new ClusterName(TenantName), System.Text.Encoding.UTF8.GetBytes(Tenant.Kubeconfig));

    public IServiceProvider Services => _silo!.Services;

    public static async Task<World> StartAsync(Workshop workshop, Perturbation perturbation, int seed)
    {
        var place = await workshop.PlaceAsync();
        var management = await SandboxCluster.StartAsync(new SandboxOptions(ManagementName, Tls: false, Seed: seed), workshop.Management);
        var tenant = await SandboxCluster.StartAsync(new SandboxOptions(TenantName, Tls: false, Seed: seed), workshop.Tenant);
        await File.WriteAllTextAsync(Path.Combine(place.Folder, "kubeconfig"), management.Kubeconfig);
        var world = new World(workshop, perturbation, place, management, tenant);
        world.Wire.Arm(management);
        world.Wire.Arm(tenant);
        await world.StartSiloAsync();
        return world;
    }

    public async Task DeclareAsync(string yaml)
    {
        foreach (var item in ManifestReader.Read(yaml, "main job"))
            await DeclareAsync(item);
    }

    public Task DeclareAsync(KubeObject item) => ManagementClient.ApplyAsync(item, "human", default, CancellationToken.None);

    public Task DeclareSecretAsync(ObjectKey key, params (string Name, string Content)[] data) => ManagementClient.ApplyAsync(
        KubeObject.From(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace },
            ["data"] = new JsonObject(data.Select(d => KeyValuePair.Create(d.Name, (JsonNode?)Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(d.Content))))),
        }),
        "human", default, CancellationToken.None);

    public TState? Newest<TState>(string subject, string key)
        where TState : class =>
        Ledger.Find(subject, key) is { } state ? JsonSerializer.Deserialize<TState>(state.Span, StateJson.Options) : null;

    /// <summary>
    /// Waits until everything that was written has been shown to its actor, nobody owes anything, and what was expected is there. A silo
    /// that dies meanwhile is followed by another.
    /// </summary>
    public async Task SettleAsync(string what, Func<bool> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var next = _pulse.Next;
            if (_life.IsOver)
            {
                await _silo!.DisposeAsync();
                await StartSiloAsync();
                continue;
            }
            if (Wire.IsWatching(Streams.Length) && _shown.Missing(Management).Count == 0 && Ledger.IsQuiet && holds())
                return;
            try
            {
                await next.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException(
                    $"waited {Patience.TotalSeconds} s for '{what}' (it {(holds() ? "holds" : "does not hold")}); {Ledger.Owing}; " +
                    $"not shown: {string.Join(", ", _shown.Missing(Management).Select(w => $"{w.Resource} {w.Key} {w.ResourceVersion}"))}; " +
                    $"watching: {Wire.IsWatching(Streams.Length)}");
            }
        }
    }

    /// <summary>The time comes at which every stream lists again.</summary>
    public void Resync()
    {
        Wire.ExpectStreams(ofNewSilo: false);
        _clock.Leap();
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
            await _silo.DisposeAsync();
        await _human.DisposeAsync();
        await Management.DisposeAsync();
        await Tenant.DisposeAsync();
        NpgsqlConnection.ClearPool(new NpgsqlConnection(_place.ConnectionString));
        await _workshop.CleanAsync(_place.Name, _place.Folder);
    }

    private async Task StartSiloAsync()
    {
        _life.Begin();
        Wire.ExpectStreams(ofNewSilo: true);
        var generation = _life.Generation;
        var gate = new ObservationGate();
        gate.Arm(Streams);
        _silo = await GrainHost.StartAsync(silo => Configure(silo, generation, gate));
        var grains = _silo.Grains;
        var ending = Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        await Task.WhenAll(Task.WhenAll(Streams.Select(stream => grains.GetGrain<IWatchGrain>(stream).EnsureAsync())), ResumeAsync());
        gate.Resumed();
        foreach (var stream in Streams)
            _ = AttendAsync(stream);

        // As the silo's starter does; ends with the silo.
        async Task AttendAsync(string stream)
        {
            for (var synced = false; !ending.IsCancellationRequested; gate.Say(stream, synced))
                synced = await grains.GetGrain<IWatchGrain>(stream).UntilSyncedAsync(!synced);
        }
    }

    private async Task ResumeAsync()
    {
        foreach (var (subject, key) in await Resumption.FirstAsync(Services.GetRequiredService<IJournal>(), CancellationToken.None))
            await _silo!.Grains.GetGoverned(new(subject, key)).ResumeAsync();
    }

    private void Configure(KubernetesOptions options, string userAgent)
    {
        options.ManagementName = ManagementName;
        options.ManagementKubeconfig = Path.Combine(_place.Folder, "kubeconfig");
        options.AllowInsecure = true; // plain HTTP: what these tests are about is not encryption
        options.MinBackoff = TimeSpan.FromMilliseconds(20);
        options.MaxBackoff = TimeSpan.FromMilliseconds(200);
        options.ResyncEvery = LeapingClock.Hours * 2;
        options.UserAgent = userAgent;
    }

    private void Configure(ISiloBuilder silo, int generation, ObservationGate gate)
    {
        silo.AddIncomingGrainCallFilter(_shown);
        silo.Services.AddSingleton<TimeProvider>(_clock);
        silo.Services.AddSingleton(KindTable.Default);
        silo.Services.AddGrainStorage(WatchPlace.Storage, (_, _) => new MortalStorage(_places, _life, generation));
        silo.Services.AddSingleton(gate);
        silo.Services.AddJournal(options =>
        {
            options.ConnectionString = _place.ConnectionString;
            options.Migrate = false;
            options.Origin = "governor.test/sieve";
            options.LogKeyFile = Path.Combine(_place.Folder, "log.key");
        });
        silo.Services.AddSingleton<IJournal>(services => Ledger.Over(services.GetRequiredService<PostgresJournal>(), generation));
        silo.Services.AddPackSource(_ => { });
        silo.Services.AddKubernetes(options => Configure(options, $"silo-{generation}"));
        silo.Services.AddSingleton<GovernedServices>();
        silo.Services.AddSingleton<TenantClusters>();
        silo.Services.AddSingleton<TenantRights>();
        silo.Services.AddSingleton<IRbacIntake, GuardianIntake>();
    }
}
