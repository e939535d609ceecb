namespace Orleans
{
    /// <summary>Something that starts and stops with its subject.</summary>
    public interface ILifecycleObserver
    {
        Task OnStart(CancellationToken cancellationToken = default);

        Task OnStop(CancellationToken cancellationToken = default);
    }

    /// <summary>A subject with stages; lower stages start first and stop last.</summary>
    public interface ILifecycleObservable
    {
        IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer);
    }
}

namespace Orleans.Runtime
{
    /// <summary>The lifecycle of an activation.</summary>
    public interface IGrainLifecycle : ILifecycleObservable;

    /// <summary>The stages of an activation's lifecycle.</summary>
    public static class GrainLifecycleStage
    {
        public const int First = int.MinValue;
        public const int SetupState = 1000;
        public const int Activate = 2000;
        public const int Last = int.MaxValue;
    }
}
