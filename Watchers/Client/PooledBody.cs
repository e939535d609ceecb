using System.Buffers;

namespace Governor.Watchers.Client;

/// <summary>An answer's body in rented memory.</summary>
internal sealed class PooledBody : IDisposable
{
    /// <summary>Beyond this an answer needs a permit: there are only so many of them at a time.</summary>
    public const int Large = 4 * 1024 * 1024;

    private byte[] _buffer = [];
    private int _length;
    private SemaphoreSlim? _permit;

    public ReadOnlySpan<byte> Span => _buffer.AsSpan(0, _length);

    /// <param name="permits">For large answers; who waits for one leaves the rest of his answer with the server.</param>
    /// <exception cref="BodyTooLargeException">There is more than <paramref name="most"/>.</exception>
    public static async Task<PooledBody> ReadAsync(Stream stream, int most, SemaphoreSlim permits, CancellationToken cancellation)
    {
        var body = new PooledBody();
        try
        {
            body._buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
            while (await stream.ReadAsync(body._buffer.AsMemory(body._length), cancellation) is var read and > 0)
            {
                body._length += read;
                if (body._length > most)
                    throw new BodyTooLargeException(most);
                if (body._length < body._buffer.Length)
                    continue;
                if (body._length >= Large && body._permit is null)
                {
                    await permits.WaitAsync(cancellation);
                    body._permit = permits;
                }
                body.Grow();
            }
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true); // it may have held a Secret
        (_buffer, _length) = ([], 0);
        _permit?.Release();
        _permit = null;
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        Span.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        _buffer = larger;
    }
}

internal sealed class BodyTooLargeException(int most) : Exception($"expected at most {most} bytes, found more");
