using System.Diagnostics;

namespace Governor.Journal.Tests.Commits;

/// <summary>
/// A file system of its own that is full when we say so: a tmpfs of a given size, with a file on it that takes what is left. Mounting
/// needs the right to: the tests of this assembly that use it run as root, as the servers' installation does.
/// </summary>
internal sealed class SmallDisk : IDisposable
{
    private SmallDisk(string folder)
    {
        Folder = folder;
    }

    public string Folder { get; }

    private string Ballast => Path.Combine(Folder, "ballast");

    public static SmallDisk Mount(int mebibytes)
    {
        var folder = Directory.CreateTempSubdirectory("governor-disk-").FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m,mode=0755", "tmpfs", folder);
        return new SmallDisk(folder);
    }

    /// <summary>A folder on it that PostgreSQL's user owns.</summary>
    public string FolderForServer(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;
        Run("chown", "postgres", folder);
        return folder;
    }

    public void Fill()
    {
        using var ballast = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var page = new byte[4096]; ;)
                ballast.Write(page);
        }
        catch (IOException)
        {
            // No space left on device, as intended.
        }
    }

    public void Empty() => File.Delete(Ballast);

    public void Dispose()
    {
        Run("umount", "--lazy", Folder);
        Directory.Delete(Folder);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {error.Trim()}; the tests with a full disk need the right to mount a tmpfs");
    }
}
