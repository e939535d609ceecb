using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
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
using Npgsql;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;

namespace Governor.Grains.Tests.Support;

/// <summary>
/// The actors with everything real around them: a journal in PostgreSQL, a management cluster behind a socket, and as many tenants as
/// a test asks for. All of it but the actors outlives a restart.
/// </summary>
public sealed class Bed : IAsyncDisposable
{
    public const string ManagementName = "ccs-mgmt";

    private readonly Ground _ground;
    private readonly string _database;
    private readonly string _folder;
    private readonly Dictionary<string, SandboxCluster> _tenants;
    private readonly ServiceProvider _kubernetes;
    private readonly DurableStorage _places = new();
    private GrainHost? _host;

    private Bed(Ground ground, string database, string folder, SandboxCluster management, Dictionary<string, SandboxCluster> tenants)
    {
        (_ground, _database, _folder, Management, _tenants) = (ground, database, folder, management, tenants);
        var services = new ServiceCollection();
        services.AddKubernetes(Configure);
        _kubernetes = services.BuildServiceProvider();
    }

    public SandboxCluster Management { get; }

    public IReadOnlyDictionary<string, SandboxCluster> Tenants => _tenants;

    /// <summary>A client of the management cluster that is not the silo's.</summary>
    public ICluster Client => _kubernetes.GetRequiredService<IClusters>().Management;

    /// <summary>A client of a tenant that is not the silo's.</summary>
    public ICluster Tenant(string name) =>
        _kubernetes.GetRequiredService<IClusters>().Connect(new ClusterName(name), System.Text.Encoding.UTF8.GetBytes(_tenants[name].Kubeconfig));

    public CommitLog Commits { get; } = new();

    public Showings Showings { get; } = new();

    public Outside Outside { get; } = new();

    /// <summary>Of the silo that runs, or that is started next; open unless a test arms it.</summary>
    public ObservationGate Gate { get; private set; } = new();

    public IGrainFactory Grains => _host!.Grains;

    public IServiceProvider Services => _host!.Services;

    public string ConnectionString => _ground.ConnectionString(_database);

    public static async Task<Bed> StartAsync(Ground ground, params string[] tenants)
    {
        var database = await ground.DatabaseAsync();
        var folder = ground.Folder.CreateSubdirectory(database).FullName;
        var clusters = new Dictionary<string, SandboxCluster>();
        foreach (var name in (string[])[ManagementName, .. tenants])
            clusters[name] = await SandboxCluster.StartAsync(new SandboxOptions(name));
        var management = clusters[ManagementName];
        clusters.Remove(ManagementName);
        await File.WriteAllTextAsync(Path.Combine(folder, "kubeconfig"), management.Kubeconfig);
        var bed = new Bed(ground, database, folder, management, clusters);
        await bed.PrepareAsync();
        await bed.StartSiloAsync();
        return bed;
    }

    public async Task StartSiloAsync() => _host = await GrainHost.StartAsync(Configure);

    public async Task StopSiloAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
        _host = null;
        Gate = new ObservationGate();
    }

    /// <summary>What a starting silo does for the actors that owed something when the last one ended, and for those that look at the clock.</summary>
    public async Task ResumeAsync()
    {
        foreach (var (subject, key) in await Resumption.FirstAsync(Services.GetRequiredService<IJournal>(), CancellationToken.None))
            await (subject == TallyGrain.TallySubject ? Grains.GetGrain<ITallyGrain>(key) : Grains.GetGoverned(new(subject, key))).ResumeAsync();
    }

    /// <summary>A client of a tenant that is not the silo's.</summary>
    public ICluster TenantClient(string name) =>
        _kubernetes.GetRequiredService<IClusters>().Connect(new ClusterName(name), System.Text.Encoding.UTF8.GetBytes(_tenants[name].Kubeconfig));

    public IWatchGrain Watch(string tenant, GroupVersionKind kind) => Grains.GetGrain<IWatchGrain>(WatchKey.Of(new ClusterName(tenant), kind));

    /// <summary>Makes a tenant reachable: its namespace on the management cluster, and the Secret with its kubeconfig.</summary>
    public async Task ConnectTenantAsync(string name, string? kubeconfig = null)
    {
        await NamespaceAsync($"seam-tenant-{name}");
        await DeclareSecretAsync(ClusterRules.KubeconfigSecret(new ClusterName(name)), "value", kubeconfig ?? _tenants[name].Kubeconfig);
    }

    public IWatchGrain Watch(GroupVersionKind kind) => Grains.GetGrain<IWatchGrain>(WatchKey.Of(new ClusterName(ManagementName), kind));

    /// <summary>
    /// What a starting silo does: arms the gate, keeps the streams running, resumes what was owed, and says at the gate how the streams
    /// are. To be called once per silo, before it has actors.
    /// </summary>
    public async Task ObserveAsync(params string[] streams)
    {
        Gate.Arm(streams);
        var (gate, grains) = (Gate, Grains);
        await ResumeAsync();
        gate.Resumed();
        foreach (var stream in streams)
        {
            await grains.GetGrain<IWatchGrain>(stream).EnsureAsync();
            _ = AttendAsync(stream);
        }

        async Task AttendAsync(string stream)
        {
            for (var synced = false; ; gate.Say(stream, synced))
                synced = await grains.GetGrain<IWatchGrain>(stream).UntilSyncedAsync(!synced);
        }
    }

    public Task WatchAsync(params GroupVersionKind[] kinds) => Task.WhenAll(kinds.Select(kind => Watch(kind).EnsureAsync()));

    /// <summary>Applies YAML to the management cluster as a human would.</summary>
    public async Task DeclareAsync(string yaml)
    {
        foreach (var item in ManifestReader.Read(yaml, "test"))
            await Client.ApplyAsync(item, "human", default, CancellationToken.None);
    }

    public Task DeclareSecretAsync(ObjectKey key, string entry, string content) => Client.ApplyAsync(
        KubeObject.From(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace },
            ["data"] = new JsonObject { [entry] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(content)) },
        }),
        "human", default, CancellationToken.None);

    public Task DeleteAsync(GroupVersionKind kind, ObjectKey key) => Client.DeleteAsync(kind, key, null, CancellationToken.None);

    public async Task NamespaceAsync(params string[] names)
    {
        foreach (var name in names)
            await DeclareAsync($"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n");
    }

    /// <summary>Completes when an object of the management cluster is as expected.</summary>
    public async Task<KubeObject> SeenAsync(GroupVersionKind kind, ObjectKey key, Func<KubeObject, bool> holds, string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        KubeObject? last = null;
        try
        {
            await foreach (var seen in Client.WatchAsync(new WatchRequest(kind, key.Namespace.Length > 0 ? key.Namespace : null, key.Name), patience.Token))
            {
                last = seen.Object ?? last;
                if (seen is { Type: WatchEventType.Present, Object: { } now } && holds(now))
                    return now;
            }
        }
        catch (OperationCanceledException)
        {
            // Said below.
        }
        throw new TimeoutException($"waited for '{what}' of {kind.Kind} {key}; last seen: {(last is null ? "nothing" : last.Root.GetRawText())}");
    }

    /// <summary>Completes when an object of the management cluster is not there.</summary>
    public async Task GoneAsync(GroupVersionKind kind, ObjectKey key)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        try
        {
            await foreach (var seen in Client.WatchAsync(new WatchRequest(kind, key.Namespace.Length > 0 ? key.Namespace : null, key.Name), patience.Token))
                if (seen.Type is WatchEventType.Gone or WatchEventType.Synced && await Client.GetAsync(kind, key, patience.Token) is null)
                    return;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"waited for {kind.Kind} {key} to be gone");
        }
    }

    /// <summary>As the owner of the database, past every role.</summary>
    public async Task<T?> AskAsync<T>(string sql, params object[] arguments)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var argument in arguments)
            command.Parameters.AddWithValue(argument);
        return await command.ExecuteScalarAsync() is T found ? found : default;
    }

    /// <summary>The database is set back to before anything was committed: as after the restore of an old backup.</summary>
    public async Task ForgetJournalAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            DO $$ DECLARE t record; BEGIN
              SET LOCAL session_replication_role = replica;
              FOR t IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = 'governor' AND c.relkind IN ('r', 'p') AND c.relname IN ('log_segment', 'log_pending')
              LOOP EXECUTE format('DELETE FROM %s', t.name); END LOOP;
            END $$
            """, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The database refuses everybody and throws out who is in.</summary>
    public async Task JournalGoesAwayAsync()
    {
        await _ground.ExecuteAsync($"ALTER DATABASE {_database} ALLOW_CONNECTIONS false");
        await _ground.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{_database}'");
    }

    public Task JournalComesBackAsync() => _ground.ExecuteAsync($"ALTER DATABASE {_database} ALLOW_CONNECTIONS true");

    public async ValueTask DisposeAsync()
    {
        await StopSiloAsync();
        await _kubernetes.DisposeAsync();
        foreach (var cluster in (SandboxCluster[])[Management, .. _tenants.Values])
            await cluster.DisposeAsync();
        NpgsqlConnection.ClearPool(new NpgsqlConnection(ConnectionString));
    }

    private async Task PrepareAsync()
    {
        foreach (var definition in CrdGenerator.Objects(SiloAccess.All.Select(row => row.Kind)))
            await Client.ApplyAsync(definition, "human", default, CancellationToken.None);
        await Management.IdleAsync(); // a definition is served when it is established
        await NamespaceAsync("seam-system", "ont-system");
    }

    private void Configure(KubernetesOptions options)
    {
        options.ManagementName = ManagementName;
        options.ManagementKubeconfig = Path.Combine(_folder, "kubeconfig");
        options.MinBackoff = TimeSpan.FromMilliseconds(50);
        options.MaxBackoff = TimeSpan.FromMilliseconds(500);
    }

    private void Configure(ISiloBuilder silo)
    {
        silo.AddIncomingGrainCallFilter(Showings);
        silo.Services.AddGrainStorage(WatchPlace.Storage, (_, _) => _places);
        silo.Services.AddSingleton(TimeProvider.System);
        silo.Services.AddSingleton(KindTable.Default);
        silo.Services.AddSingleton(Outside);
        silo.Services.AddJournal(options =>
        {
            options.ConnectionString = ConnectionString;
            options.Migrate = false;
            options.Origin = "governor.test/grains";
            options.LogKeyFile = Path.Combine(_folder, "log.key");
            options.CommitTimeout = TimeSpan.FromSeconds(2);
        });
        silo.Services.AddSingleton<IJournal>(services => Commits.Over(services.GetRequiredService<PostgresJournal>()));
        silo.Services.AddPackSource(_ => { });
        silo.Services.AddKubernetes(Configure);
        silo.Services.AddSingleton(Gate);
        silo.Services.AddSingleton<GovernedServices>();
        silo.Services.AddSingleton<TenantClusters>();
        silo.Services.AddSingleton<IRbacIntake, GuardianIntake>();
        silo.Services.AddSingleton<Governor.Grains.Packs.TenantRights>();
    }
}
