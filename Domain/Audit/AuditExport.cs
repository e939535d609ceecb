namespace Governor.Domain.Audit;

/// <summary>
/// The export format: lines of ASCII, each a word and its fields with one space between, ended by a line feed. Every byte counts:
/// a file that differs in one byte is another file.
/// <code>
/// governor-audit-export/1
/// origin NAME
/// key VERIFIER-KEY                                                     (the log's first key)
/// from INDEX | archive INDEX                                           (only in a part, see <see cref="AuditSpan"/>)
/// leaf INDEX BASE64(leaf hash) BASE64(record) BASE64(payload) | -      (- : the payload was erased)
/// checkpoint BASE64(signed note)                                       (before the leaf whose index is its size; sizes grow)
/// end NUMBER-OF-LEAVES                                                 (in this file)
/// </code>
/// </summary>
public static class AuditExport
{
    internal const int MaximumLineBytes = 4 << 20;

    internal static ReadOnlySpan<byte> Format => "governor-audit-export/1"u8;

    internal static ReadOnlySpan<byte> Origin => "origin "u8;

    internal static ReadOnlySpan<byte> Key => "key "u8;

    internal static ReadOnlySpan<byte> From => "from "u8;

    internal static ReadOnlySpan<byte> Archive => "archive "u8;

    internal static ReadOnlySpan<byte> Leaf => "leaf "u8;

    internal static ReadOnlySpan<byte> CheckpointWord => "checkpoint "u8;

    internal static ReadOnlySpan<byte> End => "end "u8;
}

/// <summary>Which leaves a file claims to hold.</summary>
public enum AuditSpanKind
{
    /// <summary>All of them, from 0.</summary>
    Whole,

    /// <summary>From an index up to the log's end; those that are missing in between are in archives.</summary>
    Live,

    /// <summary>Some, from an index on: the month that was closed. The others are in other files.</summary>
    Archive,
}

/// <summary>
/// Which leaves a file claims to hold. Parts are verified together. Where two parts meet, their leaves may interleave, because the
/// order of the log is not exactly the order of time.
/// </summary>
/// <param name="From">Index of the file's first leaf; where it has none, of the leaf that would be.</param>
public readonly record struct AuditSpan(AuditSpanKind Kind, long From)
{
    public static AuditSpan Whole => default;

    public static AuditSpan Live(long from) => new(AuditSpanKind.Live, from);

    public static AuditSpan Archive(long from) => new(AuditSpanKind.Archive, from);
}
