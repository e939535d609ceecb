using Orleans;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Activations;

/// <summary>What starts and stops with one activation; made only when something subscribes.</summary>
internal sealed class ActivationLifecycle : IGrainLifecycle
{
    private readonly List<Subscription> subscriptions = new(1);

    public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
    {
        var subscription = new Subscription(this, stage, observer);
        subscriptions.Add(subscription);
        return subscription;
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var stage in subscriptions.GroupBy(subscription => subscription.Stage).OrderBy(stage => stage.Key).ToArray())
            await Task.WhenAll(stage.Select(subscription => subscription.Observer.OnStart(cancellationToken)));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var stage in subscriptions.GroupBy(subscription => subscription.Stage).OrderByDescending(stage => stage.Key).ToArray())
            await Task.WhenAll(stage.Select(subscription => subscription.Observer.OnStop(cancellationToken)));
    }

    private sealed record Subscription(ActivationLifecycle Lifecycle, int Stage, ILifecycleObserver Observer) : IDisposable
    {
        public void Dispose() => Lifecycle.subscriptions.Remove(this);
    }
}
