namespace Governor.Sandbox.Faults;

/// <summary>One event of one watch that is about to be sent.</summary>
/// <param name="Type">ADDED, MODIFIED, DELETED or BOOKMARK.</param>
/// <param name="Group">The API group; empty for the core group.</param>
/// <param name="Name">Empty for a bookmark.</param>
/// <param name="User">Who watches.</param>
/// <param name="UserAgent">The watch's header; empty without one.</param>
public sealed record FaultEvent(
    string Type, string Group, string Resource, string Namespace, string Name, long ResourceVersion, string User, string UserAgent);

/// <summary>What becomes of a watch event.</summary>
public enum EventFate
{
    /// <summary>It is never sent, and the watch goes on.</summary>
    Drop,

    /// <summary>It is sent twice.</summary>
    Duplicate,

    /// <summary>It changes places with the next event of the watch; it does not pass a bookmark.</summary>
    Reorder,

    /// <summary>Its line is cut in the middle, and the watch goes on with the next line.</summary>
    Garble,

    /// <summary>It and everything after it is not sent, and the stream stays open: a connection that nobody has told of its end.</summary>
    Silence,

    /// <summary>The stream ends in good order instead of it.</summary>
    End,

    /// <summary>The connection breaks instead of it.</summary>
    Break,
}

/// <summary>A fault that was armed against watch events.</summary>
public sealed class ArmedEventFault : FaultCount
{
    private readonly Func<FaultEvent, bool> _matches;

    internal ArmedEventFault(Func<FaultEvent, bool> matches, EventFate fate, int from, int count, double probability, Random random)
        : base(from, count, probability, random)
    {
        _matches = matches;
        Fate = fate;
    }

    internal EventFate Fate { get; }

    internal bool Takes(FaultEvent e) => _matches(e) && CountsAndHits();
}
