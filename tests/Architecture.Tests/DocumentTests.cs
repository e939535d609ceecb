using System.Globalization;
using System.Text.RegularExpressions;
using Governor.Architecture.Tests.Support;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;

namespace Governor.Architecture.Tests;

/// <summary>What the documents say about the code is there.</summary>
public sealed partial class DocumentTests
{
    private const string Operations = "docs/operations.md";

    /// <summary>Which configuration section fills which options.</summary>
    private static readonly Dictionary<string, string> Sections = new()
    {
        ["SiloOptions"] = "Governor:Silo",
        ["ActorHostOptions"] = "Governor:Orleans",
        ["JournalOptions"] = "Governor:Journal",
        ["KubernetesOptions"] = "Governor:Kubernetes",
        ["RegistryOptions"] = "Governor:Registry",
        ["KindOptions"] = "Governor:Kinds",
        ["WatchOptions"] = "Governor:Watches",
        ["DeliveryOptions"] = "Governor:Delivery",
        ["ApprovalOptions"] = "Governor:Approvals",
        ["AuditOptions"] = "Governor:Audit",
        ["AdmissionOptions"] = "Governor:Admission",
        ["WitnessOptions"] = "Governor:Witness",
    };

    private static readonly string[] Configured = ["Silo/", "Journal/", "Watchers/", "Registry/", "Grains/", "Witness/"];

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        var dead =
            from document in SourceTree.Files
            where document.EndsWith(".md", StringComparison.Ordinal)
            from Match link in Link().Matches(SourceTree.Read(document))
            let target = Path.Combine(SourceTree.Root, SourceTree.FolderOf(document), link.Groups[1].Value)
            where !Path.Exists(target)
            select $"{document}: {link.Groups[1].Value}";

        AssertNone(dead, "dead links");
    }

    [Fact]
    public void Every_option_is_in_the_operations_document_and_every_documented_option_exists()
    {
        var options = Options().ToArray();
        var documented = Documented().ToArray();

        AssertNone(options.Where(option => !documented.Contains(option)).Select(option => $"{option.Section}:{option.Name}"), $"options that {Operations} does not name");
        AssertNone(documented.Where(option => !options.Contains(option)).Select(option => $"{option.Section}:{option.Name}"), $"{Operations} names options that are not there");
    }

    [Fact]
    public void Decisions_are_numbered_and_have_date_context_decision_and_consequences()
    {
        var decisions = SourceTree.Files.Where(path => path.StartsWith("docs/decisions/", StringComparison.Ordinal)).ToArray();
        // Numbers are given out in ranges: they may have gaps, and no two decisions have the same.
        var wrong = decisions.SelectMany(DecisionFaults)
            .Concat(decisions.GroupBy(path => Path.GetFileName(path)[..4]).Where(same => same.Count() > 1).Select(same => $"{string.Join(", ", same)}: expected a number of its own for each"));

        Assert.NotEmpty(decisions);
        AssertNone(wrong, "decisions");
    }

    [Fact]
    public void The_roles_in_deploy_name_resources_of_the_kind_table()
    {
        var governed = KindTable.Default.Kinds.Select(kind => $"{kind.Group}/{kind.Plural}")
            .Append($"{ApprovalActions.Group}/{ApprovalActions.Resource}").Append($"{ApprovalActions.Group}/{ApprovalActions.ErasureResource}")
            .Append($"{ApprovalActions.Group}/{AbandonPlan.Resource}")
            .Append($"{PermissionQueries.Group}/{PermissionQueries.Resource}").ToHashSet();
        var unknown =
            from path in SourceTree.Files
            where path.StartsWith("deploy/rbac/", StringComparison.Ordinal)
            from Match rule in Rule().Matches(SourceTree.Read(path))
            from resource in rule.Groups["resources"].Value.Split(',', StringSplitOptions.TrimEntries)
            let name = $"{rule.Groups["group"].Value}/{resource.Split('/')[0]}"
            where !governed.Contains(name)
            select $"{path}: {name}";

        AssertNone(unknown, "no such kind");
    }

    private static IEnumerable<string> DecisionFaults(string path)
    {
        var text = SourceTree.Read(path);
        if (!int.TryParse(Path.GetFileName(path)[..4], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || Path.GetFileName(path)[4] != '-')
        {
            yield return $"{path}: expected a name that begins with four digits and a dash";
            yield break;
        }
        foreach (var expected in (string[])[$"# {number}. ", "\nDate: 20", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n"])
            if (!text.Contains(expected, StringComparison.Ordinal))
                yield return $"{path}: expected '{expected.Trim()}'";
    }

    private static IEnumerable<(string Section, string Name)> Options()
    {
        foreach (var path in SourceTree.Sources.Where(path => Configured.Any(folder => path.StartsWith(folder, StringComparison.Ordinal))))
        {
            var parts = OptionsClass().Split(SourceTree.Read(path));
            // Text before the first class, then name and body by turns.
            for (var i = 1; i + 1 < parts.Length; i += 2)
            {
                var section = Sections.GetValueOrDefault(parts[i]);
                Assert.True(section is not null, $"{path}: expected the section of {parts[i]} in {nameof(DocumentTests)} and {Operations}");
                foreach (Match option in Option().Matches(parts[i + 1].Split("\n}")[0]))
                    yield return (section, option.Groups[1].Value);
            }
        }
    }

    private static IEnumerable<(string Section, string Name)> Documented()
    {
        var parts = SectionHeading().Split(SourceTree.Read(Operations));
        for (var i = 1; i + 1 < parts.Length; i += 2)
            foreach (Match option in OptionRow().Matches(parts[i + 1].Split("\n## ")[0]))
                yield return (parts[i], option.Groups[1].Value);
    }

    private static void AssertNone(IEnumerable<string> wrong, string what)
    {
        var list = wrong.ToArray();
        Assert.True(list.Length == 0, $"{what}:\n  {string.Join("\n  ", list)}");
    }

    [GeneratedRegex(@"\]\((?!https?:|#|mailto:)([^)#]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"public sealed class (\w+Options)\b")]
    private static partial Regex OptionsClass();

    [GeneratedRegex(@"public [\w<>?\[\]]+ (\w+) \{ get; (?:set|init); \}")]
    private static partial Regex Option();

    [GeneratedRegex(@"^### `(Governor:\w+)`$", RegexOptions.Multiline)]
    private static partial Regex SectionHeading();

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex OptionRow();

    [GeneratedRegex(@"apiGroups: \[(?<group>[\w.-]*ontai\.dev)\]\s+resources: \[(?<resources>[^\]]+)\]")]
    private static partial Regex Rule();
}
