namespace Governor.Cli;

/// <summary>A table as kubectl prints it: columns as wide as they need to be, three spaces between, the last one free.</summary>
internal static class Table
{
    private const string Gap = "   ";

    public static void Write(TextWriter output, string[] columns, IReadOnlyList<string[]> rows)
    {
        var widths = columns.Select((name, i) => rows.Select(row => row[i].Length).Append(name.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(columns))
            output.WriteLine(string.Join(Gap, row.Select((cell, i) => i == row.Length - 1 ? cell : (cell.Length == 0 ? "-" : cell).PadRight(widths[i]))).TrimEnd());
    }
}
