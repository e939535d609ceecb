using System.Buffers;

namespace Governor.Domain.Audit;

/// <summary>Lines of a stream, ended by line feeds, through one buffer that grows up to a limit.</summary>
internal sealed class LineReader(Stream stream, int maximumLineBytes) : IDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(128 << 10);
    private int _begin;
    private int _end;
    private Range _line;
    private bool _atEnd;

    /// <summary>Why there is no further line.</summary>
    public LineEnd Ended { get; private set; }

    /// <summary>The line that was read last, without its line feed; valid until the next one is read.</summary>
    public ReadOnlySpan<byte> Line => _buffer.AsSpan(_line);

    /// <summary>Reads the next line. False at the end, see <see cref="Ended"/>.</summary>
    public bool TryRead()
    {
        for (var searched = 0; ;)
        {
            var length = _buffer.AsSpan(_begin + searched, _end - _begin - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                _line = _begin..(_begin + searched + length);
                _begin = _line.End.Value + 1;
                return true;
            }
            searched = _end - _begin;
            if (_atEnd || searched > maximumLineBytes)
            {
                Ended = searched == 0 ? LineEnd.AfterLine : searched > maximumLineBytes ? LineEnd.TooLong : LineEnd.WithinLine;
                _line = default;
                return false;
            }
            Fill();
        }
    }

    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Fill()
    {
        if (_begin > 0)
        {
            _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
            (_begin, _end) = (0, _end - _begin);
        }
        if (_end == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        var read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        _atEnd = read == 0;
    }
}

internal enum LineEnd
{
    /// <summary>The stream ended with a line feed.</summary>
    AfterLine,

    /// <summary>The stream ended in the middle of a line.</summary>
    WithinLine,

    /// <summary>A line is longer than the limit.</summary>
    TooLong,
}
