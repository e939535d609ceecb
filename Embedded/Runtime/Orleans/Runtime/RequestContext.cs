using Governor.Embedded.Runtime.Activations;

namespace Orleans.Runtime;

/// <summary>Values that travel with calls, from caller to callee; what a callee sets does not come back.</summary>
public static class RequestContext
{
    private static readonly AsyncLocal<Snapshot?> Ambient = new();

    public static IEnumerable<string> Keys => Ambient.Value?.Values.Keys ?? Enumerable.Empty<string>();

    public static IEnumerable<KeyValuePair<string, object>> Entries =>
        Ambient.Value?.Values ?? Enumerable.Empty<KeyValuePair<string, object>>();

    /// <summary>The id of the call chain whose calls may re-enter the grains that allowed it; empty when none did.</summary>
    public static Guid ReentrancyId
    {
        get => Ambient.Value?.ReentrancyId ?? Guid.Empty;
        set => Ambient.Value = Snapshot.Of(Ambient.Value?.Values ?? [], value);
    }

    internal static Snapshot? Current
    {
        get => Ambient.Value;
        set
        {
            // Writing an async local allocates; most calls carry nothing into a turn that carries nothing.
            if (!ReferenceEquals(Ambient.Value, value))
                Ambient.Value = value;
        }
    }

    public static object? Get(string key) => Ambient.Value?.Values.GetValueOrDefault(key);

    public static void Set(string key, object value)
    {
        ArgumentNullException.ThrowIfNull(key);
        var before = Ambient.Value;
        Ambient.Value = Snapshot.Of(new Dictionary<string, object>(before?.Values ?? []) { [key] = value }, before?.ReentrancyId ?? Guid.Empty);
    }

    public static bool Remove(string key)
    {
        var before = Ambient.Value;
        if (before is null || !before.Values.ContainsKey(key))
            return false;
        var values = new Dictionary<string, object>(before.Values);
        values.Remove(key);
        Ambient.Value = Snapshot.Of(values, before.ReentrancyId);
        return true;
    }

    public static void Clear() => Current = null;

    /// <summary>Until disposed, calls made from here may come back into this grain while it waits for them.</summary>
    public static ReentrancySection AllowCallChainReentrancy()
    {
        var before = ReentrancyId;
        return new(before, before == Guid.Empty ? Guid.NewGuid() : before);
    }

    /// <summary>Until disposed, calls made from here may not come back.</summary>
    public static ReentrancySection SuppressCallChainReentrancy() => new(ReentrancyId, Guid.Empty);

    internal sealed record Snapshot(Dictionary<string, object> Values, Guid ReentrancyId)
    {
        public static Snapshot? Of(Dictionary<string, object> values, Guid reentrancyId) =>
            values.Count == 0 && reentrancyId == Guid.Empty ? null : new(values, reentrancyId);
    }

    /// <summary>A stretch of code with its own reentrancy.</summary>
    public readonly struct ReentrancySection : IDisposable
    {
        private readonly Guid originalReentrancyId;
        private readonly Guid newReentrancyId;

        public ReentrancySection(Guid originalReentrancyId, Guid newReentrancyId)
        {
            this.originalReentrancyId = originalReentrancyId;
            this.newReentrancyId = newReentrancyId;
            if (newReentrancyId != originalReentrancyId)
                ReentrancyId = newReentrancyId;
            if (newReentrancyId != Guid.Empty)
                RuntimeContext.Current?.EnterReentrantSection(newReentrancyId);
        }

        public void Dispose()
        {
            if (newReentrancyId != Guid.Empty)
                RuntimeContext.Current?.ExitReentrantSection(newReentrancyId);
            if (newReentrancyId != originalReentrancyId)
                ReentrancyId = originalReentrancyId;
        }
    }
}
