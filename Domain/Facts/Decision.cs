using System.Collections.Immutable;
using Governor.Domain.Audit;

namespace Governor.Domain.Facts;

/// <summary>What a pure decision says: the new state, and the events that explain how it differs from the old one.</summary>
public sealed record Decision<TState>(TState State, ImmutableArray<GovernanceEvent> Events);

public static class Decision
{
    public static Decision<TState> Of<TState>(TState state, params ReadOnlySpan<GovernanceEvent> events) => new(state, [.. events]);
}
