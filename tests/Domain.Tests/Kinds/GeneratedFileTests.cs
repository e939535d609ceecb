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
    private static bool Regenerates { get; } = Environment.GetEnvironmentVariable("GOVERNOR_REGENERATE") == "1";

    [Fact]
    public void The_files_in_deploy_crds_are_current() => AssertCurrent("deploy/crds", "*.yaml", CrdGenerator.All());

    [Fact]
    public void The_published_schemas_are_current() => AssertCurrent("schemas", "*.json", PublishedSchemas.All());

    [Fact]
    public void The_table_in_the_document_of_the_kinds_is_current() =>
        AssertCurrentPart("docs/kinds.md", "<!-- generated: kinds -->\n", "<!-- end of generated: kinds -->\n", Table());

    [Fact]
    public void The_role_of_the_silo_is_current() => AssertCurrentPart(
        "deploy/rbac/silo.yaml", "# generated: kinds. From Domain/Kinds/SiloAccess.cs, by scripts/generate.sh\n", "# end of generated: kinds\n", SiloAccess.RulesYaml());

    /// <summary>The part of a file between two lines.</summary>
    private static void AssertCurrentPart(string file, string first, string last, string expectedPart)
    {
        var path = Path.Combine(Root(), file);
        var text = File.ReadAllText(path);
        var (begin, end) = (text.IndexOf(first, StringComparison.Ordinal), text.IndexOf(last, StringComparison.Ordinal));
        Assert.True(begin >= 0 && end > begin, $"{file}: expected the lines '{first.Trim()}' and '{last.Trim()}' around what is generated");
        var expected = text[..(begin + first.Length)] + expectedPart + text[end..];
        if (Regenerates)
            File.WriteAllText(path, expected);

        Assert.True(File.ReadAllText(path) == expected, $"{file} is not what Domain/Kinds says. Run scripts/generate.sh");
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
