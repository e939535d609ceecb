using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>
/// The export format: lines of ASCII, each a word and its fields with one space between, ended by a line feed. Every byte counts:
/// a file that differs in one byte is another file.
/// <code>
/// governor-audit-export/1
/// origin NAME
/// key VERIFIER-KEY
/// leaf INDEX BASE64(leaf hash) BASE64(record) BASE64(payload) | -      (- : the payload was erased)
/// checkpoint BASE64(signed note)                                       (anywhere between leaves, and after the last)
/// end NUMBER-OF-LEAVES
/// </code>
/// </summary>
public static class AuditExport
{
    internal const int MaximumLineBytes = 4 << 20;

    internal static ReadOnlySpan<byte> Format => "governor-audit-export/1"u8;

    internal static ReadOnlySpan<byte> Origin => "origin "u8;

    internal static ReadOnlySpan<byte> Key => "key "u8;

    internal static ReadOnlySpan<byte> Leaf => "leaf "u8;

    internal static ReadOnlySpan<byte> CheckpointWord => "checkpoint "u8;

    internal static ReadOnlySpan<byte> End => "end "u8;
}

/// <summary>Writes an export, buffered; nothing of it is held but the current lines.</summary>
public sealed class AuditExportWriter
{
    private const int FlushAt = 64 << 10;

    private readonly Stream _output;
    private readonly ArrayBufferWriter<byte> _buffer = new(FlushAt + 4096);

    public AuditExportWriter(Stream output, VerifierKey key)
    {
        _output = output;
        _buffer.Write(AuditExport.Format);
        _buffer.Write("\n"u8);
        Write(AuditExport.Origin, key.Name);
        Write(AuditExport.Key, key.ToString());
    }

    /// <summary>How many leaves were written.</summary>
    public long Leaves { get; private set; }

    /// <param name="payload">Null when it was erased.</param>
    public async ValueTask LeafAsync(ReadOnlyMemory<byte> record, ReadOnlyMemory<byte>? payload, CancellationToken cancellation)
    {
        _buffer.Write(AuditExport.Leaf);
        Ascii(Leaves.ToString(CultureInfo.InvariantCulture));
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
        if (_buffer.WrittenCount >= FlushAt)
            await FlushAsync(cancellation).ConfigureAwait(false);
    }

    public void Checkpoint(SignedNote note)
    {
        _buffer.Write(AuditExport.CheckpointWord);
        Base64Of(note.ToBytes());
        _buffer.Write("\n"u8);
    }

    public async ValueTask EndAsync(CancellationToken cancellation)
    {
        Write(AuditExport.End, Leaves.ToString(CultureInfo.InvariantCulture));
        await FlushAsync(cancellation).ConfigureAwait(false);
    }

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
