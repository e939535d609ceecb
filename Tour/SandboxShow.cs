using Governor.Sandbox;

namespace Governor.Tour;

/// <summary>Sandbox clusters and nothing else, for a person with kubectl.</summary>
internal sealed class SandboxShow(IReadOnlyList<string> names, string? folder)
{
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        if (names.FirstOrDefault(name => name.Length is 0 or > 63 || !name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')) is { } odd)
        {
            await Console.Error.WriteLineAsync($"--sandbox: expected names of lower-case letters, digits and dashes, at most 63 each, found '{odd}'");
            return 2;
        }
        var place = folder ?? Directory.CreateTempSubdirectory("governor-sandbox-").FullName;
        Directory.CreateDirectory(place);
        var clusters = new List<SandboxCluster>();
        try
        {
            foreach (var name in names.Distinct())
            {
                var cluster = await SandboxCluster.StartAsync(new SandboxOptions(name), cancellation);
                clusters.Add(cluster);
                var file = Path.Combine(place, $"{name}.kubeconfig");
                await WriteAsync(file, cluster.Kubeconfig, cancellation);
                Console.WriteLine($"{name}  {cluster.Url}  kubectl --kubeconfig {file} get all -A");
            }
            Console.WriteLine("Switch faults with 'kubectl create --raw /sandbox/faults -f FILE' (docs/sandbox.md says which). Ctrl-C ends everything.");
            await Task.Delay(Timeout.Infinite, cancellation);
            return 0;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return 0;
        }
        finally
        {
            foreach (var cluster in clusters)
                await cluster.DisposeAsync();
            if (folder is null)
                Directory.Delete(place, recursive: true);
        }
    }

    /// <summary>An administrator's token is in it: for the owner's eyes only, from the first byte on.</summary>
    private static async Task WriteAsync(string file, string kubeconfig, CancellationToken cancellation)
    {
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var writer = new StreamWriter(file, options);
        await writer.WriteAsync(kubeconfig.AsMemory(), cancellation);
    }
}
