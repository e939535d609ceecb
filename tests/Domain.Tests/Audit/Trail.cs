using System.Collections.Immutable;
using System.Globalization;
using Governor.Domain.Audit;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

/// <summary>An audit trail made in memory, as the journal makes it, and its export as lines to tamper with.</summary>
public sealed class Trail
{
    private readonly List<TreeHash> _hashes = [];
    private readonly Dictionary<string, ChainHead> _heads = [];
    private readonly List<(byte[] Record, byte[]? Payload)> _leaves = [];
    private readonly List<SignedNote> _notes = [];

    public Trail(string origin = "governor.test/log", byte seed = 7)
    {
        Signer = new LogSigner(origin, seed);
        Genesis = Signer;
    }

    /// <summary>Whose key is the log's first.</summary>
    public LogSigner Genesis { get; }

    /// <summary>Who signs at present.</summary>
    public LogSigner Signer { get; set; }

    /// <summary>Who cosigns at present.</summary>
    public List<TestWitness> Witnesses { get; } = [];

    public VerifierKey Key => Genesis.Key;

    public int Size => _leaves.Count;

    public Checkpoint Checkpoint => new(Key.Name, Size, MerkleTree.Root([.. _hashes]));

    public SignedNote Note => _notes[^1];

    /// <summary>Twelve leaves on three chains, interleaved, with checkpoints after 4, 8 and 12.</summary>
    public static Trail Sample(params TestWitness[] witnesses)
    {
        var trail = new Trail();
        trail.Witnesses.AddRange(witnesses);
        for (var i = 0; i < 12; i++)
        {
            trail.Append($"pack-{i % 3}", $"value {i}");
            if (i % 4 == 3)
                trail.Sign();
        }
        return trail;
    }

    public static GovernanceEvent Event(string name, string? next = "next") => new(
        new DateTimeOffset(2026, 11, 21, 7, 0, 0, TimeSpan.Zero), "kai@example.com", "human",
        new EventSubject("infra.ontai.dev", "ClusterPack", "seam-system", name, "uid", 2), ChangeType.Governance, "pack.approved", "one",
        "$.spec.approved", "false", next, "reviewed twice", true, null, "root", "ccs-dev", "delivery-1", "lee@example.com");

    /// <summary>An event about the trail itself.</summary>
    public static GovernanceEvent About(string kind, string name, string action, string? next = null) =>
        Event(name, next) with { Subject = new EventSubject(AuditActions.Group, kind, "", name, "", 0), Action = action };

    public void Append(string name, string value) => Append(Event(name, value));

    public void Append(GovernanceEvent e)
    {
        var payload = AuditPayload.Of(e);
        var head = _heads.GetValueOrDefault(e.Subject.Chain);
        var transition = new AuditTransition(new Guid(_leaves.Count, 1, 2, [3, 4, 5, 6, 7, 8, 9, 10]), "pack", e.Subject.Name, head.Sequence + 1, TreeHash.Of("state"u8));
        var record = new AuditRecord(transition, head.Sequence + 1, head.Hash, e, payload.Commitment).Encode();
        var hash = AuditRecord.HashOf(record);
        _heads[e.Subject.Chain] = new ChainHead(head.Sequence + 1, hash);
        _hashes.Add(hash);
        _leaves.Add((record, payload.Bytes.ToArray()));
    }

    /// <summary>Signs for a change of the keys and appends it; who signs from then on is the caller's to set.</summary>
    public void Append(LogKeyChange change, LogSigner key, LogSigner by)
    {
        var statement = new LogKeyStatement(change, key.Key, by.Key);
        var note = statement.Sign((signer, message) => (signer.Equals(key.Key) ? key : by).SignBytes(message));
        Append(About(AuditActions.LogKind, Key.Name, statement.Action, note.ToString()));
    }

    public void Rotate(LogSigner next)
    {
        Append(LogKeyChange.Rotate, next, Signer);
        Signer = next;
    }

    /// <summary>Erases a payload; only what is stored, without any event.</summary>
    public void Erase(int leaf) => _leaves[leaf] = (_leaves[leaf].Record, null);

    public void AppendErasure(string action, string leaf) => Append(About(AuditActions.RecordKind, leaf, action));

    public void Sign() => Publish(Sign(Checkpoint.Text));

    public SignedNote Sign(string text) =>
        Signer.Sign(text).With(Witnesses.Select(witness => witness.Cosign(text)));

    /// <summary>Puts a note into the export without asking whether it is good.</summary>
    public void Publish(SignedNote note) => _notes.Add(note);

    public AuditEntry Entry(int leaf) => new(_leaves[leaf].Record, PayloadOf(leaf));

    public ImmutableArray<TreeHash> Path(int leaf, int size) =>
        MerkleTree.InclusionProof(leaf, size, (begin, end) => MerkleTree.Root([.. _hashes[(int)begin..(int)end]]));

    /// <summary>One leaf as a file of its own, under the last checkpoint.</summary>
    public AuditBundle Bundle(int leaf) => AuditBundle.Of(leaf, Path(leaf, SizeOf(Note)), Note, Entry(leaf));

    public byte[] Export() => Export(AuditSpan.Whole, _ => true);

    /// <summary>A part: the leaves that it holds, and the checkpoints of any size that are behind its first one.</summary>
    public byte[] Export(AuditSpan span, Predicate<int> holds)
    {
        using var output = new MemoryStream();
        var writer = new AuditExportWriter(output, Key, span);
        var notes = new Queue<SignedNote>(_notes);
        for (var leaf = (int)span.From; leaf <= Size; leaf++)
        {
            while (notes.TryPeek(out var note) && SizeOf(note) <= leaf)
            {
                if (SizeOf(note) >= span.From)
                    writer.Checkpoint(note);
                notes.Dequeue();
            }
            if (leaf < Size && holds(leaf))
                writer.LeafAsync(leaf, _leaves[leaf].Record, PayloadOf(leaf), CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }
        writer.EndAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return output.ToArray();
    }

    public List<string> Lines() => Tampering.ToLines(Export());

    // A null array would become empty memory.
    private ReadOnlyMemory<byte>? PayloadOf(int leaf) => _leaves[leaf].Payload is { } payload ? payload : default(ReadOnlyMemory<byte>?);

    private static int SizeOf(SignedNote note)
    {
        Assert.True(Checkpoint.TryParse(note.Text, out var checkpoint));
        return (int)checkpoint.Size;
    }
}

/// <summary>A key of the log, with its private half.</summary>
public sealed class LogSigner(string origin, byte seed)
{
    private readonly byte[] _seed = [.. Enumerable.Repeat(seed, 32)];

    public VerifierKey Key { get; } = new(origin, Ed25519.PublicKey([.. Enumerable.Repeat(seed, 32)]));

    public byte[] SignBytes(ReadOnlyMemory<byte> message) => Ed25519.Sign(_seed, message.Span);

    public SignedNote Sign(string text) => SignedNote.Sign(text, Key, SignBytes);
}

/// <summary>A witness, with its private key. Cosigns whatever it is shown.</summary>
public sealed class TestWitness(byte seed)
{
    private readonly byte[] _seed = [.. Enumerable.Repeat(seed, 32)];

    public VerifierKey Key { get; } =
        new(string.Create(CultureInfo.InvariantCulture, $"witness.test/w{seed}"), Ed25519.PublicKey([.. Enumerable.Repeat(seed, 32)]), NoteKeyType.Cosignature);

    public NoteSignature Cosign(string text) =>
        Cosignature.Sign(text, Key, new DateTimeOffset(2026, 11, 21, 7, 0, 0, TimeSpan.Zero), message => Ed25519.Sign(_seed, message.Span));
}
