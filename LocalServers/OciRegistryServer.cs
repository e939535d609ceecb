using System.Net;

namespace Governor.LocalServers;

/// <summary>A private OCI registry (Debian's docker-registry) on 127.0.0.1 and a free port, its blobs in a folder of ours.</summary>
public sealed class OciRegistryServer : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private OciRegistryServer(ChildProcess process, int port, string folder)
    {
        _process = process;
        Port = port;
        Folder = folder;
    }

    public int Port { get; }

    public string Folder { get; }

    /// <summary><c>127.0.0.1:port</c>, the host part of image references.</summary>
    public string Host => $"127.0.0.1:{Port}";

    public string Tail => _process.Tail;

    /// <exception cref="InvalidOperationException">The registry is not installed or does not start; says what to do.</exception>
    public static async Task<OciRegistryServer> StartAsync(string folder, CancellationToken cancellation = default)
    {
        const string Program = "/usr/bin/docker-registry";
        if (!File.Exists(Program))
            throw new InvalidOperationException($"the OCI registry is not installed: {Program} is missing; install Debian's package 'docker-registry'");
        Directory.CreateDirectory(folder);
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            var configuration = Path.Combine(folder, "config.yml");
            await File.WriteAllTextAsync(configuration, $"""
                version: 0.1
                log: {"{"} level: warn {"}"}
                storage:
                  filesystem:
                    rootdirectory: {Path.Combine(folder, "blobs")}
                  delete:
                    enabled: true
                http:
                  addr: 127.0.0.1:{port}
                """, cancellation).ConfigureAwait(false);
            var process = await ChildProcess.StartAsync(
                "docker-registry", Program, ["serve", configuration],
                new Dictionary<string, string?> { ["OTEL_TRACES_EXPORTER"] = "none" }, cancellation: cancellation).ConfigureAwait(false);
            try
            {
                if (await AnswersAsync(process, port, cancellation).ConfigureAwait(false))
                    return new OciRegistryServer(process, port, folder);
            }
            catch
            {
                await process.DisposeAsync().ConfigureAwait(false);
                throw;
            }
            var tail = process.Tail;
            await process.DisposeAsync().ConfigureAwait(false);
            if (attempt == 3)
                throw new InvalidOperationException($"the OCI registry did not start:\n{tail}");
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static async Task<bool> AnswersAsync(ChildProcess process, int port, CancellationToken cancellation)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        for (var attempt = 0; attempt < 100 && !process.HasExited; attempt++)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/v2/"), cancellation).ConfigureAwait(false);
                if (answer.StatusCode == HttpStatusCode.OK)
                    return true;
            }
            catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellation.IsCancellationRequested))
            {
                // Not listening yet, or too busy to answer in time.
            }
            await Task.Delay(50, cancellation).ConfigureAwait(false);
        }
        return false;
    }
}
