using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Faults;

public abstract partial record FaultEffect
{
    /// <summary>The request is kept until <see cref="RequestHold.Release"/> or <see cref="RequestHold.Drop"/> says what becomes of it.</summary>
    public sealed record Hold(RequestHold Request) : FaultEffect;
}

/// <summary>Where a request is kept.</summary>
public enum HoldPoint
{
    /// <summary>Nothing of it has been done.</summary>
    BeforeExecution,

    /// <summary>It has been done, and the one who asked does not know yet.</summary>
    BeforeAnswer,
}

/// <summary>One request that is kept at a point, so that something can happen to the world meanwhile.</summary>
public sealed class RequestHold(HoldPoint point)
{
    private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _goesOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HoldPoint Point { get; } = point;

    /// <summary>Completes when the request is at the point.</summary>
    public Task Held => _held.Task;

    /// <summary>The code of the answer that is kept; 0 where nothing has been done yet.</summary>
    public int Answer { get; private set; }

    /// <summary>Lets it go on as if nothing had been.</summary>
    public void Release() => _goesOn.TrySetResult(true);

    /// <summary>Breaks its connection.</summary>
    public void Drop() => _goesOn.TrySetResult(false);

    /// <summary>True when it may go on. Ends when the one who asked has gone away.</summary>
    internal Task<bool> PassAsync(int answer, CancellationToken aborted)
    {
        Answer = answer;
        _held.TrySetResult();
        return _goesOn.Task.WaitAsync(aborted);
    }
}

/// <summary>An answer that is kept at its first byte.</summary>
internal sealed class HeldAnswer(HttpContext http, RequestHold hold) : Stream
{
    private readonly Stream _answer = http.Response.Body;

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

    public override Task FlushAsync(CancellationToken cancellationToken) => WriteAsync(default, cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!await hold.PassAsync(http.Response.StatusCode, http.RequestAborted))
        {
            http.Abort();
            return;
        }
        await _answer.WriteAsync(buffer, cancellationToken);
        await _answer.FlushAsync(cancellationToken);
    }
}
