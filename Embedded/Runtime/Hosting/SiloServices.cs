using System.Net;
using Governor.Embedded.Runtime.Activations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Hosting;

/// <summary>Something that must be ready before the silo serves its first call, and stays until its last.</summary>
internal interface ISiloParticipant
{
    Task StartAsync(CancellationToken cancellationToken);

    Task StopAsync(CancellationToken cancellationToken);
}

/// <summary>What the application runs once the silo serves calls.</summary>
internal sealed record StartupTask(Func<IServiceProvider, CancellationToken, Task> Run);

/// <summary>Marks that reminders take part, however often they are asked for.</summary>
internal sealed class ReminderParticipation;

/// <summary>The services of a silo.</summary>
internal static class SiloServices
{
    public static void Add(IServiceCollection services, IConfiguration configuration, Action<ISiloBuilder> configure)
    {
        if (!services.Any(service => service.ServiceType == typeof(Silo)))
            AddSilo(services);
        configure(new Builder(services, configuration));
    }

    private static void AddSilo(IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.AddOptions<GrainCollectionOptions>()
            .Validate(
                options => options.CollectionQuantum > TimeSpan.Zero && options.CollectionAge > options.CollectionQuantum,
                "GrainCollectionOptions: CollectionAge must be greater than CollectionQuantum, and CollectionQuantum greater than zero.")
            .ValidateOnStart();
        services.AddOptions<SiloMessagingOptions>()
            .Validate(options => options.ResponseTimeout > TimeSpan.Zero, "SiloMessagingOptions: ResponseTimeout must be greater than zero.")
            .ValidateOnStart();
        services.AddOptions<ClusterOptions>();
        services.AddOptions<SiloOptions>();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<Silo>();
        services.AddSingleton(provider => provider.GetRequiredService<Silo>().GrainFactory);
        services.AddSingleton<IGrainFactory>(provider => provider.GetRequiredService<Silo>().GrainFactory);
        services.AddSingleton<ILocalSiloDetails, Details>();
        services.AddSingleton<IGrainContextAccessor, CurrentContext>();
        services.AddHostedService<SiloHostedService>();
    }

    private sealed record Builder(IServiceCollection Services, IConfiguration Configuration) : ISiloBuilder;

    private sealed class CurrentContext : IGrainContextAccessor
    {
        public IGrainContext GrainContext => RuntimeContext.Current!;
    }

    private sealed class Details(IOptions<ClusterOptions> cluster, IOptions<SiloOptions> silo) : ILocalSiloDetails
    {
        public string Name => string.IsNullOrEmpty(silo.Value.SiloName) ? $"Silo_{Environment.ProcessId}" : silo.Value.SiloName;

        public string ClusterId => cluster.Value.ClusterId;

        public string DnsHostName => Dns.GetHostName();
    }
}
