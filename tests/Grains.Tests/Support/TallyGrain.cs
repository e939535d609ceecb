using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Orleans;

namespace Governor.Grains.Tests.Support;

/// <summary>Somebody has counted so far.</summary>
[GenerateSerializer, Immutable]
public sealed record Counted(string Who, int Number) : Fact
{
    [System.Text.Json.Serialization.JsonIgnore]
    public override string Topic => $"counted {Who}";
}

/// <summary>From now on, tell this tally, too.</summary>
[GenerateSerializer, Immutable]
public sealed record Wired(string Receiver) : Fact;

/// <summary>Wants to be looked at again at this time.</summary>
[GenerateSerializer, Immutable]
public sealed record Alarm(DateTimeOffset At) : Fact;

/// <summary>The smallest governed actor there is: the highest numbers it has heard, told on to others.</summary>
public interface ITallyGrain : IGoverned
{
    [Alias("numbers")]
    Task<ImmutableDictionary<string, int>> NumbersAsync();
}

public sealed record TallyState(ImmutableSortedDictionary<string, int> Numbers, ImmutableSortedSet<string> Receivers, DateTimeOffset? DueAt, int Ticks)
{
    public static TallyState Initial { get; } = new(ImmutableSortedDictionary<string, int>.Empty, [], null, 0);
}

/// <summary>What is outside of the tallies: sees what they do, and can make it fail.</summary>
public sealed class Outside
{
    /// <summary>Runs whenever a tally acts.</summary>
    public Func<string, TallyState, Task>? Acting { get; set; }

    /// <summary>Runs whenever a tally is told something.</summary>
    public Action<string, Fact>? Hearing { get; set; }
}

public sealed class TallyGrain(GovernedServices services, Outside outside)
    : GovernedGrain<TallyState, DeclarationInput>(services, TallySubject), ITallyGrain
{
    public const string TallySubject = "tally";

    public Task<ImmutableDictionary<string, int>> NumbersAsync() => Task.FromResult(State.Numbers.ToImmutableDictionary());

    protected override TallyState Initial() => TallyState.Initial;

    protected override Decision<TallyState> Decide(TallyState state, DeclarationInput input, DateTimeOffset now) => input switch
    {
        DeclarationInput.Told(Counted told) when told.Number > state.Numbers.GetValueOrDefault(told.Who) => Decision.Of(
            state with { Numbers = state.Numbers.SetItem(told.Who, told.Number) },
            new EventContext(new EventSubject("test", "Tally", "", Key, Key, 1), "system:test", "test", "", "", Key)
                .Operational(now, "tally.counted", told.Who, null, $"{told.Number}", "somebody counted")),
        DeclarationInput.Told(Wired wired) => Decision.Of(state with { Receivers = state.Receivers.Add(wired.Receiver) }),
        DeclarationInput.Told(Alarm alarm) => Decision.Of(state with { DueAt = alarm.At }),
        DeclarationInput.Ticked when state.DueAt <= now => Decision.Of(state with { DueAt = null, Ticks = state.Ticks + 1 }),
        _ => Decision.Of(state),
    };

    protected override DeclarationInput Receive(Fact fact)
    {
        outside.Hearing?.Invoke(Key, fact);
        return new DeclarationInput.Told(fact);
    }

    protected override DeclarationInput? Read(Observation seen) => null;

    protected override IEnumerable<Letter> Outbox(TallyState state) =>
        from receiver in state.Receivers
        from number in state.Numbers
        select new Letter(new Address(TallySubject, receiver), new Counted(number.Key, number.Value));

    protected override IGoverned Receiver(Address address) =>
        address.Subject == TallySubject ? GrainFactory.GetGrain<ITallyGrain>(address.Key) : base.Receiver(address);

    protected override DateTimeOffset? NextTick(TallyState state) => state.DueAt;

    protected override DeclarationInput Tick() => new DeclarationInput.Ticked();

    protected override Task ActAsync(CancellationToken cancellation) => outside.Acting?.Invoke(Key, State) ?? Task.CompletedTask;
}
