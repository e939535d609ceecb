using System.Diagnostics.Metrics;

namespace Governor.Journal;

/// <summary>What the journal measures, under the meter <c>Governor.Journal</c>.</summary>
public sealed class JournalMetrics : IDisposable
{
    public const string MeterName = "Governor.Journal";

    private readonly Meter _meter;
    private readonly Histogram<double> _latency;
    private readonly Histogram<int> _batch;
    private readonly Counter<long> _conflicts;
    private readonly Counter<long> _interruptions;
    private readonly UpDownCounter<int> _queued;
    private readonly Histogram<double> _lag;
    private readonly Counter<long> _leaves;

    public JournalMetrics()
    {
        _meter = new Meter(MeterName);
        _latency = _meter.CreateHistogram<double>("governor.journal.commit.duration", "s", "From the call of a commit to its answer.");
        _batch = _meter.CreateHistogram<int>("governor.journal.batch.size", "{commit}", "Commits in one transaction.");
        _conflicts = _meter.CreateCounter<long>("governor.journal.conflicts", "{conflict}", "Commits that found another version, and chains that found another head.");
        _interruptions = _meter.CreateCounter<long>("governor.journal.interruptions", "{interruption}", "Times the writer lost its connection.");
        _queued = _meter.CreateUpDownCounter<int>("governor.journal.queue.length", "{commit}", "Commits without an answer yet.");
        _lag = _meter.CreateHistogram<double>("governor.journal.checkpoint.lag", "s", "From the commit of the oldest event in it to a checkpoint's signature.");
        _leaves = _meter.CreateCounter<long>("governor.journal.leaves", "{leaf}", "Events integrated into the log.");
    }

    public void Dispose() => _meter.Dispose();

    internal void Queued() => _queued.Add(1);

    internal void Answered(TimeSpan latency)
    {
        _queued.Add(-1);
        _latency.Record(latency.TotalSeconds);
    }

    internal void Batch(int commits) => _batch.Record(commits);

    internal void StateConflict() => _conflicts.Add(1, new KeyValuePair<string, object?>("on", "state"));

    internal void ChainConflict() => _conflicts.Add(1, new KeyValuePair<string, object?>("on", "chain"));

    internal void Interrupted() => _interruptions.Add(1);

    internal void Checkpointed(long leaves, TimeSpan lag)
    {
        _leaves.Add(leaves);
        _lag.Record(lag.TotalSeconds);
    }
}
