using System.Globalization;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Logging;

namespace Governor.Watchers.Client;

/// <summary>
/// Whether a cluster answers at all. After some connection failures in a row requests fail at once; one request at a time, at growing
/// jittered intervals, is let through to find out whether the cluster is back. Any answer, even an error, says that it is.
/// </summary>
internal sealed partial class FailureState(string cluster, KubernetesOptions options, TimeProvider time, ILogger logger)
{
    private readonly Lock _gate = new();
    private int _failures;
    private bool _open;
    private bool _probing;
    private DateTimeOffset _since;
    private long _pausedAt;
    private TimeSpan _pause;
    private int _opened;
    private string _fault = "";
    private Exception? _cause;
    private TaskCompletionSource _recovered = Completed();

    /// <summary>Requests are sent.</summary>
    public bool IsClosed => !Volatile.Read(ref _open);

    /// <summary>Completes when requests are sent again; complete while they are.</summary>
    public Task Recovered
    {
        get
        {
            lock (_gate)
                return _recovered.Task;
        }
    }

    /// <exception cref="KubernetesException">The cluster is known to be unreachable, and it is not yet time to try again.</exception>
    public void ThrowIfDown()
    {
        if (IsClosed)
            return;
        lock (_gate)
            if (_open && (_probing || !IsDue))
                throw Down();
    }

    /// <summary>Asks to send one request, whose fate must be told with the permit.</summary>
    /// <exception cref="KubernetesException">The cluster is known to be unreachable, and it is not this request's turn to try.</exception>
    public Permit Enter()
    {
        lock (_gate)
        {
            if (!_open)
                return new Permit(false);
            if (_probing || !IsDue)
                throw Down();
            _probing = true;
            return new Permit(true);
        }
    }

    public void Answered(Permit permit)
    {
        TaskCompletionSource? recovered = null;
        lock (_gate)
        {
            if (permit.IsProbe)
                _probing = false;
            _failures = 0;
            if (_open)
            {
                Volatile.Write(ref _open, false);
                recovered = _recovered;
                var away = time.GetUtcNow() - _since;
                LogRecovered(logger, cluster, away);
            }
        }
        recovered?.TrySetResult();
    }

    public void Failed(Permit permit, KubernetesException fault)
    {
        lock (_gate)
        {
            if (permit.IsProbe)
                _probing = false;
            else if (_open)
                return; // sent before the circuit opened: says nothing new
            (_fault, _cause) = (fault.Message, fault);
            _failures++;
            if (_open)
            {
                Pause(_opened++);
            }
            else if (_failures >= options.FailureThreshold)
            {
                Volatile.Write(ref _open, true);
                _recovered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _since = time.GetUtcNow();
                _opened = 1;
                Pause(0);
                LogDown(logger, cluster, _failures, fault.Message);
            }
        }
    }

    /// <summary>The caller gave up before there was an answer or a failure.</summary>
    public void Abandoned(Permit permit)
    {
        if (!permit.IsProbe)
            return;
        lock (_gate)
            _probing = false;
    }

    private bool IsDue => time.GetElapsedTime(_pausedAt) >= _pause;

    private void Pause(int round)
    {
        _pausedAt = time.GetTimestamp();
        _pause = Backoff.Pause(options, round);
    }

    private KubernetesException Down() => new(
        0, "Unreachable", string.Create(CultureInfo.InvariantCulture, $"cluster '{cluster}' is unreachable since {_since:u}: {_fault}"), _cause);

    private static TaskCompletionSource Completed()
    {
        var made = new TaskCompletionSource();
        made.SetResult();
        return made;
    }

    public readonly record struct Permit(bool IsProbe);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cluster '{Cluster}' is unreachable ({Failures} failures in a row): {Fault}. Requests fail at once until a probe succeeds; check its API server, network path and kubeconfig.")]
    private static partial void LogDown(ILogger logger, string cluster, int failures, string fault);

    [LoggerMessage(Level = LogLevel.Information, Message = "Cluster '{Cluster}' answers again after {Away}.")]
    private static partial void LogRecovered(ILogger logger, string cluster, TimeSpan away);
}
