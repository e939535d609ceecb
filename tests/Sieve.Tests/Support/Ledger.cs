using Governor.Domain.Facts;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Sieve.Tests.Support;

/// <summary>
/// Stands between the silos of a run and the journal: remembers what was committed, lets a silo die after a commit, and keeps a dead
/// one out.
/// </summary>
internal sealed class Ledger(Perturbation perturbation, Life life, Pulse pulse)
{
    private readonly Lock _gate = new();
    private readonly List<string> _commits = [];
    private readonly Dictionary<GrainKey, (long Version, bool Pending, ReadOnlyMemory<byte> State)> _newest = [];
    private readonly List<string> _lineages = [];
    private int _underWay;

    /// <summary>Every commit so far, in order.</summary>
    public IReadOnlyList<string> Commits
    {
        get
        {
            lock (_gate)
                return [.. _commits];
        }
    }

    /// <summary>Nobody commits, and nobody owes anything.</summary>
    public bool IsQuiet
    {
        get
        {
            lock (_gate)
                return _underWay == 0 && _newest.Values.All(n => !n.Pending);
        }
    }

    public string Owing
    {
        get
        {
            lock (_gate)
                return $"{_underWay} commits under way; owing: {string.Join(", ", _newest.Where(n => n.Value.Pending).Select(n => n.Key))}";
        }
    }

    public ReadOnlyMemory<byte>? Find(string subject, string key)
    {
        lock (_gate)
            return _newest.TryGetValue(new GrainKey(subject, key), out var found) ? found.State : default(ReadOnlyMemory<byte>?);
    }

    public IJournal Over(IJournal journal, int generation) => new Watched(this, journal, generation);

    private async Task<CommitResult> CommitAsync(IJournal journal, int generation, Commit commit, CancellationToken cancellation)
    {
        CommitResult result;
        lock (_gate)
            _underWay++;
        try
        {
            result = await journal.CommitAsync(commit, cancellation);
            if (result.Outcome == CommitOutcome.Committed)
                Add(commit, result.Version);
        }
        finally
        {
            lock (_gate)
                _underWay--;
            pulse.Beat();
        }
        life.ThrowIfDead(generation);
        return result;
    }

    private void Add(Commit commit, long version)
    {
        string name;
        lock (_gate)
        {
            name = $"{NameOf(commit.Grain)} version {version}";
            _commits.Add(name);
            if (!_newest.TryGetValue(commit.Grain, out var known) || known.Version < version)
                _newest[commit.Grain] = (version, commit.Pending, commit.State);
        }
        if (perturbation is Perturbation.CrashAfterCommit(var last) && last == name)
            life.End();
    }

    // A lineage's key is a UID, drawn anew in every run: the lineages are counted, in the order in which their roots are declared.
    private string NameOf(GrainKey grain)
    {
        if (grain.Subject != Subjects.Lineage)
            return grain.ToString();
        if (!_lineages.Contains(grain.Key))
            _lineages.Add(grain.Key);
        return $"{grain.Subject}/{_lineages.IndexOf(grain.Key) + 1}";
    }

    private sealed class Watched(Ledger ledger, IJournal journal, int generation) : IJournal
    {
        public Task<StoredState?> LoadAsync(GrainKey grain, CancellationToken cancellation)
        {
            ledger.Life.ThrowIfDead(generation);
            return journal.LoadAsync(grain, cancellation);
        }

        public Task<IReadOnlyList<StoredState>> ListAsync(string subject, CancellationToken cancellation)
        {
            ledger.Life.ThrowIfDead(generation);
            return journal.ListAsync(subject, cancellation);
        }

        public Task<IReadOnlyList<GrainKey>> PendingAsync(CancellationToken cancellation)
        {
            ledger.Life.ThrowIfDead(generation);
            return journal.PendingAsync(cancellation);
        }

        public Task<CommitResult> CommitAsync(Commit commit, CancellationToken cancellation)
        {
            ledger.Life.ThrowIfDead(generation);
            return ledger.CommitAsync(journal, generation, commit, cancellation);
        }
    }

    private Life Life => life;
}

/// <summary>Which silo of a run lives. What a dead one still tries comes to nothing, as if its process were gone.</summary>
internal sealed class Life(Pulse pulse)
{
    private int _dead;

    /// <summary>The silo that was started last, counted from 1.</summary>
    public int Generation { get; private set; }

    public bool IsOver => Generation > 0 && Volatile.Read(ref _dead) >= Generation;

    /// <summary>The perturbation has hit.</summary>
    public bool WasEnded { get; private set; }

    public string UserAgent => $"silo-{Generation}";

    public void Begin() => Generation++;

    public void End()
    {
        WasEnded = true;
        Volatile.Write(ref _dead, Generation);
        pulse.Beat();
    }

    public bool IsDead(string userAgent) => userAgent.Split('-') is ["silo", var number] && int.Parse(number, System.Globalization.CultureInfo.InvariantCulture) <= Volatile.Read(ref _dead);

    public void ThrowIfDead(int generation)
    {
        if (generation <= Volatile.Read(ref _dead))
            throw new JournalUnavailableException("this silo has died");
    }
}
