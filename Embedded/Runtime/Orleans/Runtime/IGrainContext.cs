using Governor.Embedded.Runtime.Activations;

namespace Orleans.Runtime;

/// <summary>The root of everything that can be addressed.</summary>
public interface IAddressable;

/// <summary>One activation of a grain, as the grain and its filters see it.</summary>
public interface IGrainContext : IEquatable<IGrainContext>
{
    GrainId GrainId { get; }

    object? GrainInstance { get; }

    GrainReference GrainReference { get; }

    /// <summary>The activation's own service scope; it ends with the activation.</summary>
    IServiceProvider ActivationServices { get; }

    IGrainLifecycle ObservableLifecycle { get; }

    /// <summary>Completes when the activation has ended.</summary>
    Task Deactivated { get; }

    /// <summary>Ends the activation when its running requests have finished. Returns at once; <see cref="Deactivated"/> tells when.</summary>
    void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);
}

/// <summary>The activation whose turn the current thread is running.</summary>
public interface IGrainContextAccessor
{
    IGrainContext GrainContext { get; }
}

internal static class RuntimeContext
{
    [ThreadStatic]
    private static Activation? current;

    public static Activation? Current
    {
        get => current;
        set => current = value;
    }
}
