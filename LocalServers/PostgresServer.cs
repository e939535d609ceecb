using System.Diagnostics;
using System.Security.Cryptography;

namespace Governor.LocalServers;

/// <summary>
/// A private PostgreSQL on 127.0.0.1 and a free port, with its data in a folder of ours and fsync on. PostgreSQL refuses to run as
/// root; for root it runs as the system user <c>postgres</c>. Its superuser has a password that was made for it alone: whoever else has
/// an account on this machine can reach the port.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string User = "governor";

    private readonly ChildProcess _process;
    private readonly string _password;

    private PostgresServer(ChildProcess process, int port, string dataFolder, string password)
    {
        _process = process;
        _password = password;
        Port = port;
        DataFolder = dataFolder;
    }

    public int Port { get; }

    public string DataFolder { get; }

    public int ProcessId => _process.Id;

    public string Tail => _process.Tail;

    /// <summary>Superuser of this private server; for the silo, create a role with less.</summary>
    public string ConnectionString(string database = "postgres") =>
        $"Host=127.0.0.1;Port={Port};Username={User};Password={_password};Database={database};Include Error Detail=true";

    /// <summary>Starts on the data in <paramref name="folder"/>, which is made first where there is none.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed or does not start; says what to do.</exception>
    public static async Task<PostgresServer> StartAsync(
        string folder, IReadOnlyDictionary<string, string>? settings = null, CancellationToken cancellation = default)
    {
        var binaries = FindBinaries();
        var data = Path.Combine(folder, "data");
        var passwordFile = Path.Combine(folder, "superuser.password");
        if (!File.Exists(Path.Combine(data, "PG_VERSION")))
            await InitialiseAsync(binaries, folder, data, passwordFile, cancellation).ConfigureAwait(false);
        var password = await File.ReadAllTextAsync(passwordFile, cancellation).ConfigureAwait(false);

        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort.Next();
            string[] arguments =
            [
                "-D", data, "-p", $"{port}", "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories=",
                .. (settings ?? new Dictionary<string, string>()).SelectMany(s => (string[])["-c", $"{s.Key}={s.Value}"]),
            ];
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var (program, prefix) = AsServerUser(Path.Combine(binaries, "postgres"));
            var process = await ChildProcess.StartAsync(
                "postgres", program, [.. prefix, .. arguments], new Dictionary<string, string?> { ["LC_ALL"] = "C.UTF-8" },
                line =>
                {
                    if (line.Contains("database system is ready to accept connections", StringComparison.Ordinal))
                        ready.TrySetResult();
                },
                "INT", cancellation).ConfigureAwait(false);

            try
            {
                var exited = process.WaitForExitAsync(cancellation);
                if (await Task.WhenAny(ready.Task, exited).WaitAsync(TimeSpan.FromSeconds(60), cancellation).ConfigureAwait(false) == ready.Task)
                    return new PostgresServer(process, port, folder, password);
            }
            catch
            {
                await process.DisposeAsync().ConfigureAwait(false);
                throw;
            }
            var tail = process.Tail;
            await process.DisposeAsync().ConfigureAwait(false);
            if (attempt == 3 || !tail.Contains("could not bind", StringComparison.Ordinal))
                throw new InvalidOperationException($"PostgreSQL did not start on the data in {data}:\n{tail}");
        }
    }

    /// <summary>What a crash does: SIGKILL to the postmaster; its children end with it.</summary>
    public Task KillAsync() => _process.KillAsync();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    /// <summary>A password for a role of such a server.</summary>
    public static string NewPassword() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    private static async Task InitialiseAsync(string binaries, string folder, string data, string passwordFile, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        File.Delete(passwordFile);
        var mine = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            mine.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var file = new StreamWriter(passwordFile, mine))
            await file.WriteAsync(NewPassword()).ConfigureAwait(false);
        if (Environment.IsPrivilegedProcess)
            await RunAsync("chown", ["postgres", folder, passwordFile], cancellation).ConfigureAwait(false);
        var (program, prefix) = AsServerUser(Path.Combine(binaries, "initdb"));
        await RunAsync(
            program,
            [.. prefix, "-D", data, "-U", User, "--auth=scram-sha-256", $"--pwfile={passwordFile}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"],
            cancellation).ConfigureAwait(false);
    }

    private static async Task RunAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        try
        {
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output.ConfigureAwait(false)}{await error.ConfigureAwait(false)}");
    }

    private static (string Program, string[] Prefix) AsServerUser(string program) =>
        Environment.IsPrivilegedProcess
            ? ("setpriv", ["--reuid=postgres", "--regid=postgres", "--init-groups", "--", program])
            : (program, []);

    private static string FindBinaries()
    {
        var versions = Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal)
            : Enumerable.Empty<string>();
        var candidates = versions.Select(v => Path.Combine(v, "bin"))
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'));
        return candidates.FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")))
            ?? throw new InvalidOperationException("PostgreSQL is not installed: neither /usr/lib/postgresql nor PATH has initdb; install Debian's package 'postgresql'");
    }
}
