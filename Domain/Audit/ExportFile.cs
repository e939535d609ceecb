using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>What an export file has next.</summary>
internal enum ExportItem
{
    /// <summary>Nothing of what follows the header was read.</summary>
    Header,

    Leaf,

    Checkpoint,

    /// <summary>The file ended as it should.</summary>
    End,

    /// <summary>The file ended before its last line.</summary>
    Cut,

    /// <summary>A line that cannot be, see <see cref="ExportFile.Finding"/>.</summary>
    Bad,
}

/// <summary>
/// One file of a trail, read forward line by line. Knows the format and what must hold within one file; believes nothing else.
/// </summary>
/// <param name="number">The file's place among those that are verified together.</param>
internal sealed class ExportFile(Stream stream, int number) : IDisposable
{
    private readonly LineReader _lines = new(stream, AuditExport.MaximumLineBytes);
    private byte[] _note = new byte[1024];
    private LeafLine _leaf;
    private long _leaves;
    private long _lastCheckpoint = -1;

    public int Number => number;

    public string Origin { get; private set; } = "";

    /// <summary>The log's first key; null while the header is not read.</summary>
    public VerifierKey? Key { get; private set; }

    public AuditSpan Span { get; private set; }

    /// <summary>The present item.</summary>
    public ExportItem At { get; private set; }

    /// <summary>The index that the next leaf must at least have.</summary>
    public long Next { get; private set; }

    /// <summary>What is wrong, at <see cref="ExportItem.Bad"/> and <see cref="ExportItem.Cut"/>.</summary>
    public Finding Finding { get; private set; }

    public long Index => _leaf.Index;

    public TreeHash Hash => _leaf.Hash;

    public bool IsErased => _leaf.IsErased;

    /// <summary>The present leaf's record in base64.</summary>
    public ReadOnlySpan<byte> Record => Fields[_leaf.Record];

    /// <summary>The present leaf's payload in base64, or <c>-</c>.</summary>
    public ReadOnlySpan<byte> Payload => Fields[_leaf.Payload];

    public SignedNote? Note { get; private set; }

    public Checkpoint? Checkpoint { get; private set; }

    private ReadOnlySpan<byte> Fields => _lines.Line[AuditExport.Leaf.Length..];

    public void Dispose() => _lines.Dispose();

    /// <summary>Reads the header and the first item behind it; <see cref="Key"/> stays null when there is no good header.</summary>
    public void Begin()
    {
        if (!TryHeaderLine(AuditExport.Format, "the format", out var rest))
            return;
        if (!rest.IsEmpty)
        {
            Fail(AuditFaultClass.Malformed, $"expected version 1 of the format, found more: '{Encoding.UTF8.GetString(rest)}'");
            return;
        }
        if (!TryHeaderLine(AuditExport.Origin, "the origin", out var origin))
            return;
        Origin = Encoding.UTF8.GetString(origin);
        if (!TryHeaderLine(AuditExport.Key, "the key", out var text))
            return;
        if (!VerifierKey.TryParse(Encoding.UTF8.GetString(text), out var key) || key.Type != NoteKeyType.Ed25519)
        {
            Fail(AuditFaultClass.Malformed, "expected the verifier key NAME+HASH+BASE64 of a log on the third line");
            return;
        }
        Key = key;
        if (!_lines.TryRead())
            Stop();
        else if (SpanOf(_lines.Line) is { } span)
            BeginAt(span);
        else
            Classify(_lines.Line);
    }

    /// <summary>Goes on to the next item.</summary>
    public void Advance()
    {
        if (At == ExportItem.Leaf)
        {
            Next = Index + 1;
            _leaves++;
        }
        if (_lines.TryRead())
            Classify(_lines.Line);
        else
            Stop();
    }

    /// <summary>The last line names another number of leaves than there are; known once <see cref="SkipToLeaf"/> came to the end.</summary>
    public bool IsMiscounted { get; private set; }

    /// <summary>Goes on to the next leaf line whatever is in between and in whatever order; false at the end. For looking ahead after a fault.</summary>
    public bool SkipToLeaf()
    {
        if (At == ExportItem.Leaf)
            _leaves++;
        At = ExportItem.Header;
        while (_lines.TryRead())
        {
            if (_lines.Line.StartsWith(AuditExport.End))
                IsMiscounted = !TryNumber(_lines.Line[AuditExport.End.Length..], out var leaves) || leaves != _leaves;
            if (!_lines.Line.StartsWith(AuditExport.Leaf) || !LeafLine.TryParse(Fields, out _leaf))
                continue;
            At = ExportItem.Leaf;
            return true;
        }
        return false;
    }

    private static AuditSpan? SpanOf(ReadOnlySpan<byte> line) =>
        line.StartsWith(AuditExport.From) && TryNumber(line[AuditExport.From.Length..], out var live) ? AuditSpan.Live(live)
        : line.StartsWith(AuditExport.Archive) && TryNumber(line[AuditExport.Archive.Length..], out var archived) ? AuditSpan.Archive(archived)
        : null;

    private static bool TryNumber(ReadOnlySpan<byte> text, out long number) =>
        Utf8Parser.TryParse(text, out number, out _) && number >= 0
        && text.SequenceEqual(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));

    private bool TryHeaderLine(ReadOnlySpan<byte> word, string what, out ReadOnlySpan<byte> rest)
    {
        rest = default;
        if (!_lines.TryRead())
        {
            Stop();
            return false;
        }
        if (!_lines.Line.StartsWith(word))
        {
            Fail(AuditFaultClass.Malformed, $"not an audit export: expected the line '{Encoding.UTF8.GetString(word)}' for {what}");
            return false;
        }
        rest = _lines.Line[word.Length..];
        return true;
    }

    private void BeginAt(AuditSpan span)
    {
        Span = span;
        Next = span.From;
        Advance();
        if (At == ExportItem.Leaf && Index != span.From)
            Fail(AuditFaultClass.Malformed, $"the header says that the first leaf is {span.From}, found leaf {Index}");
    }

    private void Classify(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith(AuditExport.Leaf))
            TakeLeaf();
        else if (line.StartsWith(AuditExport.CheckpointWord))
            TakeCheckpoint(line[AuditExport.CheckpointWord.Length..]);
        else if (line.StartsWith(AuditExport.End))
            TakeEnd(line[AuditExport.End.Length..]);
        else
            Fail(AuditFaultClass.Malformed, "expected a line 'leaf', 'checkpoint' or 'end'");
    }

    private void TakeLeaf()
    {
        At = ExportItem.Leaf;
        if (!LeafLine.TryParse(Fields, out _leaf))
            Fail(AuditFaultClass.Malformed, "expected 'leaf INDEX HASH RECORD PAYLOAD'");
        else if (Index < Next)
            Fail(AuditFaultClass.DuplicateSequence, $"expected leaf {Next}{(Span.Kind == AuditSpanKind.Whole ? "" : " or a later one")}, found leaf {Index} again");
    }

    private void TakeCheckpoint(ReadOnlySpan<byte> field)
    {
        At = ExportItem.Checkpoint;
        if (!StrictBase64.TryDecode(field, ref _note, out var bytes) || !SignedNote.TryParse(bytes, out var note)
            || !Transparency.Checkpoint.TryParse(note.Text, out var checkpoint))
            Fail(AuditFaultClass.Malformed, "expected a signed checkpoint");
        else if (!CheckpointSignatures.AreDistinct(note))
            Fail(AuditFaultClass.Malformed, "a key signs the checkpoint twice");
        else if (checkpoint.Size <= _lastCheckpoint)
            Fail(
                checkpoint.Size == _lastCheckpoint ? AuditFaultClass.DuplicateSequence : AuditFaultClass.Reordered,
                $"a checkpoint of {checkpoint.Size} leaves follows one of {_lastCheckpoint}");
        else
            (Note, Checkpoint, _lastCheckpoint) = (note, checkpoint, checkpoint.Size);
    }

    private void TakeEnd(ReadOnlySpan<byte> count)
    {
        At = ExportItem.End;
        if (!TryNumber(count, out var leaves))
            Fail(AuditFaultClass.Malformed, "expected the number of leaves after 'end'");
        else if (leaves != _leaves)
            Fail(leaves > _leaves ? AuditFaultClass.Truncated : AuditFaultClass.Malformed, $"the last line says {leaves} leaves, {_leaves} are before it");
        else if (_lines.TryRead() || _lines.Ended != LineEnd.AfterLine)
            Fail(AuditFaultClass.Malformed, "there is more after the last line");
    }

    /// <summary>There is no further line, and the last one was not the end.</summary>
    private void Stop()
    {
        if (_lines.Ended == LineEnd.TooLong)
        {
            Fail(AuditFaultClass.Malformed, $"a line is longer than {AuditExport.MaximumLineBytes} bytes");
            return;
        }
        At = ExportItem.Cut;
        Finding = new Finding(AuditFaultClass.Truncated, Key is null ? "the file ends within its header" : "the file ends before its line 'end'");
    }

    private void Fail(AuditFaultClass @class, string detail)
    {
        At = ExportItem.Bad;
        Finding = new Finding(@class, detail);
    }
}
