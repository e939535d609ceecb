using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Governor.Domain.Audit;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

/// <summary>An audit trail made in memory, as the journal makes it, and its export as lines to tamper with.</summary>
public sealed class Trail
{
    private readonly byte[] _seed;
    private readonly MerkleFrontier _tree = new();
    private readonly Dictionary<string, ChainHead> _heads = [];
    private readonly List<(byte[] Record, byte[]? Payload)> _leaves = [];
    private readonly List<SignedNote> _notes = [];

    public Trail(string origin = "governor.test/log", byte seed = 7)
    {
        _seed = [.. Enumerable.Repeat(seed, 32)];
        Key = new VerifierKey(origin, Ed25519.PublicKey(_seed));
    }

    public VerifierKey Key { get; }

    public Checkpoint Checkpoint => new(Key.Name, _tree.Size, _tree.Root);

    /// <summary>Twelve leaves on three chains, interleaved, with checkpoints after 4, 8 and 12.</summary>
    public static Trail Sample()
    {
        var trail = new Trail();
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

    public void Append(string name, string value)
    {
        var e = Event(name, value);
        var payload = AuditPayload.Of(e);
        var head = _heads.GetValueOrDefault(e.Subject.Chain);
        var transition = new AuditTransition(new Guid(_leaves.Count, 1, 2, [3, 4, 5, 6, 7, 8, 9, 10]), "pack", name, head.Sequence + 1, TreeHash.Of("state"u8));
        var record = new AuditRecord(transition, head.Sequence + 1, head.Hash, e, payload.Commitment).Encode();
        var hash = AuditRecord.HashOf(record);
        _heads[e.Subject.Chain] = new ChainHead(head.Sequence + 1, hash);
        _tree.Append(hash);
        _leaves.Add((record, payload.Bytes.ToArray()));
    }

    public void Sign() => _notes.Add(Sign(Checkpoint.Text));

    public SignedNote Sign(string text) => SignedNote.Sign(text, Key, message => Ed25519.Sign(_seed, message.Span));

    public byte[] Export()
    {
        using var output = new MemoryStream();
        var writer = new AuditExportWriter(output, Key);
        foreach (var note in _notes)
        {
            Assert.True(Checkpoint.TryParse(note.Text, out var checkpoint));
            while (writer.Leaves < checkpoint.Size)
            {
                var (record, payload) = _leaves[(int)writer.Leaves];
                writer.LeafAsync(record, payload, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            }
            writer.Checkpoint(note);
        }
        writer.EndAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return output.ToArray();
    }

    public List<string> Lines() => [.. Encoding.UTF8.GetString(Export()).Split('\n')[..^1]];
}

/// <summary>Changes to the lines of an export, with the skill of somebody who knows the format and lacks the key.</summary>
internal static class Tampering
{
    private const int Header = 3;

    public static int LineOf(this List<string> lines, int leaf) => lines.FindIndex(l => l.StartsWith($"leaf {leaf} ", StringComparison.Ordinal));

    public static byte[] RecordOf(this List<string> lines, int leaf) => Convert.FromBase64String(lines[lines.LineOf(leaf)].Split(' ')[3]);

    public static AuditRecord Decode(this List<string> lines, int leaf)
    {
        Assert.True(AuditRecord.TryDecode(lines.RecordOf(leaf), out var record, out var fault), fault);
        return record;
    }

    /// <summary>Puts another record in a leaf's place, with the hash that fits it.</summary>
    public static void Replace(this List<string> lines, int leaf, byte[] record)
    {
        var line = lines.LineOf(leaf);
        lines[line] = Leaf(leaf, record, lines[line].Split(' ')[4]);
    }

    public static string Leaf(int leaf, byte[] record, string payload) =>
        $"leaf {leaf} {AuditRecord.HashOf(record)} {Convert.ToBase64String(record)} {payload}";

    /// <summary>Numbers the leaves and the last line anew.</summary>
    public static List<string> Renumber(this List<string> lines)
    {
        var next = 0;
        for (var i = Header; i < lines.Count; i++)
        {
            var fields = lines[i].Split(' ');
            if (fields[0] == "leaf")
                lines[i] = string.Join(' ', (string[])["leaf", (next++).ToString(CultureInfo.InvariantCulture), .. fields[2..]]);
            else if (fields[0] == "end")
                lines[i] = $"end {next}";
        }
        return lines;
    }

    public static byte[] ToBytes(this IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")));
}
