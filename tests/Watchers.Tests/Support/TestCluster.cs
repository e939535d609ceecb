using System.Diagnostics.Metrics;
using System.Text;
using Governor.Domain.Clusters;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Governor.Watchers.Tests.Support;

/// <summary>A cluster connection as the silo makes it, to a server that the test plays, under a clock that the test moves.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    /// <summary>Told apart from every other wait by its length.</summary>
    public static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(25);

    private readonly ServiceProvider _services;

    private TestCluster(ServiceProvider services, FakeApiServer server, ManualTime time)
    {
        (_services, Server, Time) = (services, server, time);
        Cluster = Connect(Kubeconfigs.WithToken(server.Url));
    }

    public FakeApiServer Server { get; }
    public ManualTime Time { get; }
    public ICluster Cluster { get; }
    public Clusters Clusters => _services.GetRequiredService<Clusters>();
    public KubernetesOptions Options => _services.GetRequiredService<IOptions<KubernetesOptions>>().Value;

    public bool IsFrom(IMeterFactory factory) => factory == _services.GetRequiredService<IMeterFactory>();

    public static async Task<TestCluster> StartAsync(Action<KubernetesOptions>? configure = null, FakeApiServer? server = null)
    {
        var time = new ManualTime();
        return new TestCluster(Services(time, configure), (server ?? await FakeApiServer.StartAsync()).ServesWidgets(), time);
    }

    public static ServiceProvider Services(TimeProvider time, Action<KubernetesOptions>? configure = null) => new ServiceCollection()
        .AddSingleton(time)
        .AddKubernetes(options =>
        {
            options.AllowInsecure = true;
            options.ManagementKubeconfig = "unused";
            options.RequestTimeout = RequestTimeout;
            configure?.Invoke(options);
        })
        .BuildServiceProvider();

    public ICluster Connect(string kubeconfig) => Clusters.Connect(new ClusterName("dev"), Encoding.UTF8.GetBytes(kubeconfig));

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await Server.DisposeAsync();
    }
}
