using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Governor.Registry;

public static class PackSourceRegistration
{
    /// <summary>Adds <see cref="IPackSource"/>, <see cref="OciClient"/> and <see cref="PackPublisher"/>; the options are validated at start.</summary>
    public static IServiceCollection AddPackSource(this IServiceCollection services, Action<RegistryOptions> configure)
    {
        services.AddOptions<RegistryOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RegistryOptions>, RegistryOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(s => new OciClient(
            s.GetRequiredService<IOptions<RegistryOptions>>().Value, s.GetRequiredService<TimeProvider>(), s.GetService<ILogger<OciClient>>()));
        services.TryAddSingleton<IPackSource>(s => new OciPackSource(
            s.GetRequiredService<OciClient>(), s.GetRequiredService<IOptions<RegistryOptions>>().Value));
        services.TryAddSingleton<PackPublisher>();
        return services;
    }
}
