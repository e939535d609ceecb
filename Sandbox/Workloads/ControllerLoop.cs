using Governor.Sandbox.Api;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Workloads;

/// <summary>A controller: reacts to one change at a time, by writes through the same path as everybody's.</summary>
internal interface IController
{
    Task ReactAsync(Change change);
}

/// <summary>Hands every change to every controller, in order, on one task.</summary>
internal sealed class ControllerLoop : IAsyncDisposable
{
    private readonly ClusterCore _core;
    private readonly IController[] _controllers;
    private readonly WorkloadController _workloads;
    private readonly Lock _gate = new();
    private readonly List<(long Count, TaskCompletionSource Done)> _waiting = [];
    private long _handled;
    private Exception? _broken;
    private Task _run = Task.CompletedTask;

    public ControllerLoop(ClusterCore core)
    {
        _core = core;
        _workloads = new WorkloadController(core);
        _controllers = [new DefinitionController(core), new NamespaceController(core), new GarbageCollector(core), new RoleAggregation(core), _workloads];
    }

    public WorkloadBehaviour Behaviour
    {
        get => _workloads.Behaviour;
        set
        {
            _workloads.Behaviour = value;
            _core.Store.Nudge();
        }
    }

    public void Start() => _run = Task.Run(RunAsync);

    /// <summary>Completes when every change so far, and every change that these caused, was handled.</summary>
    public async Task IdleAsync(CancellationToken ct)
    {
        while (Volatile.Read(ref _handled) < _core.Store.ChangeCount)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                if (_broken is not null)
                    throw new InvalidOperationException("a controller of the sandbox has failed", _broken);
                if (_handled >= _core.Store.ChangeCount)
                    return;
                _waiting.Add((_core.Store.ChangeCount, done));
            }
            await done.Task.WaitAsync(ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _core.Store.Close();
        await _run;
    }

    private async Task RunAsync()
    {
        try
        {
            await foreach (var change in _core.Store.Changes.ReadAllAsync())
            {
                if (change is null)
                    await _workloads.ReviewAsync();
                else
                    foreach (var controller in _controllers)
                        await ReactAsync(controller, change);
                Handled();
            }
        }
        catch (Exception e)
        {
            Broken(e);
            throw;
        }
    }

    /// <summary>A bug in a controller: everybody who waits for the controllers is told.</summary>
    private void Broken(Exception e)
    {
        lock (_gate)
        {
            _broken = e;
            foreach (var (_, done) in _waiting)
                done.TrySetException(e);
        }
    }

    private static async Task ReactAsync(IController controller, Change change)
    {
        try
        {
            await controller.ReactAsync(change);
        }
        catch (ApiException)
        {
            // The object changed or went meanwhile; the change that did it is in the queue and will be reacted to.
        }
    }

    private void Handled()
    {
        lock (_gate)
        {
            _handled++;
            for (var i = _waiting.Count - 1; i >= 0; i--)
                if (_waiting[i].Count <= _handled)
                {
                    _waiting[i].Done.TrySetResult();
                    _waiting.RemoveAt(i);
                }
        }
    }
}
