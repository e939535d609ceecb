using System.Globalization;
using System.Text;

namespace Governor.Domain.Transparency;

/// <summary>
/// A tile of C2SP tlog-tiles: at <see cref="Level"/> L, the hashes of consecutive perfect subtrees of 256^L leaves. Also an entry
/// bundle, which is addressed the same way and has <see cref="Entries"/> for its level.
/// </summary>
/// <param name="Index">The tile's place within its level.</param>
/// <param name="Width">How many hashes or entries it has: 1 to 256; fewer than 256 at the right edge of a tree only.</param>
public readonly record struct Tile(int Level, long Index, int Width)
{
    /// <summary>The level of an entry bundle.</summary>
    public const int Entries = -1;

    /// <summary>How many hashes a full tile has.</summary>
    public const int FullWidth = 256;

    /// <summary>Levels of the tree in one tile.</summary>
    public const int Height = 8;

    /// <summary>A tree of 63-bit size has no level above.</summary>
    public const int HighestLevel = 7;

    private const int HighestNamedLevel = 63;

    public bool IsFull => Width == FullWidth;

    /// <summary>How many complete hashes a tree of this size has at a level.</summary>
    public static long HashesAt(int level, long size) => level <= 0 ? size : level > HighestLevel ? 0 : size >> (Height * level);

    /// <summary>The tile as it is in a tree of <paramref name="size"/> leaves; its width is 0 when it is not there.</summary>
    public static Tile In(long size, int level, long index)
    {
        var (full, rest) = Math.DivRem(HashesAt(level, size), FullWidth);
        return new Tile(level, index, index < full ? FullWidth : index == full ? (int)rest : 0);
    }

    /// <summary>The partial tiles of a tree: none, or one for each level up to its top.</summary>
    public static IEnumerable<Tile> RightEdge(long size)
    {
        for (var level = 0; level <= HighestLevel && HashesAt(level, size) > 0; level++)
        {
            var hashes = HashesAt(level, size);
            if (hashes % FullWidth != 0)
                yield return new Tile(level, hashes >> Height, (int)(hashes % FullWidth));
        }
    }

    /// <summary>Reads what stands behind <c>tile/</c> in the address: <c>0/x001/x234/067</c>, <c>entries/000.p/12</c>.</summary>
    public static bool TryParse(string path, out Tile tile)
    {
        tile = default;
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return false;
        var level = Entries;
        if (path[..slash] != "entries" && !TryParseNumber(path[..slash], 0, HighestNamedLevel, out level))
            return false;
        var rest = path[(slash + 1)..];
        var width = FullWidth;
        if (rest.LastIndexOf(".p/", StringComparison.Ordinal) is >= 0 and var partial)
        {
            if (!TryParseNumber(rest[(partial + 3)..], 1, FullWidth - 1, out width))
                return false;
            rest = rest[..partial];
        }
        if (!TryParseIndex(rest, out var index))
            return false;
        tile = new Tile(level, index, width);
        return true;
    }

    /// <summary>The path behind <c>tile/</c>: three digits to an element, all but the last with an x in front.</summary>
    public override string ToString()
    {
        var path = new StringBuilder();
        path.Insert(0, Last(Index));
        for (var rest = Index / 1000; rest > 0; rest /= 1000)
            path.Insert(0, $"x{Last(rest)}/");
        path.Insert(0, Level == Entries ? "entries/" : string.Create(CultureInfo.InvariantCulture, $"{Level}/"));
        if (!IsFull)
            path.Append(CultureInfo.InvariantCulture, $".p/{Width}");
        return path.ToString();

        static string Last(long number) => (number % 1000).ToString("000", CultureInfo.InvariantCulture);
    }

    private static bool TryParseIndex(string text, out long index)
    {
        index = 0;
        var elements = text.Split('/');
        // Seven elements hold every index there can be.
        if (elements.Length > 7 || elements.Length > 1 && elements[0] == "x000")
            return false;
        for (var i = 0; i < elements.Length; i++)
        {
            var digits = elements[i];
            if (i < elements.Length - 1)
            {
                if (digits is not ['x', ..])
                    return false;
                digits = digits[1..];
            }
            if (digits.Length != 3 || !digits.All(char.IsAsciiDigit))
                return false;
            var value = int.Parse(digits, CultureInfo.InvariantCulture);
            if (index > (long.MaxValue - value) / 1000)
                return false;
            index = index * 1000 + value;
        }
        return true;
    }

    private static bool TryParseNumber(string text, int least, int most, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && number >= least && number <= most && text == number.ToString(CultureInfo.InvariantCulture);
}
