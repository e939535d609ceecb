using System.Xml.Linq;
using Governor.Architecture.Tests.Support;

namespace Governor.Architecture.Tests;

/// <summary>The arrows between the projects, on both actor hosts.</summary>
public sealed class ProjectTests
{
    private static readonly string[] PackagesOfTheGrainApi =
        ["Microsoft.Orleans.Sdk", "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Reminders"];

    public static TheoryData<string> ActorHosts => ["Embedded", "Orleans"];

    [Fact]
    public void Every_project_has_a_place_in_the_house()
    {
        var homeless = ProjectFile.All("Embedded").Select(project => project.Folder).Where(folder => House.AllowedFor(folder) is null).ToArray();

        Assert.True(homeless.Length == 0,
            $"nobody has said what these projects may reference: {string.Join(", ", homeless)}. Add them to {House.HowToAdd}");
    }

    [Fact]
    public void The_house_has_no_empty_rooms()
    {
        var folders = ProjectFile.All("Embedded").Select(project => project.Folder).ToHashSet();
        var gone = House.MayReference.Keys.Where(folder => !folders.Contains(folder)).ToArray();

        Assert.True(gone.Length == 0, $"these projects are not there any more: {string.Join(", ", gone)}. Remove them from {House.HowToAdd}");
    }

    [Fact]
    public void The_architecture_document_names_every_project()
    {
        var document = SourceTree.Read("docs/architecture.md");
        var missing = ProjectFile.All("Embedded").Select(project => project.Folder)
            .Where(folder => !folder.StartsWith("tests/", StringComparison.Ordinal) && !document.Contains($"`{folder}/`", StringComparison.Ordinal))
            .ToArray();

        Assert.True(missing.Length == 0, $"docs/architecture.md does not say what these projects are for: {string.Join(", ", missing)}");
    }

    [Theory]
    [MemberData(nameof(ActorHosts))]
    public void References_point_down_only(string actorHost)
    {
        var wrong =
            from project in ProjectFile.All(actorHost)
            let allowed = House.AllowedFor(project.Folder) ?? []
            from reference in project.Projects
            where !allowed.Contains(reference)
            select $"{project.Folder} -> {reference} (allowed: {(allowed.IsEmpty ? "nothing" : string.Join(", ", allowed))})";

        AssertNone(wrong, $"projects reference what they must not. If an arrow is missing from the architecture, decide so in docs/decisions and add it to {House.HowToAdd}");
    }

    [Theory]
    [MemberData(nameof(ActorHosts))]
    public void References_lead_to_projects_that_are_there(string actorHost)
    {
        var projects = ProjectFile.All(actorHost);
        var folders = projects.Select(project => project.Folder).ToHashSet();

        AssertNone(
            projects.SelectMany(project => project.Projects.Where(reference => !folders.Contains(reference)).Select(reference => $"{project.Path} -> {reference}")),
            "references lead nowhere");
    }

    [Theory]
    [MemberData(nameof(ActorHosts))]
    public void The_compiler_reaches_no_cluster(string actorHost) =>
        AssertNone(Closure("Compiler", actorHost).Intersect(House.ReachesClusters), "the compiler references what can reach a cluster");

    [Theory]
    [MemberData(nameof(ActorHosts))]
    public void The_command_line_and_the_sandbox_know_nothing_of_the_actors(string actorHost)
    {
        string[] actors = ["Grains", "Watchers", "Registry", "Silo"];

        AssertNone(Closure("Cli", actorHost).Intersect(actors), "the command line is for offline work, the journal's database and the silo's HTTP API, but references");
        AssertNone(Closure("Sandbox", actorHost).Intersect([.. actors, "Grains.Interfaces", "Journal"]), "the sandbox stands in for Kubernetes, but references");
    }

    [Fact]
    public void Built_for_Orleans_nothing_references_the_embedded_host()
    {
        var wrong = ProjectFile.All("Orleans")
            .Where(project => !project.Folder.StartsWith("Embedded/", StringComparison.Ordinal))
            .SelectMany(project => project.Projects.Where(reference => reference.StartsWith("Embedded/", StringComparison.Ordinal)).Select(reference => $"{project.Folder} -> {reference}"));

        AssertNone(wrong, "two actor hosts in one process");
    }

    [Fact]
    public void Built_for_the_embedded_host_nothing_references_Orleans()
    {
        var wrong =
            from project in ProjectFile.All("Embedded")
            from package in project.Packages
            where package.StartsWith("Microsoft.Orleans.", StringComparison.Ordinal)
            select $"{project.Folder} -> {package}";

        AssertNone(wrong, "the embedded build must restore where there are no Orleans packages");
    }

    [Theory]
    [MemberData(nameof(ActorHosts))]
    public void Domain_has_no_packages_but_the_one_that_defines_the_serialization_attributes(string actorHost)
    {
        var domain = ProjectFile.Load("Domain/Governor.Domain.csproj", actorHost);

        Assert.Equal(actorHost == "Orleans" ? ["Microsoft.Orleans.Sdk"] : [], domain.Packages);
        Assert.Empty(domain.Frameworks);
    }

    [Theory]
    [MemberData(nameof(ActorHosts))]
    public void The_actors_and_their_contracts_have_no_packages_but_the_grain_API(string actorHost)
    {
        var allowed = actorHost == "Orleans" ? PackagesOfTheGrainApi : [];
        var wrong =
            from path in (string[])["Grains.Interfaces/Governor.Grains.Interfaces.csproj", "Grains/Governor.Grains.csproj"]
            let project = ProjectFile.Load(path, actorHost)
            from package in project.Packages
            where !allowed.Contains(package)
            select $"{project.Folder} -> {package}";

        AssertNone(wrong, "what an actor needs from outside is a port in Grains.Interfaces/Ports, implemented by the edge");
    }

    [Fact]
    public void Only_project_files_and_the_shared_targets_add_references()
    {
        var shared = XDocument.Parse(SourceTree.Read("Directory.Build.props")).Descendants()
            .Where(element => element.Name.LocalName is "ProjectReference" or "PackageReference" or "FrameworkReference");

        Assert.Empty(shared);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = SourceTree.Read("Governor.sln").Replace('\\', '/');

        AssertNone(
            SourceTree.ProjectFiles.Where(project => !solution.Contains($"\"{project}\"", StringComparison.Ordinal)),
            "projects are missing from Governor.sln; dotnet sln add");
    }

    private static HashSet<string> Closure(string folder, string actorHost)
    {
        var projects = ProjectFile.All(actorHost).ToDictionary(project => project.Folder);
        var reached = new HashSet<string>();
        var open = new Queue<string>([folder]);
        while (open.TryDequeue(out var next))
            foreach (var reference in projects[next].Projects.Where(reached.Add))
                open.Enqueue(reference);
        return reached;
    }

    private static void AssertNone(IEnumerable<string> wrong, string because)
    {
        var list = wrong.ToArray();
        Assert.True(list.Length == 0, $"{because}:\n  {string.Join("\n  ", list)}");
    }
}
