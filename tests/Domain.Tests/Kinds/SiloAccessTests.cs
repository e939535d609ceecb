using System.Text.RegularExpressions;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Tests.Kinds;

/// <summary>The silo's role: what the kinds that it follows need, and no more.</summary>
public sealed partial class SiloAccessTests
{
    [Fact]
    public void Every_kind_that_is_watched_can_be_followed_and_no_other()
    {
        var watched = KindTable.Default.Watched.Where(kind => Routes.Follows(kind.Gvk)).Select(kind => kind.Kind);

        var followed = SiloAccess.All.Where(row => row.Use.HasFlag(SiloUse.Follows)).Select(row => row.Kind.Kind);

        Assert.Equal(watched.Order(StringComparer.Ordinal), followed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_kind_is_there_once_and_in_the_table()
    {
        Assert.Equal(SiloAccess.All.Length, SiloAccess.All.Select(row => row.Kind).Distinct().Count());
        Assert.All(SiloAccess.All, row => Assert.NotNull(KindTable.Default.Find(row.Kind)));
    }

    [Fact]
    public void No_role_grants_everything_or_more_than_its_holder_has()
    {
        var rules = Directory.EnumerateFiles(Path.Combine(Root(), "deploy", "rbac"), "*.yaml").SelectMany(file => Lists().Matches(File.ReadAllText(file)))
            .SelectMany(list => list.Groups["items"].Value.Split(',', StringSplitOptions.TrimEntries)).ToArray();

        Assert.NotEmpty(rules);
        Assert.DoesNotContain("*", rules.Select(item => item.Trim('"', '\'')));
        Assert.DoesNotContain("escalate", rules);
        Assert.DoesNotContain("bind", rules);
        Assert.DoesNotContain("impersonate", rules);
    }

    [Fact]
    public void The_silo_changes_no_declaration_of_others()
    {
        foreach (var (kind, use) in SiloAccess.All.Where(row => KindTable.Default.Get(row.Kind).LineageRoot == LineageRoot.Always))
            Assert.True((use & (SiloUse.Makes | SiloUse.Removes)) == 0, $"{kind}: humans declare it, expected the silo to report on it only, found {use}");
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Governor.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"expected Governor.sln above {AppContext.BaseDirectory}, found none");
    }

    [GeneratedRegex(@"(?:apiGroups|resources|verbs): \[(?<items>[^\]]*)\]")]
    private static partial Regex Lists();
}
