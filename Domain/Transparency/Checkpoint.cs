using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Governor.Domain.Transparency;

/// <summary>A commitment to the log at one size: the text of a C2SP tlog-checkpoint.</summary>
/// <param name="Origin">The log's name, also the name of its key.</param>
public sealed record Checkpoint(string Origin, long Size, TreeHash Root)
{
    /// <summary>Origin, size and root in base64, each on its own line.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root}\n");

    /// <param name="text">The signed part of a note. Extension lines are allowed and not interpreted.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        var lines = text.Split('\n');
        if (lines.Length < 4 || lines[^1].Length != 0 || lines[..^1].Any(line => line.Length == 0))
            return false;
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || size.ToString(CultureInfo.InvariantCulture) != lines[1]
            || !StrictBase64.TryDecode(lines[2], out var root) || root.Length != TreeHash.Size)
            return false;
        checkpoint = new Checkpoint(lines[0], size, new TreeHash(root));
        return true;
    }
}
