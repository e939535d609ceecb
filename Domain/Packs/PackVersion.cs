using System.Globalization;
using System.Text.RegularExpressions;

namespace Governor.Domain.Packs;

/// <summary>A pack version by convention: SemVer with an optional pack revision, <c>v1.2.3-r4</c>.</summary>
public readonly partial record struct PackVersion(int Major, int Minor, int Patch, int Revision) : IComparable<PackVersion>
{
    public static PackVersion? Parse(string text)
    {
        var match = Shape().Match(text);
        return match.Success
            ? new PackVersion(Number(match, 1), Number(match, 2), Number(match, 3), match.Groups[4].Success ? Number(match, 4) : 0)
            : null;
    }

    public int CompareTo(PackVersion other) => (Major, Minor, Patch, Revision).CompareTo((other.Major, other.Minor, other.Patch, other.Revision));

    public static bool operator <(PackVersion left, PackVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(PackVersion left, PackVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(PackVersion left, PackVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(PackVersion left, PackVersion right) => left.CompareTo(right) >= 0;

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^v?(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-r(\d{1,9}))?$")]
    private static partial Regex Shape();
}
