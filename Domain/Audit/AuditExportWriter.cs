using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>Writes an export, or a part of one, buffered; nothing of it is held but the current lines.</summary>
public sealed class AuditExportWriter
{
    private const int FlushAt = 64 << 10;

    private readonly Stream _output;
    private readonly AuditSpan _span;
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushAt + 4096);

    /// <param name="genesis">The log's first key, also after it was rotated: the others follow from the leaves.</param>
    public AuditExportWriter(Stream output, VerifierKey genesis, AuditSpan span = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(span.From);
        if (span.Kind == AuditSpanKind.Whole && span.From != 0)
            throw new ArgumentException($"a whole export begins at leaf 0, found {span.From}", nameof(span));
        _output = output;
        _span = span;
        Next = span.From;
        _buffer.Write(AuditExport.Format);
        _buffer.Write("\n"u8);
        Write(AuditExport.Origin, genesis.Name);
        Write(AuditExport.Key, genesis.ToString());
        if (span.Kind != AuditSpanKind.Whole)
            Write(span.Kind == AuditSpanKind.Live ? AuditExport.From : AuditExport.Archive, Text(span.From));
    }

    /// <summary>How many leaves were written.</summary>
    public long Leaves { get; private set; }

    /// <summary>The smallest index that the next leaf may have.</summary>
    public long Next { get; private set; }

    /// <summary>Writes the leaf that follows the one before.</summary>
    /// <param name="payload">Null when it was erased.</param>
    public ValueTask LeafAsync(ReadOnlyMemory<byte> record, ReadOnlyMemory<byte>? payload, CancellationToken cancellation) =>
        LeafAsync(Next, record, payload, cancellation);

    /// <param name="index">The leaf's place in the log. In a part there may be gaps.</param>
    /// <param name="payload">Null when it was erased.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not after the leaf before; or not exactly, in a whole export; or not where the part begins.</exception>
    public async ValueTask LeafAsync(long index, ReadOnlyMemory<byte> record, ReadOnlyMemory<byte>? payload, CancellationToken cancellation)
    {
        var mayLeaveGap = _span.Kind != AuditSpanKind.Whole && Leaves > 0;
        if (index < Next || index > Next && !mayLeaveGap)
            throw new ArgumentOutOfRangeException(nameof(index), index, $"expected leaf {Next}{(mayLeaveGap ? " or a later one" : "")}");
        _buffer.Write(AuditExport.Leaf);
        Ascii(Text(index));
        _buffer.Write(" "u8);
        Base64Of(AuditRecord.HashOf(record.Span).ToArray());
        _buffer.Write(" "u8);
        Base64Of(record.Span);
        if (payload is { } present)
        {
            _buffer.Write(" "u8);
            Base64Of(present.Span);
        }
        else
        {
            _buffer.Write(" -"u8);
        }
        _buffer.Write("\n"u8);
        Leaves++;
        Next = index + 1;
        if (_buffer.WrittenCount >= FlushAt)
            await FlushAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Writes a checkpoint: after the leaves that it covers, before the others.</summary>
    public void Checkpoint(SignedNote note)
    {
        _buffer.Write(AuditExport.CheckpointWord);
        Base64Of(note.ToBytes());
        _buffer.Write("\n"u8);
    }

    public async ValueTask EndAsync(CancellationToken cancellation)
    {
        Write(AuditExport.End, Text(Leaves));
        await FlushAsync(cancellation).ConfigureAwait(false);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private async ValueTask FlushAsync(CancellationToken cancellation)
    {
        await _output.WriteAsync(_buffer.WrittenMemory, cancellation).ConfigureAwait(false);
        _buffer.ResetWrittenCount();
    }

    private void Write(ReadOnlySpan<byte> word, string value)
    {
        _buffer.Write(word);
        Ascii(value);
        _buffer.Write("\n"u8);
    }

    private void Ascii(string text) => Encoding.UTF8.GetBytes(text, _buffer);

    private void Base64Of(ReadOnlySpan<byte> bytes)
    {
        Base64.EncodeToUtf8(bytes, _buffer.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        _buffer.Advance(written);
    }
}
