using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime.Hosting;
using Orleans.Storage;

namespace Governor.Host.Tests.Fixture;

/// <summary>
/// One silo in this process, on whichever actor host the tests were built for. Reminders and the storages <c>Default</c> and
/// <c>Other</c> are kept by this object, so they survive <see cref="RestartAsync"/>.
/// </summary>
public sealed class GrainHost : IAsyncDisposable
{
    private readonly Action<ISiloBuilder> configure;
    private SiloProcess silo;

    private GrainHost(Action<ISiloBuilder> configure, SiloProcess silo)
    {
        this.configure = configure;
        this.silo = silo;
    }

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    public IServiceProvider Services => silo.Services;

    /// <param name="configure">What the test adds: services, options, filters. It is applied again at every restart.</param>
    public static async Task<GrainHost> StartAsync(Action<ISiloBuilder>? configure = null)
    {
        var reminders = new DurableReminders();
        var storages = new Dictionary<string, DurableStorage> { ["Default"] = new(), ["Other"] = new() };
        void ConfigureAll(ISiloBuilder builder)
        {
            builder.AddReminders();
            builder.Services.AddSingleton<IReminderTable>(reminders);
            foreach (var (name, storage) in storages)
                builder.Services.AddGrainStorage(name, (_, _) => storage);
            configure?.Invoke(builder);
        }

        return new(ConfigureAll, await SiloProcess.StartAsync(ConfigureAll));
    }

    /// <summary>Stops the silo as a host would, and starts another one on the same tables.</summary>
    public async Task RestartAsync()
    {
        await silo.DisposeAsync();
        silo = await SiloProcess.StartAsync(configure);
    }

    public ValueTask DisposeAsync() => silo.DisposeAsync();
}
