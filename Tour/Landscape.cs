using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Governor.Manifests;
using Governor.Sandbox;
using Governor.Watchers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Governor.Tour;

/// <param name="Folder">Where everything that is written goes; made anew by the landscape.</param>
/// <param name="SiloSettings">Settings for the silo beyond the landscape's own, e.g. <c>Governor:Delivery:RetryBudget</c>.</param>
public sealed record LandscapeOptions(
    string Folder, string Management = "ccs-mgmt", IReadOnlyList<string>? Tenants = null, Action<string>? OnSiloLine = null,
    IReadOnlyDictionary<string, string>? SiloSettings = null);

/// <summary>
/// Everything that Governor needs around it, for real, on this machine: PostgreSQL, an OCI registry, a sandbox management cluster,
/// sandbox tenants, and the silo as a process of its own that can be killed and started again.
/// </summary>
public sealed class Landscape : IAsyncDisposable
{
    private readonly LandscapeOptions _options;
    private readonly ServiceProvider _kubernetes;
    private readonly PostgresServer _postgres;
    private readonly string _siloPassword;
    private readonly Dictionary<string, SandboxCluster> _tenants;
    private readonly Dictionary<string, TenantWitness> _witnesses = [];
    private ChildProcess? _silo;

    private Landscape(
        LandscapeOptions options, PostgresServer postgres, string siloPassword, OciRegistryServer registry, SandboxCluster management,
        Dictionary<string, SandboxCluster> tenants, ServiceProvider kubernetes)
    {
        _options = options;
        _postgres = postgres;
        _siloPassword = siloPassword;
        Registry = registry;
        Management = management;
        _tenants = tenants;
        _kubernetes = kubernetes;
        Api = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", management.AdminToken);
    }

    public OciRegistryServer Registry { get; }

    public SandboxCluster Management { get; }

    public IReadOnlyDictionary<string, SandboxCluster> Tenants => _tenants;

    public string Folder => _options.Folder;

    /// <summary>A client of the management cluster.</summary>
    public ICluster ManagementClient => _kubernetes.GetRequiredService<IClusters>().Management;

    /// <summary>The silo's API, with the administrator's token; its base address is that of the running silo.</summary>
    public HttpClient Api { get; private set; }

    public Uri SiloUrl => Api.BaseAddress ?? throw new InvalidOperationException("the silo has not been started");

    public ChildProcess Silo => _silo ?? throw new InvalidOperationException("the silo has not been started");

    public string DatabaseConnectionString => _postgres.ConnectionString("governor");

    public string KubeconfigFile(string cluster) => Path.Combine(Folder, $"{cluster}.kubeconfig");

    public ICluster TenantClient(string name) =>
        _kubernetes.GetRequiredService<IClusters>().Connect(new ClusterName(name), Encoding.UTF8.GetBytes(_tenants[name].Kubeconfig));

    public static async Task<Landscape> StartAsync(LandscapeOptions options, CancellationToken cancellation)
    {
        Directory.CreateDirectory(options.Folder);
        var clusters = new Dictionary<string, SandboxCluster>();
        var startingPostgres = PostgresServer.StartAsync(Path.Combine(options.Folder, "postgres"), cancellation: cancellation);
        var startingRegistry = OciRegistryServer.StartAsync(Path.Combine(options.Folder, "registry"), cancellation);
        try
        {
            foreach (var name in (string[])[options.Management, .. options.Tenants ?? []])
            {
                clusters[name] = await SandboxCluster.StartAsync(new SandboxOptions(name), cancellation);
                await File.WriteAllTextAsync(Path.Combine(options.Folder, $"{name}.kubeconfig"), clusters[name].Kubeconfig, cancellation);
                if (!OperatingSystem.IsWindows())
                    File.SetUnixFileMode(Path.Combine(options.Folder, $"{name}.kubeconfig"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
            var registry = await startingRegistry;
            var postgres = await startingPostgres;
            var siloPassword = await CreateDatabaseAsync(postgres, cancellation);
            var tenants = clusters.Where(cluster => cluster.Key != options.Management).ToDictionary();
            return new Landscape(options, postgres, siloPassword, registry, clusters[options.Management], tenants, Connect(options));
        }
        catch
        {
            foreach (var cluster in clusters.Values)
                await cluster.DisposeAsync();
            await DisposeStartedAsync(startingRegistry);
            await DisposeStartedAsync(startingPostgres);
            throw;
        }
    }

    // What is still on its way is waited for; what did not come up has cleaned up after itself.
    private static async Task DisposeStartedAsync<TServer>(Task<TServer> starting)
        where TServer : IAsyncDisposable
    {
        await starting.ContinueWith(_ => { }, TaskScheduler.Default);
        if (starting.IsCompletedSuccessfully)
            await (await starting).DisposeAsync();
    }

    /// <summary>Starts the silo and waits until it says that it is ready.</summary>
    public async Task StartSiloAsync(CancellationToken cancellation)
    {
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var settings = new Dictionary<string, string>
        {
            ["Governor:Silo:ManagementCluster"] = _options.Management,
            ["Governor:Silo:Urls"] = "http://127.0.0.1:0",
            ["Governor:Orleans:SiloPort"] = $"{FreePort.Next()}",
            ["Governor:Orleans:GatewayPort"] = $"{FreePort.Next()}",
            ["Governor:Kubernetes:ManagementKubeconfig"] = KubeconfigFile(_options.Management),
            ["Governor:Journal:ConnectionString"] = SiloConnectionString,
            ["Governor:Journal:MigrationConnectionString"] = DatabaseConnectionString,
            ["Governor:Journal:Origin"] = Origin,
            ["Governor:Journal:LogKeyFile"] = LogKeyFile,
            ["Governor:Audit:PublishInterval"] = "00:00:00.5",
        };
        foreach (var (index, tenant) in _tenants.Keys.Index())
        {
            settings[$"Governor:Audit:ClusterWitnesses:{index}:Cluster"] = tenant;
            settings[$"Governor:Audit:ClusterWitnesses:{index}:Key"] = $"{WitnessKeyOf(tenant)}";
        }
        foreach (var (key, value) in _options.SiloSettings ?? new Dictionary<string, string>())
            settings[key] = value;
        _silo = await ChildProcess.StartAsync(
            "silo", "dotnet", [Path.Combine(AppContext.BaseDirectory, "Governor.Silo.dll")],
            settings.ToDictionary(s => s.Key.Replace(":", "__", StringComparison.Ordinal), s => (string?)s.Value),
            line =>
            {
                const string Marker = "Now listening on: ";
                if (line.IndexOf(Marker, StringComparison.Ordinal) is var at and >= 0)
                    listening.TrySetResult(new Uri(line[(at + Marker.Length)..].Trim()));
                _options.OnSiloLine?.Invoke(line);
            },
            cancellation: cancellation);

        var exited = _silo.WaitForExitAsync(cancellation);
        if (await Task.WhenAny(listening.Task, exited).WaitAsync(TimeSpan.FromSeconds(60), cancellation) == exited)
            throw new InvalidOperationException($"the silo ended while it was starting:\n{_silo.Tail}");
        var authorization = Api.DefaultRequestHeaders.Authorization;
        Api.Dispose();
        Api = new HttpClient { BaseAddress = await listening.Task, Timeout = TimeSpan.FromSeconds(30) };
        Api.DefaultRequestHeaders.Authorization = authorization;
        await WaitReadyAsync(cancellation);
    }

    /// <summary>Sets up the mailbox of a tenant, and starts a witness of the log there.</summary>
    public async Task StartWitnessAsync(string tenant, CancellationToken cancellation)
    {
        using var key = Journal.Log.LogKeyFile.Open(LogKeyFile, Origin);
        _witnesses[tenant] = await TenantWitness.StartAsync(Folder, _tenants[tenant], TenantClient(tenant), key.Key, _options.OnSiloLine, cancellation);
    }

    /// <summary>The key that the witness of a tenant cosigns with; pinned in the silo's settings.</summary>
    public VerifierKey WitnessKeyOf(string tenant) => TenantWitness.KeyOf(Folder, tenant);

    /// <summary>The tenants with a witness, and what it said last.</summary>
    public IReadOnlyDictionary<string, string> Witnesses => _witnesses.ToDictionary(w => w.Key, w => w.Value.Tail);

    /// <summary>What a power cut does to the silo.</summary>
    public async Task KillSiloAsync()
    {
        await Silo.KillAsync();
        await Silo.DisposeAsync();
        _silo = null;
    }

    /// <summary>Applies YAML documents to the management cluster as a human would, in the order in which they stand.</summary>
    public async Task DeclareAsync(string text, string source, CancellationToken cancellation)
    {
        foreach (var item in ManifestReader.Read(text, source))
            await ManagementClient.ApplyAsync(item, "tour", default, cancellation);
    }

    public async Task DeclareFileAsync(string file, CancellationToken cancellation) =>
        await DeclareAsync(await File.ReadAllTextAsync(file, cancellation), Path.GetFileName(file), cancellation);

    public Task DeclareSecretAsync(ObjectKey key, IEnumerable<(string Name, string Content)> data, CancellationToken cancellation)
    {
        var secret = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = key.Name, ["namespace"] = key.Namespace },
            ["data"] = new JsonObject([.. data.Select(d => KeyValuePair.Create(d.Name, (JsonNode?)Convert.ToBase64String(Encoding.UTF8.GetBytes(d.Content))))]),
        };
        return ManagementClient.ApplyAsync(KubeObject.From(secret), "tour", default, cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
            await _silo.DisposeAsync();
        foreach (var witness in _witnesses.Values)
            await witness.DisposeAsync();
        Api.Dispose();
        await _kubernetes.DisposeAsync();
        foreach (var cluster in (SandboxCluster[])[Management, .. _tenants.Values])
            await cluster.DisposeAsync();
        await Registry.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private string Origin => $"governor.local/{_options.Management}";

    private string LogKeyFile => Path.Combine(Folder, "log.key");

    private string SiloConnectionString => $"Host=127.0.0.1;Port={_postgres.Port};Username=governor_app;Password={_siloPassword};Database=governor";

    private static async Task<string> CreateDatabaseAsync(PostgresServer postgres, CancellationToken cancellation)
    {
        var password = PostgresServer.NewPassword();
        // The silo's login may add to the audit trail and never change it; migrations run as the owner.
        await using var server = NpgsqlDataSource.Create(postgres.ConnectionString());
        await RunAsync(server, "CREATE DATABASE governor", cancellation);
        await RunAsync(server, "CREATE ROLE governor_silo NOLOGIN", cancellation);
        await RunAsync(server, $"CREATE ROLE governor_app LOGIN PASSWORD '{password}' IN ROLE governor_silo", cancellation);
        await using var database = NpgsqlDataSource.Create(postgres.ConnectionString("governor"));
        await RunAsync(database, "GRANT CREATE ON SCHEMA public TO governor_app", cancellation);
        return password;
    }

    private static async Task RunAsync(NpgsqlDataSource source, string statement, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    private static ServiceProvider Connect(LandscapeOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        services.AddSingleton(TimeProvider.System);
        services.AddKubernetes(kubernetes =>
        {
            kubernetes.ManagementName = options.Management;
            kubernetes.ManagementKubeconfig = Path.Combine(options.Folder, $"{options.Management}.kubeconfig");
        });
        return services.BuildServiceProvider();
    }

    private async Task WaitReadyAsync(CancellationToken cancellation)
    {
        var report = "";
        for (var attempt = 0; attempt < 600 && !Silo.HasExited; attempt++)
        {
            using var answer = await Api.GetAsync(new Uri("/readyz", UriKind.Relative), cancellation);
            if (answer.IsSuccessStatusCode)
                return;
            report = await answer.Content.ReadAsStringAsync(cancellation);
            await Task.Delay(100, cancellation);
        }
        throw new InvalidOperationException($"the silo did not become ready:\n{report}\n{Silo.Tail}");
    }
}
