using Orleans.Configuration;
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
        builder.Options.InitializeClientOnDeploy = false; // the tests call from within
        builder.ConfigureSilo((_, silo) =>
        {
            // One silo finds its grains without: room for a million of them is megabytes for each silo of a test.
            silo.Configure<GrainDirectoryOptions>(directory => directory.CacheSize = 1_000);
            configure(silo);
        });
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
