using System.Diagnostics.Metrics;
using Governor.Embedded.Runtime.Activations;
using Governor.Embedded.Runtime.Calls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Hosting;

/// <summary>The parts of the one silo of this process, and how far it is in its life.</summary>
internal sealed class Silo : IDisposable
{
    private readonly PendingCalls pending;
    private ITimer? collector;
    private volatile Phase phase;

    public Silo(IServiceProvider services)
    {
        Services = services;
        Clock = services.GetRequiredService<TimeProvider>();
        Logger = services.GetRequiredService<ILogger<Silo>>();
        Collection = services.GetRequiredService<IOptions<GrainCollectionOptions>>().Value;
        var messaging = services.GetRequiredService<IOptions<SiloMessagingOptions>>().Value;
        Classes = new(Collection);
        References = new(this);
        Activations = new(this);
        GrainFactory = new GrainFactory(this);
        MostEnqueued = messaging.MaxEnqueuedRequestsHardLimit;
        var meter = services.GetRequiredService<IMeterFactory>().Create("Microsoft.Orleans");
        meter.CreateObservableGauge("orleans-catalog-activations", () => Activations.Count);
        pending = new(Clock, messaging.ResponseTimeout, meter.CreateCounter<long>("orleans-app-requests-timedout"));
        IncomingFilters = [.. services.GetServices<IIncomingGrainCallFilter>()];
        Calls = new(this, pending, [.. services.GetServices<IOutgoingGrainCallFilter>()], messaging.CancelRequestOnTimeout);
    }

    private enum Phase
    {
        Created,
        Running,
        Draining,
        Stopped,
    }

    public IServiceProvider Services { get; }

    public TimeProvider Clock { get; }

    public ILogger Logger { get; }

    public GrainCollectionOptions Collection { get; }

    public GrainClasses Classes { get; }

    public ReferenceFactory References { get; }

    public ActivationDirectory Activations { get; }

    public IClusterClient GrainFactory { get; }

    public CallRouter Calls { get; }

    public IIncomingGrainCallFilter[] IncomingFilters { get; }

    /// <summary>How many requests one activation may have; 0 for any number.</summary>
    public int MostEnqueued { get; }

    public bool IsStopped => phase == Phase.Stopped;

    /// <summary>Whether a call may begin: any while running, those of grains while draining.</summary>
    public bool Accepts(Activation? source) => phase == Phase.Running || (phase == Phase.Draining && source is not null);

    public void Start()
    {
        phase = Phase.Running;
        collector = Clock.CreateTimer(
            static state => ((Silo)state!).Activations.CollectIdle(), this, Collection.CollectionQuantum, Collection.CollectionQuantum);
    }

    /// <summary>Refuses new requests, lets the running ones finish, ends every activation.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        phase = Phase.Draining;
        if (collector is not null)
            await collector.DisposeAsync();
        await Activations.EndAllAsync(new(DeactivationReasonCode.ShuttingDown, "The silo is stopping."), cancellationToken);
    }

    public void Stop()
    {
        phase = Phase.Stopped;
        pending.FailAll(call => new SiloUnavailableException($"The silo has stopped. {call}"));
    }

    public void Dispose()
    {
        Stop();
        pending.Dispose();
        collector?.Dispose();
    }
}
