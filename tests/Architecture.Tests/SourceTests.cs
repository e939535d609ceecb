using System.Text;
using System.Text.RegularExpressions;
using Governor.Architecture.Tests.Support;

namespace Governor.Architecture.Tests;

/// <summary>Rules that are kept in the text of the files.</summary>
public sealed partial class SourceTests
{
    private static readonly string[] Switchless = ["Domain/", "Grains/", "Grains.Interfaces/"];

    // Written in halves, so that this file does not find itself.
    private static readonly string[] MachinePaths = ["/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "/tmp" + "/wt"];

    /// <summary>Who may read the machine's clock, and why. Everybody else is given a TimeProvider.</summary>
    private static readonly (string Path, string Why)[] ClockReaders =
    [
        ("tests/", "tests may say what time it is"),
        ("bench/", "so may measurements"),
        ("Sandbox/ClusterCertificates.cs", "certificates are checked by others, against the machine's clock"),
    ];

    [Fact]
    public void The_actor_host_is_switched_in_project_files_and_not_in_sources()
    {
        var wrong = SourceTree.Sources.Where(path => Switchless.Any(folder => path.StartsWith(folder, StringComparison.Ordinal)))
            .Where(path => Directive().IsMatch(SourceTree.Read(path)));

        AssertNone(wrong, "#if in");
    }

    [Fact]
    public void Namespaces_follow_folders()
    {
        var wrong = new List<string>();
        var roots = ProjectFile.All("Embedded").ToDictionary(project => project.Path, project => project.RootNamespace);
        foreach (var path in SourceTree.Sources.Where(path => !IsOrleansOwn(path)))
        {
            if (Namespace().Match(SourceTree.Read(path)) is not { Success: true } found)
                continue;
            if (SourceTree.ProjectOf(path) is not { } project)
            {
                wrong.Add($"{path}: belongs to no project");
                continue;
            }
            var inside = SourceTree.FolderOf(path)[SourceTree.FolderOf(project).Length..].Replace('/', '.');
            var expected = roots[project] + inside;
            if (found.Groups["name"].Value != expected || found.Groups["block"].Success)
                wrong.Add($"{path}: expected 'namespace {expected};', found '{found.Value.Trim()}'");
        }

        AssertNone(wrong, "namespaces");
    }

    [Fact]
    public void Only_programs_have_no_namespace()
    {
        string[] alone = ["Program.cs", "GlobalUsings.cs", "AssemblyInfo.cs"];
        var wrong = SourceTree.Sources.Where(path => !Namespace().IsMatch(SourceTree.Read(path)) && !alone.Contains(Path.GetFileName(path)));

        AssertNone(wrong, "files without a namespace");
    }

    [Fact]
    public void Nobody_reads_the_machines_clock()
    {
        var wrong = SourceTree.Sources
            .Where(path => !ClockReaders.Any(reader => path.StartsWith(reader.Path, StringComparison.Ordinal)))
            .Where(path => Clock().IsMatch(SourceTree.Read(path)));

        AssertNone(wrong, "take a TimeProvider instead of reading the clock");
    }

    [Fact]
    public void Actors_reach_the_outside_through_ports_only()
    {
        var wrong = SourceTree.Sources.Where(path => path.StartsWith("Grains/", StringComparison.Ordinal) || path.StartsWith("Grains.Interfaces/", StringComparison.Ordinal))
            .Where(path => Outside().IsMatch(SourceTree.Read(path)));

        AssertNone(wrong, "an actor, or its contract, opens files or connections");
    }

    [Fact]
    public void No_file_names_a_place_on_somebodys_machine()
    {
        var wrong =
            from path in SourceTree.Files
            let content = File.ReadAllBytes(SourceTree.FullPath(path))
            where !content.Contains((byte)0)
            let text = Encoding.UTF8.GetString(content)
            from place in MachinePaths
            where text.Contains(place, StringComparison.Ordinal)
            select $"{path}: {place}";

        AssertNone(wrong, "absolute paths of a machine");
    }

    // The embedded host offers Orleans' own grain API, under Orleans' own names.
    private static bool IsOrleansOwn(string path) =>
        path.StartsWith("Embedded/Abstractions/", StringComparison.Ordinal) || path.StartsWith("Embedded/Runtime/Orleans/", StringComparison.Ordinal);

    private static void AssertNone(IEnumerable<string> wrong, string what)
    {
        var list = wrong.ToArray();
        Assert.True(list.Length == 0, $"{what}:\n  {string.Join("\n  ", list)}");
    }

    [GeneratedRegex(@"^\s*#\s*if\b", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"^namespace\s+(?<name>[\w.]+)(;|\s*(?<block>\{))", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\bDateTime(Offset)?\s*\.\s*(Now|UtcNow|Today)\b")]
    private static partial Regex Clock();

    [GeneratedRegex(@"\bSystem\.(IO|Net)\b|\bNpgsql\b|\bHttpClient\b|\bFile\.|\bDirectory\.|\bProcess\.Start\b|\bSocket\b")]
    private static partial Regex Outside();
}
