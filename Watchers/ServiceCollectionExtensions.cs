using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Governor.Watchers.Issuers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Governor.Watchers;

public static class ServiceCollectionExtensions
{
    /// <summary>Registers <see cref="IIssuers"/>, and <see cref="IClusters"/>, which finds kinds under the aliases of the registered <see cref="KindTable"/> too. Invalid options stop the host at start, with everything that is wrong in one message.</summary>
    public static IServiceCollection AddKubernetes(this IServiceCollection services, Action<KubernetesOptions> configure)
    {
        services.AddOptions<KubernetesOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<KubernetesOptions>, KubernetesOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton<KubernetesMetrics>();
        services.TryAddSingleton<Clusters>();
        services.TryAddSingleton<IClusters>(provider => provider.GetService<KindTable>() is { ActiveAliasSets.IsEmpty: false } kinds
            ? new AliasedClusters(provider.GetRequiredService<Clusters>(), kinds, provider.GetRequiredService<ILogger<Clusters>>())
            : provider.GetRequiredService<Clusters>());
        services.TryAddSingleton<IIssuers, OidcIssuers>();
        return services;
    }
}
