using System.Diagnostics;
using System.Globalization;

namespace Governor.Tour.Tests.Support;

/// <summary>A process and everything that it started, and the sockets on which they listen: as the kernel tells it.</summary>
internal sealed record ProcessTree(IReadOnlyList<int> Processes, IReadOnlyDictionary<string, int> ListeningPortsByInode)
{
    private const string Listening = "0A"; // TCP_LISTEN in /proc/net/tcp

    public static ProcessTree Of(int root)
    {
        var parents = All().Select(pid => (Pid: pid, Parent: ParentOf(pid))).ToList();
        var tree = new List<int> { root };
        for (var i = 0; i < tree.Count; i++)
            tree.AddRange(parents.Where(p => p.Parent == tree[i]).Select(p => p.Pid));
        var sockets = tree.SelectMany(SocketsOf).ToHashSet();
        return new ProcessTree(tree, Ports().Where(port => sockets.Contains(port.Key)).ToDictionary());
    }

    /// <summary>Processes whose command line or environment mentions a text.</summary>
    public static IReadOnlyList<string> Mentioning(string text) =>
        [.. All().Where(pid => pid != Environment.ProcessId && (Read(pid, "cmdline") + Read(pid, "environ")).Contains(text, StringComparison.Ordinal)).Select(pid => $"{pid} {Read(pid, "cmdline").Replace('\0', ' ')}")];

    /// <summary>Those of the tree's sockets that still listen.</summary>
    public IReadOnlyList<int> OpenPorts()
    {
        var open = Ports();
        return [.. ListeningPortsByInode.Where(p => open.ContainsKey(p.Key)).Select(p => p.Value)];
    }

    /// <summary>Waits until every process of the tree has ended: the last ones may need a moment to be reaped.</summary>
    public async Task EndedAsync()
    {
        foreach (var pid in Processes)
        {
            Process process;
            try
            {
                process = Process.GetProcessById(pid);
            }
            catch (ArgumentException)
            {
                continue;
            }
            using (process)
                await Awaiting.DoneAsync(process.WaitForExitAsync(), $"the end of process {pid}", () => Read(pid, "cmdline").Replace('\0', ' '));
        }
    }

    private static IEnumerable<int> All() => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0);

    // "pid (name) state parent …"; the name may hold anything, brackets too.
    private static int ParentOf(int pid) => Read(pid, "stat") is { Length: > 0 } stat
        ? int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture)
        : 0;

    private static IEnumerable<string> SocketsOf(int pid)
    {
        try
        {
            return [.. Directory.EnumerateFiles($"/proc/{pid}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")
                .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal)).Select(target => target[8..^1])];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // it has ended meanwhile, or is not ours to look into
        }
    }

    private static Dictionary<string, int> Ports() => ((string[])["/proc/net/tcp", "/proc/net/tcp6"])
        .Where(File.Exists)
        .SelectMany(file => File.ReadLines(file).Skip(1))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(fields => fields[3] == Listening)
        .GroupBy(fields => fields[9])
        .ToDictionary(group => group.Key, group => int.Parse(group.First()[1].Split(':')[^1], NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
