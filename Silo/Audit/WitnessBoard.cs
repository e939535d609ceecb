using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Governor.Domain.Transparency;

namespace Governor.Silo.Audit;

/// <summary>How one place stands that the log is shown to.</summary>
/// <param name="Size">The newest checkpoint that is there, or that the witness has accepted; null when nobody knows.</param>
/// <param name="Cosigned">The newest checkpoint that it cosigned with the key that counts; null when none.</param>
/// <param name="Fault">Why it was not told the last time; null when it was.</param>
/// <param name="Alarm">What makes the log itself doubtful; null when nothing does.</param>
public sealed record WitnessStanding(string Place, long? Size, long? Cosigned, string? Fault, string? Alarm);

/// <summary>What the log's readers outside say of it: for readiness, metrics and the log file. One writer for each place.</summary>
internal sealed partial class WitnessBoard : IDisposable
{
    private readonly ConcurrentDictionary<string, WitnessStanding> _standings = new();
    private readonly Newest<WitnessStanding> _changed = new();
    private readonly Meter _meter = new("Governor.Audit");
    private readonly Counter<long> _told;
    private readonly ILogger<WitnessBoard> _logger;

    public WitnessBoard(ILogger<WitnessBoard> logger)
    {
        _logger = logger;
        _told = _meter.CreateCounter<long>("governor.audit.told", "{checkpoint}", "Checkpoints that were shown to a place outside the database, by outcome.");
        _meter.CreateObservableGauge("governor.audit.outside.size", () => Measure(s => s.Size), "{leaf}", "The newest checkpoint that a place outside has.");
        _meter.CreateObservableGauge("governor.audit.cosigned.size", () => Measure(s => s.Cosigned), "{leaf}", "The newest checkpoint that a witness cosigned with its pinned key.");
        _meter.CreateObservableGauge("governor.audit.alarms", () => _standings.Values.Count(s => s.Alarm is not null), "{alarm}", "Places that show that the log was rolled back or forked.");
    }

    public IReadOnlyList<WitnessStanding> Standings => [.. _standings.Values.OrderBy(s => s.Place, StringComparer.Ordinal)];

    /// <summary>The checkpoint is there.</summary>
    public void Has(string place, long size)
    {
        Change(place, s => s with { Size = size });
        Count(place, "told");
    }

    public void Cosigned(string place, long size)
    {
        Change(place, s => s with { Size = Math.Max(size, s.Size ?? 0), Cosigned = size, Fault = null });
        Count(place, "cosigned");
    }

    /// <summary>What was wrong with it is so no more.</summary>
    public void Well(string place) => Change(place, s => s with { Fault = null });

    /// <summary>It could not be told, or would not take it. Said when it is another reason than before.</summary>
    public void Failed(string place, string fault)
    {
        if (Find(place)?.Fault != fault)
            LogNotTold(place, fault);
        Change(place, s => s with { Fault = fault });
        Count(place, "failed");
    }

    /// <summary>The place shows that this log was rolled back or forked.</summary>
    public void Raise(string place, string alarm)
    {
        if (Find(place)?.Alarm == alarm)
            return;
        LogAlarm(place, alarm);
        Change(place, s => s with { Alarm = alarm });
    }

    /// <summary>The place does not show it any more.</summary>
    public void Calm(string place)
    {
        if (Find(place)?.Alarm is not { } alarm)
            return;
        LogOver(place, alarm);
        Change(place, s => s with { Alarm = null });
    }

    /// <summary>Completes when the standings are as somebody waits for.</summary>
    public async Task WhenAsync(Func<IReadOnlyList<WitnessStanding>, bool> holds)
    {
        while (true)
        {
            var changed = _changed.Changed;
            if (holds(Standings))
                return;
            await changed;
        }
    }

    public void Forget(string place) => _standings.TryRemove(place, out _);

    public void Dispose() => _meter.Dispose();

    private WitnessStanding? Find(string place) => _standings.GetValueOrDefault(place);

    private void Change(string place, Func<WitnessStanding, WitnessStanding> change) =>
        _changed.Set(_standings.AddOrUpdate(place, name => change(new WitnessStanding(name, null, null, null, null)), (_, now) => change(now)));

    private void Count(string place, string outcome) =>
        _told.Add(1, new KeyValuePair<string, object?>("place", place), new KeyValuePair<string, object?>("outcome", outcome));

    private IEnumerable<Measurement<long>> Measure(Func<WitnessStanding, long?> value) =>
        _standings.Values.Where(s => value(s) is not null).Select(s => new Measurement<long>(value(s)!.Value, new KeyValuePair<string, object?>("place", s.Place)));

    [LoggerMessage(LogLevel.Warning, "{Place} was not shown the log's newest checkpoint: {Fault}. It is tried again")]
    private partial void LogNotTold(string place, string fault);

    [LoggerMessage(LogLevel.Critical, "{Place} shows that the audit log was rolled back or forked: {Alarm}. Keep what is there, stop writing, and compare: governor audit verify --checkpoint")]
    private partial void LogAlarm(string place, string alarm);

    [LoggerMessage(LogLevel.Warning, "{Place} does not show any more that the audit log was rolled back or forked. It was said: {Alarm}")]
    private partial void LogOver(string place, string alarm);
}
