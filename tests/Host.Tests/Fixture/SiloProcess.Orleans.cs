using Orleans.Hosting;
using Orleans.TestingHost;

namespace Governor.Host.Tests.Fixture;

/// <summary>A silo on Orleans, in its test cluster.</summary>
internal sealed class SiloProcess(InProcessTestCluster cluster) : IAsyncDisposable
{
    public IServiceProvider Services => cluster.GetSiloServiceProvider();

    public static async Task<SiloProcess> StartAsync(Action<ISiloBuilder> configure)
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => configure(silo));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new(cluster);
    }

    public async ValueTask DisposeAsync()
    {
        await cluster.StopAllSilosAsync();
        await cluster.DisposeAsync();
    }
}
