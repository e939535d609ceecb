using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using Governor.Domain.Audit;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Witness.Tests.Support;

/// <summary>A log in memory, with its key: one that is honest until a test makes it lie.</summary>
public sealed class TestLog : ITransparencyLog, IAuditReader
{
    private readonly Lock _lock = new();
    private readonly byte[] _seed;
    private readonly List<byte[]> _entries = [];
    private readonly TiledTree _tree = new();
    private readonly Dictionary<Tile, ReadOnlyMemory<byte>> _tiles = [];
    private readonly Dictionary<long, LogCheckpoint> _checkpoints = [];
    private TaskCompletionSource _signed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LogCheckpoint? _newest;

    public TestLog(string origin = "log.test/one", byte[]? seed = null, IEnumerable<byte[]>? entries = null)
    {
        _seed = seed ?? Ed25519.GenerateSeed();
        Key = new VerifierKey(origin, Ed25519.PublicKey(_seed));
        foreach (var entry in entries ?? [])
            Append(entry);
    }

    public VerifierKey Key { get; }

    public IReadOnlyList<byte[]> Entries => _entries;

    /// <summary>Cosignatures that were brought, newest last.</summary>
    public List<(long Size, NoteSignature Signature)> Cosigned { get; } = [];

    /// <summary>Completes with the first cosignature on a tree of at least this size.</summary>
    public TaskCompletionSource<long> CosignedOnce { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Another history under the same key, the same up to a size.</summary>
    public TestLog ForkAt(int size) => new(Key.Name, _seed, _entries.Take(size));

    /// <summary>The same history under another key.</summary>
    public TestLog WithKey(byte[] seed) => new(Key.Name, seed, _entries);

    public TestLog Grow(int entries, string kind = "entry")
    {
        for (var i = 0; i < entries; i++)
            Append(Encoding.UTF8.GetBytes($"{kind} {_entries.Count}"));
        return this;
    }

    /// <summary>Grows and signs.</summary>
    public LogCheckpoint Sign(int grow = 0, string kind = "entry")
    {
        Grow(grow, kind);
        lock (_lock)
        {
            foreach (var edge in _tree.Edge)
                _tiles[edge.Tile] = edge.Hashes;
            var checkpoint = new Checkpoint(Key.Name, _tree.Size, _tree.Root);
            var note = SignedNote.Sign(checkpoint.Text, Key, message => Ed25519.Sign(_seed, message.Span));
            _newest = _checkpoints[checkpoint.Size] = new LogCheckpoint(checkpoint, note.ToString());
            var before = _signed;
            _signed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            before.TrySetResult();
            return _newest;
        }
    }

    /// <summary>This log's signature on any text, also on one that it should not sign.</summary>
    public NoteSignature SignatureOn(string text) => SignedNote.Sign(text, Key, message => Ed25519.Sign(_seed, message.Span)).Signatures[0];

    /// <summary>The body of an add-checkpoint for the newest checkpoint.</summary>
    public async Task<WitnessRequest> RequestAsync(long old)
    {
        Assert.True(SignedNote.TryParse(_newest!.Note, out var note));
        var size = _newest.Checkpoint.Size;
        var proof = old <= 0 || old >= size ? [] : await TileProofs.ConsistencyAsync(old, size, tiles => TilesAsync(tiles, default));
        return new WitnessRequest(old, proof, note, _newest.Checkpoint);
    }

    public Task<LogCheckpoint?> CheckpointAsync(CancellationToken cancellation) => Task.FromResult(_newest);

    public Task<LogCheckpoint?> CosignedCheckpointAsync(CancellationToken cancellation) => Task.FromResult(_newest);

    public Task<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>> TilesAsync(IReadOnlyCollection<Tile> tiles, CancellationToken cancellation)
    {
        lock (_lock)
            return Task.FromResult<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>>(tiles.Where(_tiles.ContainsKey).ToDictionary(tile => tile, tile => _tiles[tile]));
    }

    public Task<ReadOnlyMemory<byte>?> EntriesAsync(Tile bundle, CancellationToken cancellation)
    {
        lock (_lock)
        {
            var (first, signed) = ((int)(bundle.Index * Tile.FullWidth), (int)(_newest?.Checkpoint.Size ?? 0));
            if (first + bundle.Width > signed)
                return Task.FromResult<ReadOnlyMemory<byte>?>(null);
            using var bytes = new MemoryStream();
            foreach (var entry in _entries.Skip(first).Take(bundle.Width))
            {
                bytes.Write([(byte)(entry.Length >> 8), (byte)entry.Length]);
                bytes.Write(entry);
            }
            return Task.FromResult<ReadOnlyMemory<byte>?>(bytes.ToArray());
        }
    }

    public Task<LogEntry?> EntryAsync(long leaf, CancellationToken cancellation) =>
        Task.FromResult(leaf < _entries.Count ? new LogEntry(leaf, _entries[(int)leaf], null) : null);

    public Task CosignAsync(long size, ImmutableArray<NoteSignature> cosignatures, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (!_checkpoints.ContainsKey(size))
                throw new ArgumentException($"there is no checkpoint of {size} leaves", nameof(size));
            Cosigned.AddRange(cosignatures.Select(s => (size, s)));
        }
        CosignedOnce.TrySetResult(size);
        return Task.CompletedTask;
    }

    public async IAsyncEnumerable<LogCheckpoint> FollowAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        for (LogCheckpoint? told = null; ;)
        {
            Task signed;
            lock (_lock)
                signed = _signed.Task;
            if (_newest is { } newest && newest != told)
                yield return told = newest;
            else
                await signed.WaitAsync(cancellation);
        }
    }

    public Task<LogKeyring> KeysAsync(CancellationToken cancellation) => Task.FromResult(LogKeyring.Of(Key));

    public Task<IReadOnlyList<RecordedEvent>> EventsAsync(EventFilter filter, CancellationToken cancellation) => throw new NotSupportedException("a log of bytes has no events");

    public Task<long> CountAsync(CancellationToken cancellation) => Task.FromResult((long)_entries.Count);

    public Task<LogCheckpoint> WaitForCheckpointAsync(CancellationToken cancellation) => Task.FromResult(_newest!);

    public Task<LogCheckpoint> ExportAsync(Stream output, CancellationToken cancellation) => throw new NotSupportedException("a log of bytes has no export");

    private void Append(byte[] entry)
    {
        lock (_lock)
        {
            _entries.Add(entry);
            _tree.Append(MerkleTree.HashLeaf(entry));
            foreach (var full in _tree.TakeCompleted())
                _tiles[full.Tile] = full.Hashes;
        }
    }
}
