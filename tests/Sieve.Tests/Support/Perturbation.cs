namespace Governor.Sieve.Tests.Support;

/// <summary>The one thing that goes wrong in a run. Its text names it, and is read again by <see cref="Parse"/>.</summary>
internal abstract record Perturbation
{
    private Perturbation()
    {
    }

    public sealed record None : Perturbation
    {
        public override string ToString() => "none";
    }

    /// <summary>The silo dies when an API server has done this write, and does not learn that it was done.</summary>
    public sealed record CrashAfterWrite(string Write) : Perturbation
    {
        public override string ToString() => $"crash-after-write {Write}";
    }

    /// <summary>The silo dies when the journal has committed this version of a grain, and does not learn that it was.</summary>
    public sealed record CrashAfterCommit(string Commit) : Perturbation
    {
        public override string ToString() => $"crash-after-commit {Commit}";
    }

    /// <summary>This event of a watch is never sent.</summary>
    public sealed record DropEvent(string Event) : Perturbation
    {
        public override string ToString() => $"drop-event {Event}";
    }

    /// <summary>This list is answered from the state of so many changes of its kind ago.</summary>
    public sealed record StaleList(int Changes, string List) : Perturbation
    {
        public override string ToString() => $"stale-list {Changes} {List}";
    }

    public static Perturbation Parse(string text)
    {
        var (kind, rest) = text.IndexOf(' ', StringComparison.Ordinal) is var at and > 0 ? (text[..at], text[(at + 1)..]) : (text, "");
        return kind switch
        {
            "none" => new None(),
            "crash-after-write" => new CrashAfterWrite(rest),
            "crash-after-commit" => new CrashAfterCommit(rest),
            "drop-event" => new DropEvent(rest),
            "stale-list" when rest.Split(' ', 2) is [var changes, var list] && int.TryParse(changes, out var number) => new StaleList(number, list),
            _ => throw new FormatException($"expected a perturbation as a failed run prints it, found '{text}'"),
        };
    }
}
