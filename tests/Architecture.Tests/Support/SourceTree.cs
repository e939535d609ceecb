using System.Diagnostics;

namespace Governor.Architecture.Tests.Support;

/// <summary>The files of the project, as version control sees them.</summary>
internal static class SourceTree
{
    private static readonly string[] Made = ["artifacts", "bin", "obj", "TestResults", ".git", ".vs", ".idea", ".vscode"];

    public static string Root { get; } = FindRoot();

    /// <summary>Paths below the root, with '/'. Tracked files and those that are about to be; without git, everything that no build made.</summary>
    public static IReadOnlyList<string> Files { get; } = [.. (Git() ?? Walk()).Where(path => File.Exists(FullPath(path))).Order(StringComparer.Ordinal)];

    public static IEnumerable<string> Sources => Files.Where(path => path.EndsWith(".cs", StringComparison.Ordinal));

    public static IEnumerable<string> ProjectFiles => Files.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal));

    public static string FullPath(string path) => Path.Combine(Root, path);

    public static string Read(string path) => File.ReadAllText(FullPath(path));

    /// <summary>The folder of a path, with '/'; "" at the root.</summary>
    public static string FolderOf(string path) => path.LastIndexOf('/') is var at and >= 0 ? path[..at] : "";

    /// <summary>The project whose folder holds a file: the nearest one above it.</summary>
    public static string? ProjectOf(string path)
    {
        for (var folder = FolderOf(path); ; folder = FolderOf(folder))
        {
            if (ProjectFiles.FirstOrDefault(project => FolderOf(project) == folder) is { } found)
                return found;
            if (folder.Length == 0)
                return null;
        }
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Governor.sln")))
                return folder;
        throw new InvalidOperationException($"expected Governor.sln in a folder above {AppContext.BaseDirectory}, found none");
    }

    private static string[]? Git()
    {
        if (!Path.Exists(Path.Combine(Root, ".git")))
            return null;
        try
        {
            var start = new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            {
                WorkingDirectory = Root,
                RedirectStandardOutput = true,
            };
            using var git = Process.Start(start)!;
            var output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? output.Split('\0', StringSplitOptions.RemoveEmptyEntries) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // git is not installed.
            return null;
        }
    }

    private static IEnumerable<string> Walk() => Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
        .Where(path => !path.Split('/').Any(Made.Contains));
}
