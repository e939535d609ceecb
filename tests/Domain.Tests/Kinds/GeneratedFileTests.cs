using System.Text;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;

namespace Governor.Domain.Tests.Kinds;

/// <summary>
/// What is generated from the kind table and checked in is current. <c>scripts/generate.sh</c> runs the same tests with
/// <c>GOVERNOR_REGENERATE=1</c>, which writes the files first.
/// </summary>
public sealed class GeneratedFileTests
{
    private const string Begin = "<!-- generated: kinds -->\n";
    private const string End = "<!-- end of generated: kinds -->\n";

    private static bool Regenerates { get; } = Environment.GetEnvironmentVariable("GOVERNOR_REGENERATE") == "1";

    [Fact]
    public void The_files_in_deploy_crds_are_current() => AssertCurrent("deploy/crds", "*.yaml", CrdGenerator.All());

    [Fact]
    public void The_table_in_the_document_of_the_kinds_is_current()
    {
        var path = Path.Combine(Root(), "docs", "kinds.md");
        var text = File.ReadAllText(path);
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal), text.IndexOf(End, StringComparison.Ordinal));
        Assert.True(begin >= 0 && end > begin, $"docs/kinds.md: expected {Begin.Trim()} and {End.Trim()} around the table");
        var expected = text[..(begin + Begin.Length)] + Table() + text[end..];
        if (Regenerates)
            File.WriteAllText(path, expected);

        Assert.True(File.ReadAllText(path) == expected, "docs/kinds.md is not what the kind table says. Run scripts/generate.sh");
    }

    private static void AssertCurrent(string folder, string pattern, IReadOnlyCollection<GeneratedFile> expected)
    {
        var root = Path.Combine(Root(), folder);
        if (Regenerates)
            Write(root, pattern, expected);

        var found = Directory.EnumerateFiles(root, pattern, SearchOption.AllDirectories)
            .ToDictionary(path => Path.GetRelativePath(root, path).Replace('\\', '/'), File.ReadAllText, StringComparer.Ordinal);
        var stale = expected.Where(file => found.GetValueOrDefault(file.FileName) != file.Text).Select(file => file.FileName)
            .Concat(found.Keys.Except(expected.Select(file => file.FileName)))
            .ToArray();

        Assert.True(stale.Length == 0, $"{folder} is not what Domain/Kinds says: {string.Join(", ", stale)}. Run scripts/generate.sh");
    }

    private static void Write(string root, string pattern, IEnumerable<GeneratedFile> files)
    {
        Directory.CreateDirectory(root);
        foreach (var old in Directory.EnumerateFiles(root, pattern, SearchOption.AllDirectories))
            File.Delete(old);
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, file.FileName))!);
            File.WriteAllText(Path.Combine(root, file.FileName), file.Text);
        }
    }

    private static string Table()
    {
        var table = new StringBuilder();
        foreach (var group in KindTable.Default.Kinds.GroupBy(kind => kind.Group))
        {
            table.Append($"\n### `{group.Key}`\n\n| Kind | Plural | Short | Scope | Owner | Root | Watched | Aliases |\n|---|---|---|---|---|---|---|---|\n");
            foreach (var kind in group)
                table.Append(
                    $"| {kind.Kind} | {kind.Plural} | {string.Join(", ", kind.ShortNames)} | {kind.Scope} | {kind.Owner.Name()} | {Root(kind)} | {(kind.Watched ? "yes" : "")} | {string.Join("<br>", kind.Aliases.Select(alias => $"`{alias.Gvk.Group}/{alias.Gvk.Kind}`"))} |\n");
        }
        return table.Append('\n').ToString();
    }

    private static string Root(KindDescription kind) => kind.LineageRoot switch
    {
        LineageRoot.Always => "always",
        LineageRoot.WhenUnsealed => "when unsealed",
        _ => "",
    };

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Governor.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"expected Governor.sln above {AppContext.BaseDirectory}, found none");
    }
}
