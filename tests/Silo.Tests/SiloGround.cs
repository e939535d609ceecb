using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Governor.Manifests;
using Governor.Sandbox;
using Governor.Silo.Hosting;
using Governor.Watchers;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")] // file modes, and a PostgreSQL of our own

namespace Governor.Silo.Tests;

/// <summary>PostgreSQL for all tests of this assembly.</summary>
public sealed class SiloGround : IAsyncLifetime
{
    private static int s_last;

    private PostgresServer _postgres = null!;

    public DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("governor-silo-");

    public async Task InitializeAsync()
    {
        // PostgreSQL runs as another user when the tests run as root.
        File.SetUnixFileMode(Folder.FullName, (UnixFileMode)0b111_101_101);
        _postgres = await PostgresServer.StartAsync(Path.Combine(Folder.FullName, "pg"), new Dictionary<string, string> { ["fsync"] = "off" });
    }

    public async Task DisposeAsync()
    {
        await _postgres.DisposeAsync();
        Folder.Delete(recursive: true);
    }

    public async Task<string> DatabaseAsync()
    {
        var name = $"s{Interlocked.Increment(ref s_last)}";
        await using var connection = new NpgsqlConnection(_postgres.ConnectionString());
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync();
        return _postgres.ConnectionString(name);
    }
}

[CollectionDefinition(nameof(SiloGround))]
public sealed class OnSiloGround : ICollectionFixture<SiloGround>;

/// <summary>A management cluster behind a socket, a database, and the whole silo in this process.</summary>
public sealed class SiloBed : IAsyncDisposable
{
    public const string ManagementName = "ccs-mgmt";

    private readonly string _folder;
    private readonly ServiceProvider _kubernetes;

    private SiloBed(string connectionString, string folder, SandboxCluster management)
    {
        (ConnectionString, _folder, Management) = (connectionString, folder, management);
        var services = new ServiceCollection();
        services.AddKubernetes(options =>
        {
            options.ManagementName = ManagementName;
            options.ManagementKubeconfig = Path.Combine(folder, "kubeconfig");
        });
        _kubernetes = services.BuildServiceProvider();
    }

    public string ConnectionString { get; }

    public SandboxCluster Management { get; }

    public WebApplication App { get; private set; } = null!;

    public Uri Url => new(App.Urls.First());

    /// <param name="settings">Further settings of every silo of this bed, as on the command line.</param>
    public static async Task<SiloBed> StartAsync(SiloGround ground, params string[] settings)
    {
        var connectionString = await ground.DatabaseAsync();
        var folder = ground.Folder.CreateSubdirectory($"bed-{Guid.NewGuid():n}").FullName;
        var management = await SandboxCluster.StartAsync(new SandboxOptions(ManagementName));
        await File.WriteAllTextAsync(Path.Combine(folder, "kubeconfig"), management.Kubeconfig);
        var bed = new SiloBed(connectionString, folder, management) { Settings = settings };
        foreach (var definition in CrdGenerator.Objects(SiloAccess.All.Select(row => row.Kind)))
            await bed.ApplyAsync(definition);
        await management.IdleAsync(); // a definition is served when it is established
        foreach (var name in (string[])["seam-system", "ont-system", "seam-tenant-ccs-dev"])
            await bed.ApplyAsync($$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}" } }""");
        // The silo has no more rights than an installation gives it: what it does beyond them fails here too.
        foreach (var item in ManifestReader.Read(await File.ReadAllTextAsync(RoleFile()), "silo.yaml"))
            await bed.ApplyAsync(item);
        await bed.ApplyAsync("""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"governor-silo"},"subjects":[{"kind":"User","name":"governor","apiGroup":"rbac.authorization.k8s.io"}],
            "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"governor-silo"} }
            """);
        await bed.ApplyAsync("""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"governor-webhook-ca","namespace":"seam-system"},
            "subjects":[{"kind":"User","name":"governor","apiGroup":"rbac.authorization.k8s.io"}],
            "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"governor-webhook-ca"} }
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "silo.kubeconfig"), management.KubeconfigFor("governor", "system:authenticated"));
        await bed.StartSiloAsync();
        return bed;
    }

    internal static string RoleFile()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Governor.sln")))
                return Path.Combine(folder.FullName, "deploy", "rbac", "silo.yaml");
        throw new InvalidOperationException($"expected Governor.sln above {AppContext.BaseDirectory}, found none");
    }

    public string[] Settings { get; init; } = [];

    public async Task StartSiloAsync()
    {
        App = Build();
        await App.StartAsync();
    }

    /// <summary>A silo of this bed, not started. Later settings win.</summary>
    public WebApplication Build(params string[] settings) => GovernorSilo.Build(
        [
            $"--Governor:Silo:ManagementCluster={ManagementName}",
            "--Governor:Silo:Urls=http://127.0.0.1:0",
            $"--Governor:Orleans:SiloPort={FreePort.Next()}",
            $"--Governor:Orleans:GatewayPort={FreePort.Next()}",
            $"--Governor:Kubernetes:ManagementKubeconfig={Path.Combine(_folder, "silo.kubeconfig")}",
            "--Governor:Kubernetes:MinBackoff=00:00:00.05",
            "--Governor:Kubernetes:MaxBackoff=00:00:00.5",
            $"--Governor:Journal:ConnectionString={ConnectionString}",
            "--Governor:Journal:Origin=governor.test/silo",
            $"--Governor:Journal:LogKeyFile={Path.Combine(_folder, "log.key")}",
            "--Logging:LogLevel:Default=None",
            .. Settings,
            .. settings,
        ]);

    public async Task StopSiloAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
    }

    /// <summary>A client that says who it is, or not.</summary>
    public HttpClient Client(string? token)
    {
        var client = new HttpClient { BaseAddress = Url };
        if (token is not null)
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    public HttpClient Admin() => Client(Management.AdminToken);

    /// <summary>Asks until the answer is as expected, one request at a time, for at most 90 seconds.</summary>
    public static async Task<string> UntilAsync(HttpClient client, string path, HttpStatusCode status, Func<string, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var (found, text) = (default(HttpStatusCode), "");
        while (!patience.IsCancellationRequested)
        {
            using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
            (found, text) = (answer.StatusCode, await answer.Content.ReadAsStringAsync());
            if (found == status && holds(text))
                return text;
        }
        throw new TimeoutException($"waited for {status} of {path}; last seen: {found} {text}");
    }

    public Task ReadyAsync() => UntilAsync(Client(null), "/readyz", HttpStatusCode.OK, _ => true);

    public Task ApplyAsync(string json) => ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(json)));

    public Task ApplyAsync(KubeObject item) =>
        _kubernetes.GetRequiredService<IClusters>().Management.ApplyAsync(item, "human", default, CancellationToken.None);

    /// <summary>Watches one object of the management cluster until it is as it should be.</summary>
    public async Task SeeAsync(GroupVersionKind kind, ObjectKey key, Func<KubeObject, bool> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var last = "nothing";
        try
        {
            await foreach (var seen in _kubernetes.GetRequiredService<IClusters>().Management.WatchAsync(new WatchRequest(kind, key.Namespace, key.Name), patience.Token))
            {
                last = seen.Object?.Root.ToString() ?? last;
                if (seen is { Type: WatchEventType.Present, Object: { } now } && holds(now))
                    return;
            }
        }
        catch (OperationCanceledException)
        {
            // said below
        }
        throw new TimeoutException($"waited for {kind.Kind} {key}; last seen: {last}");
    }

    /// <summary>The management cluster as a human uses it.</summary>
    public ICluster Human => _kubernetes.GetRequiredService<IClusters>().Management;

    /// <summary>Another cluster as a human uses it.</summary>
    public ICluster HumanOn(string name, SandboxCluster cluster) =>
        _kubernetes.GetRequiredService<IClusters>().Connect(new ClusterName(name), Encoding.UTF8.GetBytes(cluster.Kubeconfig));

    public async ValueTask DisposeAsync()
    {
        await StopSiloAsync();
        await _kubernetes.DisposeAsync();
        await Management.DisposeAsync();
    }
}
