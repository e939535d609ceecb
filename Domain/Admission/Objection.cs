using System.Text;

namespace Governor.Domain.Admission;

/// <summary>Why a write should not go through.</summary>
/// <param name="Rule">The rule, e.g. <c>rbac.ownership</c>; with the invariant that it keeps where that has a number.</param>
/// <param name="What">The object, as messages name it.</param>
/// <param name="Where">The field.</param>
/// <param name="Remedy">What to do instead, or who can do it.</param>
/// <param name="IsBoundary">Denies also where others only warn.</param>
public sealed record Objection(string Rule, string What, string Where, string Expected, string Found, string Remedy, bool IsBoundary = false)
{
    /// <summary>Of what somebody wrote, in UTF-16 units: it is quoted, not repeated.</summary>
    public const int LongestQuote = 160;

    /// <summary>One line. What others wrote is cut, and holds no control characters: warnings with a line break are dropped.</summary>
    public string Message =>
        $"{Shown(What, 320)}: {Where}: expected {Shown(Expected, LongestQuote * 2)}, found {Shown(Found, LongestQuote)}. {Remedy} ({Rule})";

    /// <summary>A text of others in a message of ours.</summary>
    public static string Shown(string text, int longest)
    {
        var shown = new StringBuilder(Math.Min(text.Length, longest) + 1);
        foreach (var rune in text.EnumerateRunes())
        {
            if (shown.Length + rune.Utf16SequenceLength > longest)
                return shown.Append('…').ToString();
            shown.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }
        return shown.ToString();
    }
}
