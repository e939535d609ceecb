using System.Globalization;
using System.Text;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

/// <summary>Changes to the lines of an export, with the skill of somebody who knows the format and lacks the key.</summary>
internal static class Tampering
{
    private const int Header = 3;

    public static List<string> ToLines(byte[] export) => [.. Encoding.UTF8.GetString(export).Split('\n')[..^1]];

    public static byte[] ToBytes(this IEnumerable<string> lines) => Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n")));

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

    public static byte[] With(this List<string> lines, int line, Func<string, string> change)
    {
        lines[line] = change(lines[line]);
        return lines.ToBytes();
    }

    public static byte[] WithoutLeaf(this List<string> lines, int leaf)
    {
        lines.RemoveAt(lines.LineOf(leaf));
        return lines.ToBytes();
    }

    public static List<string> SwapLeaves(this List<string> lines, int one, int other)
    {
        var (a, b) = (lines.LineOf(one), lines.LineOf(other));
        (lines[a], lines[b]) = (lines[b], lines[a]);
        return lines;
    }

    public static byte[] SwapPayloads(this List<string> lines)
    {
        var (a, b) = (lines.LineOf(2), lines.LineOf(5));
        var (one, other) = (lines[a].Split(' '), lines[b].Split(' '));
        (one[4], other[4]) = (other[4], one[4]);
        (lines[a], lines[b]) = (string.Join(' ', one), string.Join(' ', other));
        return lines.ToBytes();
    }

    /// <summary>Puts other values into a payload, under its old salt.</summary>
    public static byte[] ChangePayload(this List<string> lines, int leaf, Func<GovernanceEvent, GovernanceEvent> change)
    {
        var line = lines.LineOf(leaf);
        var fields = lines[line].Split(' ');
        var bytes = Convert.FromBase64String(fields[4]);
        Assert.True(AuditPayload.TryDecode(bytes, out var old, out _));
        var changed = AuditPayload.Of(change(lines.Decode(leaf).With(old))).Bytes.ToArray();
        var salt = "\u0001governor.audit.payload\n".Length;
        bytes.AsSpan(salt, 16).CopyTo(changed.AsSpan(salt));
        fields[4] = Convert.ToBase64String(changed);
        lines[line] = string.Join(' ', fields);
        return lines.ToBytes();
    }

    public static string FlipField(string line, int field)
    {
        var fields = line.Split(' ');
        var bytes = Convert.FromBase64String(fields[field]);
        bytes[bytes.Length / 2] ^= 4;
        fields[field] = Convert.ToBase64String(bytes);
        return string.Join(' ', fields);
    }

    public static byte[] Rewrite(this List<string> lines, int leaf)
    {
        var record = lines.Decode(leaf);
        lines.Replace(leaf, (record with { Event = record.Event with { Actor = "mallory" } }).Encode());
        return lines.ToBytes();
    }

    public static byte[] Resequence(this List<string> lines, int leaf, long sequence)
    {
        lines.Replace(leaf, (lines.Decode(leaf) with { Sequence = sequence }).Encode());
        return lines.ToBytes();
    }

    public static byte[] InsertForged(this List<string> lines)
    {
        var record = lines.Decode(5);
        var forged = record with { Sequence = 1, Previous = default, Event = record.Event with { Subject = record.Event.Subject with { Name = "forged" } } };
        lines.Insert(lines.LineOf(5), Leaf(5, forged.Encode(), lines[lines.LineOf(5)].Split(' ')[4]));
        return lines.Renumber().ToBytes();
    }

    /// <summary>The same chains up to 8, then records that continue them properly, with other content.</summary>
    public static List<string> ReplaceSuffix(this List<string> lines)
    {
        for (var leaf = 8; leaf < 12; leaf++)
        {
            var record = lines.Decode(leaf);
            var previous = leaf == 11 ? AuditRecord.HashOf(lines.RecordOf(8)) : record.Previous;
            lines.Replace(leaf, (record with { Previous = previous, Event = record.Event with { Action = "rewritten" } }).Encode());
        }
        return lines;
    }

    /// <summary>The root over all leaves, as the last checkpoint would name it.</summary>
    public static Checkpoint Checkpoint(this List<string> lines, string origin)
    {
        TreeHash[] hashes = [.. lines.Where(l => l.StartsWith("leaf ", StringComparison.Ordinal)).Select(l => new TreeHash(Convert.FromBase64String(l.Split(' ')[2])))];
        return new Checkpoint(origin, hashes.Length, MerkleTree.Root(hashes));
    }

    public static SignedNote Note(this List<string> lines)
    {
        Assert.True(SignedNote.TryParse(Convert.FromBase64String(lines[^2]["checkpoint ".Length..]), out var note));
        return note;
    }

    /// <summary>Puts another last checkpoint.</summary>
    public static byte[] WithNote(this List<string> lines, SignedNote note)
    {
        lines[^2] = $"checkpoint {Convert.ToBase64String(note.ToBytes())}";
        return lines.ToBytes();
    }

    /// <summary>Flips a bit in the signature of one line of the last checkpoint.</summary>
    public static byte[] FlipSignature(this List<string> lines, int line)
    {
        var note = lines.Note();
        var old = note.Signatures[line];
        byte[] bytes = [.. old.Signature];
        bytes[40] ^= 1;
        return lines.WithNote(note.With([old with { Signature = [.. bytes] }]));
    }
}
