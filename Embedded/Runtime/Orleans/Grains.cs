using Orleans.Runtime;

namespace Orleans;

/// <summary>The root of all grain interfaces.</summary>
public interface IGrain : IAddressable;

/// <summary>A grain whose key is a string.</summary>
public interface IGrainWithStringKey : IGrain;

/// <summary>What every grain class is: a context and two lifecycle callbacks.</summary>
public interface IGrainBase
{
    IGrainContext GrainContext { get; }

    Task OnActivateAsync(CancellationToken token) => Task.CompletedTask;

    Task OnDeactivateAsync(DeactivationReason reason, CancellationToken token) => Task.CompletedTask;
}

/// <summary>The base class of grains.</summary>
/// <remarks>
/// One activation exists per key. Its code runs in turns, one thread at a time; while a request awaits, other requests wait for it
/// unless an attribute in <c>Orleans.Concurrency</c> says otherwise. Arguments and results cross a call of the embedded host
/// <b>by reference</b> (Orleans copies them): messages must be immutable, or the two hosts differ.
/// </remarks>
public abstract class Grain : IGrainBase, IAddressable
{
    protected Grain()
    {
        GrainContext = RuntimeContext.Current
            ?? throw new InvalidOperationException($"{GetType().FullName} was constructed outside the actor host; ask IGrainFactory for a reference.");
    }

    protected Grain(IGrainContext grainContext)
    {
        ArgumentNullException.ThrowIfNull(grainContext);
        GrainContext = grainContext;
    }

    public IGrainContext GrainContext { get; }

    public GrainReference GrainReference => GrainContext.GrainReference;

    public string IdentityString => GrainContext.GrainId.ToString();

    protected IGrainFactory GrainFactory => Activation.Silo.GrainFactory;

    protected internal IServiceProvider ServiceProvider => GrainContext.ActivationServices;

    private Governor.Embedded.Runtime.Activations.Activation Activation => Governor.Embedded.Runtime.Activations.Activation.Of(GrainContext);

    /// <summary>Called in the activation's first turn, after persistent states were read and before any request.</summary>
    /// <param name="cancellationToken">Cancelled when <c>GrainCollectionOptions.ActivationTimeout</c> has passed.</param>
    public virtual Task OnActivateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Called once in the activation's last turn, when no request and no timer is running.</summary>
    public virtual Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends this activation when its running requests have finished; the next request makes a new one.</summary>
    protected void DeactivateOnIdle() => GrainBaseExtensions.DeactivateOnIdle(this);

    /// <summary>Keeps this activation from idle collection for at least <paramref name="timeSpan"/>; negative takes that back.</summary>
    protected void DelayDeactivation(TimeSpan timeSpan) => Activation.DelayDeactivation(timeSpan);
}
