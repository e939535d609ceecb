using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>
/// Which keys sign the log at which size, folded from the statements in the log. A statement at leaf i is in force for every tree
/// that contains it: of size i + 1 and larger.
/// </summary>
public sealed class LogKeyring
{
    private readonly ImmutableArray<Term> _terms;

    private LogKeyring(ImmutableArray<Term> terms)
    {
        _terms = terms;
    }

    /// <summary>The log's first key.</summary>
    public VerifierKey Genesis => _terms[0].Key;

    /// <summary>The keys that are valid now, oldest first.</summary>
    public IEnumerable<VerifierKey> Current => _terms.Where(term => term.Until is null).Select(term => term.Key);

    /// <summary>Every key that ever was valid.</summary>
    public IEnumerable<VerifierKey> All => _terms.Select(term => term.Key);

    public static LogKeyring Of(VerifierKey genesis) => new([new Term(genesis, 0, null)]);

    public bool IsValidAt(VerifierKey key, long size) => _terms.Any(term => term.Key.Equals(key) && term.Covers(size));

    /// <summary>What signs a tree of this size, newest key first: the first one is expected to.</summary>
    public IEnumerable<VerifierKey> At(long size) => _terms.Where(term => term.Covers(size)).Reverse().Select(term => term.Key);

    /// <summary>Takes a statement that stands at <paramref name="leaf"/>.</summary>
    public bool TryApply(long leaf, LogKeyStatement statement, [NotNullWhen(true)] out LogKeyring? next, [NotNullWhen(false)] out string? fault)
    {
        var size = leaf + 1;
        next = null;
        fault = null;
        if (statement.Key.Name != Genesis.Name)
            fault = $"expected a key of '{Genesis.Name}', found {statement.Key}";
        else if (!Current.Contains(statement.By))
            fault = $"{statement.By} signs for the change and is not valid at leaf {leaf}";
        else if (statement.Change == LogKeyChange.Revoke && !Current.Contains(statement.Key))
            fault = $"{statement.Key} is revoked and is not valid at leaf {leaf}";
        else if (statement.Change != LogKeyChange.Revoke && All.Contains(statement.Key))
            fault = $"{statement.Key} was a key of this log before";
        if (fault is not null)
            return false;
        next = statement.Change switch
        {
            LogKeyChange.Add => new LogKeyring(_terms.Add(new Term(statement.Key, size, null))),
            LogKeyChange.Rotate => Ended(statement.By, size).Adding(statement.Key, size),
            _ => Ended(statement.Key, size),
        };
        return true;
    }

    private LogKeyring Ended(VerifierKey key, long size) =>
        new([.. _terms.Select(term => term.Until is null && term.Key.Equals(key) ? term with { Until = size } : term)]);

    private LogKeyring Adding(VerifierKey key, long size) => new(_terms.Add(new Term(key, size, null)));

    /// <summary>Valid for trees of at least <paramref name="From"/> and fewer than <paramref name="Until"/> leaves.</summary>
    private sealed record Term(VerifierKey Key, long From, long? Until)
    {
        public bool Covers(long size) => size >= From && (Until is null || size < Until);
    }
}
