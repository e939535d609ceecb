namespace Governor.Sandbox.Tests.Fixtures;

/// <summary>
/// It is always the same second: what was recorded within one must not be replayed across two, for owners of fields are listed by
/// their time. Timers run as ever.
/// </summary>
internal sealed class StoppedClock : TimeProvider
{
    private readonly DateTimeOffset _now = System.GetUtcNow();

    public override DateTimeOffset GetUtcNow() => _now;
}
