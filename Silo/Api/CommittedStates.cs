using System.Text.Json;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Api;

/// <summary>Reads what the actors have committed. Answers from the journal, so every silo says the same.</summary>
internal sealed class CommittedStates(IJournal journal)
{
    public async Task<IReadOnlyList<TState>> ListAsync<TState>(string subject, CancellationToken cancellation) =>
        [.. (await journal.ListAsync(subject, cancellation)).Select(Read<TState>)];

    public async Task<TState?> FindAsync<TState>(string subject, string key, CancellationToken cancellation)
        where TState : class =>
        await journal.LoadAsync(new GrainKey(subject, key), cancellation) is { } stored ? Read<TState>(stored) : null;

    private static TState Read<TState>(StoredState stored) => JsonSerializer.Deserialize<TState>(stored.State.Span, StateJson.Options)!;
}
