namespace Governor.Sandbox.Admission;

/// <summary>The warnings of a webhook as the API server passes them on.</summary>
internal static class WarningTexts
{
    private const int AllInAll = 4096;
    private const int Each = 256;

    /// <summary>Texts with a line break and empty ones vanish; when all are longer than 4 KiB, each is cut to 256 characters.</summary>
    public static IEnumerable<string> Of(IEnumerable<string> sent)
    {
        var texts = sent.Where(t => t.Length > 0 && !t.Any(char.IsControl)).ToArray();
        var isLong = texts.Sum(t => t.Length) > AllInAll;
        return texts.Select(t => isLong && t.Length > Each ? t[..Each] : t);
    }
}
