using Npgsql;
using NpgsqlTypes;

namespace Governor.Journal.Commits;

/// <summary>
/// The statement for a batch of which every commit is expected to stand, as nearly every one does: nothing is looked at before it is
/// written, and the first thing that is not as expected undoes the batch. Its columns are filled anew for every batch and belong to
/// one connection, which has one batch under way at most.
/// </summary>
internal sealed class TrustingStatement
{
    /// <summary>SQLSTATE of a batch that met another version, another head or another epoch.</summary>
    public const string NotAsExpected = "GV001";

    private readonly NpgsqlParameter<Guid> _writer = new() { NpgsqlDbType = NpgsqlDbType.Uuid };
    private readonly NpgsqlParameter<long> _epoch = new() { NpgsqlDbType = NpgsqlDbType.Bigint };

    private readonly List<string> _subjects = [];
    private readonly List<string> _keys = [];
    private readonly List<long> _versions = [];
    private readonly List<ReadOnlyMemory<byte>> _states = [];
    private readonly List<bool> _pendings = [];
    private readonly List<Guid> _ids = [];
    private readonly NpgsqlParameter<int> _created = new() { NpgsqlDbType = NpgsqlDbType.Integer };

    private readonly List<string> _chains = [];
    private readonly List<long> _sequences = [];
    private readonly List<byte[]> _hashes = [];
    private readonly List<long> _nextSequences = [];
    private readonly List<byte[]> _nextHashes = [];
    private readonly NpgsqlParameter<int> _begun = new() { NpgsqlDbType = NpgsqlDbType.Integer };

    private readonly List<Guid> _unrecordedIds = [];
    private readonly List<long> _unrecordedVersions = [];

    private readonly List<Guid> _eventIds = [];
    private readonly List<long> _eventSequences = [];
    private readonly List<DateTime> _eventAts = [];
    private readonly List<string> _eventGroups = [];
    private readonly List<string> _eventKinds = [];
    private readonly List<string> _eventNamespaces = [];
    private readonly List<string> _eventNames = [];
    private readonly List<string> _eventActions = [];
    private readonly List<string> _eventActors = [];
    private readonly List<string> _eventClusters = [];
    private readonly List<string> _eventCorrelations = [];
    private readonly List<byte[]> _eventRecords = [];
    private readonly List<ReadOnlyMemory<byte>> _eventPayloads = [];

    private readonly List<Action> _clear = [];

    public TrustingStatement(NpgsqlConnection connection)
    {
        Command = new NpgsqlCommand { Connection = connection };
        Command.Parameters.Add(_writer);
        Command.Parameters.Add(_epoch);
        Column(_subjects, NpgsqlDbType.Text);
        Column(_keys, NpgsqlDbType.Text);
        Column(_versions, NpgsqlDbType.Bigint);
        Column(_states, NpgsqlDbType.Bytea);
        Column(_pendings, NpgsqlDbType.Boolean);
        Column(_ids, NpgsqlDbType.Uuid);
        Command.Parameters.Add(_created);
        Column(_chains, NpgsqlDbType.Text);
        Column(_sequences, NpgsqlDbType.Bigint);
        Column(_hashes, NpgsqlDbType.Bytea);
        Column(_nextSequences, NpgsqlDbType.Bigint);
        Column(_nextHashes, NpgsqlDbType.Bytea);
        Command.Parameters.Add(_begun);
        Column(_unrecordedIds, NpgsqlDbType.Uuid);
        Column(_unrecordedVersions, NpgsqlDbType.Bigint);
        Column(_eventIds, NpgsqlDbType.Uuid);
        Column(_eventSequences, NpgsqlDbType.Bigint);
        Column(_eventAts, NpgsqlDbType.TimestampTz);
        foreach (var column in (List<string>[])[_eventGroups, _eventKinds, _eventNamespaces, _eventNames, _eventActions, _eventActors, _eventClusters, _eventCorrelations])
            Column(column, NpgsqlDbType.Text);
        Column(_eventRecords, NpgsqlDbType.Bytea);
        Column(_eventPayloads, NpgsqlDbType.Bytea);
        Command.CommandText = $"SELECT governor.commit_batch({string.Join(", ", Enumerable.Range(1, Command.Parameters.Count).Select(i => $"${i}"))})";
    }

    public NpgsqlCommand Command { get; }

    public void Bind(CommitBatch batch, Guid writer, long epoch)
    {
        (_writer.TypedValue, _epoch.TypedValue) = (writer, epoch);
        (_created.TypedValue, _begun.TypedValue) = (0, 0);
        Clear();
        foreach (var pending in batch.Commits)
            Add(pending);
        foreach (var move in batch.Heads)
            Add(move);
        foreach (var (commit, e, sequence) in batch.Events)
            Add(batch.Commits[commit].Commit.Id, e, sequence);
    }

    /// <summary>Lets go of the batch, so that an idle connection holds none of it.</summary>
    public void Clear()
    {
        foreach (var clear in _clear)
            clear();
    }

    private void Add(PendingCommit pending)
    {
        var commit = pending.Commit;
        _subjects.Add(commit.Grain.Subject);
        _keys.Add(commit.Grain.Key);
        _versions.Add(commit.ExpectedVersion);
        _states.Add(commit.State);
        _pendings.Add(commit.Pending);
        _ids.Add(commit.Id);
        if (commit.ExpectedVersion == 0)
            _created.TypedValue++;
        if (pending.Events.Length > 0)
            return;
        _unrecordedIds.Add(commit.Id);
        _unrecordedVersions.Add(commit.ExpectedVersion + 1);
    }

    private void Add(HeadMove move)
    {
        _chains.Add(move.Chain);
        _sequences.Add(move.Before.Sequence);
        _hashes.Add(move.Before.Hash.ToArray());
        _nextSequences.Add(move.After.Sequence);
        _nextHashes.Add(move.After.Hash.ToArray());
        if (move.Before.Sequence == 0)
            _begun.TypedValue++;
    }

    private void Add(Guid commit, EncodedEvent encoded, long sequence)
    {
        var e = encoded.Event;
        _eventIds.Add(commit);
        _eventSequences.Add(sequence);
        _eventAts.Add(e.At.UtcDateTime);
        _eventGroups.Add(e.Subject.Group);
        _eventKinds.Add(e.Subject.Kind);
        _eventNamespaces.Add(e.Subject.Namespace);
        _eventNames.Add(e.Subject.Name);
        _eventActions.Add(e.Action);
        _eventActors.Add(e.Actor);
        _eventClusters.Add(e.Cluster);
        _eventCorrelations.Add(e.Correlation);
        _eventRecords.Add(encoded.Record);
        _eventPayloads.Add(encoded.Payload.Bytes);
    }

    private void Column<T>(List<T> values, NpgsqlDbType element)
    {
        Command.Parameters.Add(new NpgsqlParameter<List<T>> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | element });
        _clear.Add(values.Clear);
    }
}
