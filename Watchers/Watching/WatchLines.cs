namespace Governor.Watchers.Watching;

/// <summary>
/// Cuts a watch's stream into lines, whatever the frames of the transport are. Holds one line at a time, up to a bound, and almost
/// nothing while the stream is idle.
/// </summary>
/// <param name="arrived">Called whenever something came, be it only a part of a line.</param>
internal sealed class WatchLines(Stream stream, int longest, Action arrived)
{
    private const int IdleBytes = 4096;

    private byte[] _buffer = new byte[IdleBytes];
    private int _start;
    private int _scanned;
    private int _end;

    /// <summary>The next line without its end, if it is here already. Valid until the next call.</summary>
    public bool TryNext(out ReadOnlyMemory<byte> line)
    {
        while (_buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n') is var at and >= 0)
        {
            line = _buffer.AsMemory(_start, _scanned + at - _start);
            _start = _scanned = _scanned + at + 1;
            if (!line.Span.Trim(" \t\r"u8).IsEmpty)
                return true;
        }
        _scanned = _end;
        line = default;
        return false;
    }

    /// <summary>Waits for more of the stream. False when it ended in good order after a whole line.</summary>
    /// <exception cref="WatchLineTooLongException">The line is longer than allowed.</exception>
    /// <exception cref="EndOfStreamException">The stream ended within a line.</exception>
    public async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (_end - _start > longest)
            throw new WatchLineTooLongException(longest);
        MakeRoom();
        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
        if (read == 0)
            return _start == _end ? false : throw new EndOfStreamException("the stream ended within an event");
        _end += read;
        arrived();
        return true;
    }

    private void MakeRoom()
    {
        var held = _end - _start;
        if (held == 0 && _buffer.Length > IdleBytes)
            _buffer = new byte[IdleBytes]; // the large event has been handed over: give its memory back
        else if (_end == _buffer.Length && held > _buffer.Length / 2)
            MoveTo(new byte[_buffer.Length * 2], held);
        else if (_start > 0)
            MoveTo(_buffer, held);
        if (held == 0)
            _start = _scanned = _end = 0;
    }

    private void MoveTo(byte[] target, int held)
    {
        _buffer.AsSpan(_start, held).CopyTo(target);
        _buffer = target;
        _scanned -= _start;
        (_start, _end) = (0, held);
    }
}

internal sealed class WatchLineTooLongException(int longest) : Exception($"expected an event of at most {longest} bytes, found more");
