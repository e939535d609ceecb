using System.Threading.Channels;
using Orleans;

namespace Governor.Bench;

/// <summary>Answers with what it was sent.</summary>
public interface IPingGrain : IGrainWithStringKey
{
    Task<int> Ping(int value);
}

/// <summary>Does nothing and keeps nothing.</summary>
public interface IIdleGrain : IGrainWithStringKey
{
    Task Touch();
}

/// <inheritdoc cref="IPingGrain"/>
public sealed class PingGrain : Grain, IPingGrain
{
    public Task<int> Ping(int value) => Task.FromResult(value);
}

/// <inheritdoc cref="IIdleGrain"/>
public sealed class IdleGrain : Grain, IIdleGrain
{
    public Task Touch() => Task.CompletedTask;
}

/// <summary>The least an actor can be: a channel, one reader, and a promise per call. No identity, no timeout, no lifecycle.</summary>
internal sealed class Mailbox
{
    private readonly Channel<Message> messages = Channel.CreateUnbounded<Message>(new() { SingleReader = true });

    public Mailbox() => _ = Task.Run(ServeAsync);

    public Task<int> Ping(int value)
    {
        var reply = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        messages.Writer.TryWrite(new(value, reply));
        return reply.Task;
    }

    public void Close() => messages.Writer.Complete();

    private async Task ServeAsync()
    {
        await foreach (var message in messages.Reader.ReadAllAsync())
            message.Reply.SetResult(message.Value);
    }

    private readonly record struct Message(int Value, TaskCompletionSource<int> Reply);
}
