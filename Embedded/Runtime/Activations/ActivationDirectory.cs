using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Governor.Embedded.Runtime.Hosting;
using Orleans;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Activations;

/// <summary>The one activation of every grain that is in memory.</summary>
internal sealed class ActivationDirectory(Silo silo)
{
    private readonly ConcurrentDictionary<GrainId, Activation> activations = new();

    public int Count => activations.Count;

    public bool TryGetOrCreate(GrainReference reference, [NotNullWhen(true)] out Activation? activation, [NotNullWhen(false)] out Exception? refusal)
    {
        refusal = null;
        if (activations.TryGetValue(reference.GrainId, out activation))
            return true;
        if (silo.IsStopped)
        {
            refusal = new SiloUnavailableException($"The silo has stopped; {reference.GrainId} cannot be activated.");
            return false;
        }

        if (!silo.Classes.TryGet(reference.GrainId.Type, out var @class))
        {
            refusal = new ArgumentException($"No grain class has the grain type '{reference.GrainId.Type}' of {reference.GrainId}.");
            return false;
        }

        // Losing a race to add costs an object that nobody has seen; what counts is that one wins.
        activation = activations.GetOrAdd(reference.GrainId, static (id, made) => new(made.silo, made.@class, id), (silo, @class));
        return true;
    }

    public void Remove(Activation activation) => activations.TryRemove(new(activation.GrainId, activation));

    public void CollectIdle()
    {
        var now = silo.Clock.GetTimestamp();
        foreach (var (_, activation) in activations)
            activation.CollectWhenIdle(now);
    }

    /// <summary>A few of the grains in memory, for messages.</summary>
    public override string ToString() => string.Join(", ", activations.Keys.Take(10));

    /// <summary>Ends every activation; activations that requests still under way make meanwhile are ended too.</summary>
    public async Task EndAllAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        while (!activations.IsEmpty)
        {
            var all = activations.Values.ToArray();
            foreach (var activation in all)
                activation.Deactivate(reason, cancellationToken);
            await Task.WhenAll(all.Select(activation => activation.Deactivated)).WaitAsync(cancellationToken);
        }
    }
}
