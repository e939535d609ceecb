using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Faults;

/// <summary>An answer that breaks the connection with its first byte: what was asked has been done, and nobody is told.</summary>
internal sealed class BrokenPipe : Stream
{
    private readonly HttpContext _http;

    public BrokenPipe(HttpContext http) => _http = http;

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => _http.Abort();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => _http.Abort();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _http.Abort();
        return ValueTask.CompletedTask;
    }
}
