using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Faults;

/// <summary>An answer whose connection breaks after so many bytes of its body.</summary>
internal sealed class CutAnswer(HttpContext http, long bytes) : Stream
{
    private readonly Stream _answer = http.Response.Body;
    private long _left = bytes;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => throw new NotSupportedException();

    public override Task FlushAsync(CancellationToken cancellationToken) => _answer.FlushAsync(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var part = buffer[..(int)Math.Min(_left, buffer.Length)];
        _left -= part.Length;
        await _answer.WriteAsync(part, cancellationToken);
        if (part.Length == buffer.Length)
            return;
        await _answer.FlushAsync(cancellationToken);
        // A flush ends before the bytes are on the wire, and an abort would take them back.
        await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        http.Abort();
    }
}
