using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Governor.Watchers;
using Governor.Watchers.Client;
using Governor.Watchers.Kubeconfig;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Governor.Client.Tests.Support;

/// <summary>
/// The API server under test: the one whose kubeconfig the environment names, or else a sandbox. What the tests make there has the name
/// and the label of this run, and is taken away at the end, whatever happened in between.
/// </summary>
public sealed class Target : IAsyncLifetime
{
    /// <summary>A kubeconfig of somebody who may do everything; none for the sandbox.</summary>
    public const string KubeconfigVariable = "GOVERNOR_CONFORMANCE_KUBECONFIG";

    /// <summary>The context to take from it; none for its current one.</summary>
    public const string ContextVariable = "GOVERNOR_CONFORMANCE_CONTEXT";

    /// <summary>"true" accepts a server whose certificate is not verified.</summary>
    public const string InsecureVariable = "GOVERNOR_CONFORMANCE_INSECURE";

    /// <summary>On everything that a run has made.</summary>
    public const string RunLabel = "conformance.governor.dev/run";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly char[] Alphabet = "abcdefghijklmnopqrstuvwxyz".ToCharArray();

    private ServiceProvider? _services;
    private SandboxCluster? _sandbox;
    private string? _folder;
    private readonly Func<SandboxCluster, string>? _kubeconfig;
    private int _names;
    private bool _hasMade;

    public Target()
    {
    }

    /// <summary>A sandbox behind something of the test's own, whatever the environment names.</summary>
    /// <param name="kubeconfig">Leads there.</param>
    internal Target(Func<SandboxCluster, string> kubeconfig) => _kubeconfig = kubeconfig;

    /// <summary>Six letters of this run alone.</summary>
    public string Run { get; } = new(RandomNumberGenerator.GetItems<char>(Alphabet, 6));

    public string Namespace => $"governor-conformance-{Run}";
    public string Group => $"{Run}.conformance.governor.dev";
    public GroupVersionKind Gear => new(Group, "v1", "Gear");
    public GroupVersionKind Axle => new(Group, "v1", "Axle");

    public string Gears => $"apis/{Group}/v1/namespaces/{Namespace}/gears";
    public string Axles => $"apis/{Group}/v1/axles";
    public string ConfigMaps => $"api/v1/namespaces/{Namespace}/configmaps";
    public const string CustomResourceDefinitions = "apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    public const string ValidatingWebhooks = "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

    /// <summary>The product's client.</summary>
    public ICluster Cluster { get; private set; } = null!;

    internal Wire Wire { get; private set; } = null!;

    /// <summary>A name that nothing has yet.</summary>
    public string NewName(string prefix = "t") => $"{prefix}-{Interlocked.Increment(ref _names)}";

    public ObjectKey Key(string name) => new(Namespace, name);

    /// <param name="spec">The members of the spec.</param>
    /// <param name="metadata">Further members of the metadata.</param>
    public string GearJson(string name, string spec = "\"size\":3", string metadata = "", string more = "") =>
        $$"""{"apiVersion":"{{Group}}/v1","kind":"Gear","metadata":{"name":"{{name}}"{{(metadata.Length > 0 ? "," + metadata : "")}}},"spec":{{{spec}}}{{more}}}""";

    public KubeObject GearObject(string name, string spec = "\"size\":3") =>
        KubeObject.Parse(Encoding.UTF8.GetBytes(GearJson(name, spec, $"\"namespace\":\"{Namespace}\"")));

    public static string ConfigMapJson(string name, string data = "\"k\":\"v\"", string metadata = "") =>
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{name}}}"{{{(metadata.Length > 0 ? "," + metadata : "")}}}},"data":{{{{data}}}}}""";

    /// <summary>Makes a Gear, which has to succeed.</summary>
    public async Task<Answer> MakeAsync(string name, string spec = "\"size\":3", string metadata = "")
    {
        var made = await Wire.PostAsync(Gears, GearJson(name, spec, metadata));
        Assert.True(made.Code == 201, made.ToString());
        return made;
    }

    /// <summary>Installs a definition and waits until its kind is served.</summary>
    public async Task InstallAsync(JsonObject definition)
    {
        var made = await Wire.PostAsync(CustomResourceDefinitions, definition.ToJsonString());
        Assert.True(made.Code == 201, made.ToString());
        await ServedAsync(new GroupVersionKind(Group, "v1", definition["spec"]!["names"]!["kind"]!.GetValue<string>()));
    }

    /// <summary>
    /// The components of a server learn of each other's writes through their own watches: all that an outsider can wait for is the
    /// answer itself. Asks a few times at once, and then once a second.
    /// </summary>
    public async Task EventuallyAsync(string what, Func<Task<bool>> holds, TimeSpan? patience = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var attempt = 0; !await holds(); attempt++)
        {
            if (TimeProvider.System.GetElapsedTime(started) > (patience ?? Patience))
                throw new TimeoutException($"waited {patience ?? Patience} in vain until {what}");
            if (attempt >= 5)
                await PaceAsync();
        }
    }

    /// <summary>The same server, asked with a bearer token and with nothing else that says who asks.</summary>
    internal Wire As(string token)
    {
        var options = _services!.GetRequiredService<IOptions<KubernetesOptions>>().Value;
        var endpoint = ReadEndpoint(options) with { Certificate = null, Credential = new FixedToken(token) };
        var cluster = new Cluster(
            new ClusterName("as-somebody-else"), endpoint, options, _services!.GetRequiredService<KubernetesMetrics>(), TimeProvider.System, NullLogger.Instance);
        return new Wire(cluster.Session);
    }

    public async Task InitializeAsync()
    {
        var kubeconfig = _kubeconfig is null && Environment.GetEnvironmentVariable(KubeconfigVariable) is { Length: > 0 } named ? named : await StartSandboxAsync();
        _services = new ServiceCollection()
            .AddKubernetes(options =>
            {
                options.ManagementName = "under-test";
                options.ManagementKubeconfig = kubeconfig;
                options.ManagementContext = _kubeconfig is null && Environment.GetEnvironmentVariable(ContextVariable) is { Length: > 0 } context ? context : null;
                options.AllowInsecure = _kubeconfig is not null || Environment.GetEnvironmentVariable(InsecureVariable) == "true";
                (options.MinBackoff, options.MaxBackoff) = (TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(1));
                options.PageSize = 5;
                options.UserAgent = "governor-conformance";
            })
            .BuildServiceProvider();
        Cluster = _services.GetRequiredService<IClusters>().Management;
        Wire = new Wire(((Cluster)Cluster).Session);
        await Cluster.ProbeAsync(default);
        _hasMade = true;
        try
        {
            await PrepareAsync();
        }
        catch
        {
            await TakeAwayAsync(); // what there is already
            throw;
        }
    }

    private async Task PrepareAsync()
    {
        var space = await Wire.PostAsync("api/v1/namespaces", $$$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{{{Namespace}}}}","labels":{"{{{{RunLabel}}}}":"{{{{Run}}}}"}}}""");
        Assert.True(space.Code == 201, space.ToString());
        await InstallAsync(Definitions.Gear(Group, Run));
        await InstallAsync(Definitions.Axle(Group, Run));
    }

    public async Task DisposeAsync()
    {
        try
        {
            await TakeAwayAsync();
        }
        finally
        {
            if (_services is not null)
                await _services.DisposeAsync();
            if (_sandbox is not null)
                await _sandbox.DisposeAsync();
            if (_folder is not null)
                Directory.Delete(_folder, recursive: true);
        }
    }

    private async Task TakeAwayAsync()
    {
        if (!_hasMade)
            return;
        _hasMade = false;
        await new Cleanup(this).RunAsync();
    }

    private async Task<string> StartSandboxAsync()
    {
        _sandbox = await SandboxCluster.StartAsync(new SandboxOptions("conformance", Tls: _kubeconfig is null));
        _folder = Directory.CreateTempSubdirectory().FullName;
        var file = Path.Combine(_folder, "kubeconfig");
        await File.WriteAllTextAsync(file, _kubeconfig?.Invoke(_sandbox) ?? _sandbox.Kubeconfig);
        return file;
    }

    private static ClusterEndpoint ReadEndpoint(KubernetesOptions options)
    {
        var paths = options.ManagementKubeconfig!.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return new KubeconfigReader(options, TimeProvider.System).Read(
            [.. paths.Select(path => ((ReadOnlyMemory<byte>)File.ReadAllBytes(path), (KubeconfigSource)new KubeconfigSource.OperatorFile(path)))], options.ManagementContext);
    }

    /// <summary>Waits until the product's own watch says that it has seen everything there is of a kind.</summary>
    private async Task ServedAsync(GroupVersionKind kind)
    {
        using var enough = new CancellationTokenSource(Patience);
        await foreach (var next in Cluster.WatchAsync(new WatchRequest(kind), enough.Token))
            if (next.Type == WatchEventType.Synced)
                return;
    }

    /// <summary>Has the server let a second pass: it ends a watch on which nothing can happen.</summary>
    private async Task PaceAsync()
    {
        using var watch = await Wire.WatchAsync("api/v1/namespaces?fieldSelector=metadata.name%3Dgovernor-conformance-never-there&timeoutSeconds=1");
        await watch.NextAsync();
    }
}

/// <summary>All tests share one server, and what they made there.</summary>
[CollectionDefinition(Name)]
public sealed class Server : ICollectionFixture<Target>
{
    public const string Name = "server";
}
