using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Governor.Architecture.Tests.Support;

/// <summary>
/// What a project references when it is built for one actor host: read from its project file, what that imports, and what
/// Directory.Build.targets adds.
/// </summary>
internal sealed partial class ProjectFile
{
    private const string SharedTargets = "Directory.Build.targets";

    private readonly Dictionary<string, string> _properties;
    private readonly List<string> _projects = [];
    private readonly List<string> _packages = [];
    private readonly List<string> _frameworks = [];

    private ProjectFile(string path, string actorHost)
    {
        Path = path;
        var name = System.IO.Path.GetFileNameWithoutExtension(path);
        _properties = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["ActorHost"] = actorHost,
            ["MSBuildProjectName"] = name,
            ["IsTestProject"] = name.EndsWith(".Tests", StringComparison.Ordinal) ? "true" : "",
        };
        Evaluate(path);
        Evaluate(SharedTargets);
    }

    public string Path { get; }

    /// <summary>The folder that the project lives in: its name in the house.</summary>
    public string Folder => SourceTree.FolderOf(Path);

    /// <summary>Where the project's namespaces begin.</summary>
    public string RootNamespace => _properties.GetValueOrDefault("RootNamespace") ?? _properties["MSBuildProjectName"];

    /// <summary>Folders of the projects that are referenced directly.</summary>
    public IReadOnlyList<string> Projects => _projects;

    public IReadOnlyList<string> Packages => _packages;

    public IReadOnlyList<string> Frameworks => _frameworks;

    public static ProjectFile Load(string path, string actorHost) => new(path, actorHost);

    public static IReadOnlyList<ProjectFile> All(string actorHost) => [.. SourceTree.ProjectFiles.Select(path => Load(path, actorHost))];

    private void Evaluate(string file)
    {
        foreach (var element in XDocument.Parse(SourceTree.Read(file)).Root!.Elements().Where(element => Applies(element, file)))
            switch (element.Name.LocalName)
            {
                case "PropertyGroup":
                    foreach (var property in element.Elements().Where(property => Applies(property, file)))
                        _properties[property.Name.LocalName] = Expand(property.Value, file);
                    break;
                case "ItemGroup":
                    foreach (var item in element.Elements().Where(item => Applies(item, file)))
                        Add(item, file);
                    break;
                case "Import":
                    Evaluate(Resolve(Expand(element.Attribute("Project")!.Value, file), file));
                    break;
            }
    }

    private void Add(XElement item, string file)
    {
        foreach (var included in Expand(item.Attribute("Include")?.Value ?? "", file).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            switch (item.Name.LocalName)
            {
                case "ProjectReference":
                    _projects.Add(SourceTree.FolderOf(Resolve(included, file)));
                    break;
                case "PackageReference":
                    _packages.Add(included);
                    break;
                case "FrameworkReference":
                    _frameworks.Add(included);
                    break;
            }
    }

    private bool Applies(XElement element, string file) => MsBuildCondition.Holds(element.Attribute("Condition")?.Value, text => Expand(text, file));

    private string Expand(string text, string file) => Property().Replace(text, match => match.Groups[1].Value == "MSBuildThisFileDirectory"
        ? $"{System.IO.Path.GetDirectoryName(SourceTree.FullPath(file))}/"
        : _properties.GetValueOrDefault(match.Groups[1].Value, ""));

    // Paths in project files are relative to the project, whichever file says them; ours are absolute where that matters.
    private string Resolve(string reference, string file)
    {
        var from = file == SharedTargets ? SourceTree.Root : SourceTree.FullPath(Folder);
        var full = System.IO.Path.GetFullPath(System.IO.Path.Combine(from, reference.Replace('\\', '/')));
        return System.IO.Path.GetRelativePath(SourceTree.Root, full).Replace('\\', '/');
    }

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Property();
}
