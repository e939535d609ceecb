using System.Diagnostics;
using System.Text;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <summary>Runs PostgreSQL's own pg_dump and pg_restore. The password goes to them by their environment, never by their arguments.</summary>
public sealed class PostgresTools(string? folder = null)
{
    private const int TailLines = 20;

    /// <exception cref="RecoveryException">The program is not there, or failed; says why and what to do.</exception>
    public async Task RunAsync(string program, string connectionString, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(Find(program)) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in Environment(connectionString))
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var tail = TailAsync(process.StandardError);
        var drained = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        await drained;
        if (process.ExitCode != 0)
            throw new RecoveryException($"{program} ended with {process.ExitCode}: {await tail}");
    }

    private string Find(string program)
    {
        // Debian keeps each version's programs apart, and only wrappers of them on the path: the newest speaks to all older servers.
        IEnumerable<string> folders = folder is not null
            ? [folder]
            :
            [
                .. Directory.Exists("/usr/lib/postgresql")
                    ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(f => int.TryParse(Path.GetFileName(f), out var version) ? version : 0).Select(f => Path.Combine(f, "bin"))
                    : [],
                .. (System.Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            ];
        return folders.Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists)
            ?? throw new RecoveryException($"{program} was not found in {string.Join(", ", folders)}; install PostgreSQL's client programs (Debian: postgresql-client), or name their folder with --postgres-programs");
    }

    private static IEnumerable<(string Name, string? Value)> Environment(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        yield return ("PGHOST", settings.Host);
        yield return ("PGPORT", $"{settings.Port}");
        yield return ("PGUSER", settings.Username);
        yield return ("PGPASSWORD", settings.Password);
        yield return ("PGPASSFILE", settings.Passfile);
        yield return ("PGDATABASE", settings.Database);
        yield return ("PGSSLMODE", settings.SslMode.ToString().ToLowerInvariant() switch { "verifyca" => "verify-ca", "verifyfull" => "verify-full", var mode => mode });
        yield return ("PGSSLROOTCERT", settings.RootCertificate);
        yield return ("PGAPPNAME", "governor recovery");
    }

    private static async Task<string> TailAsync(StreamReader lines)
    {
        var tail = new Queue<string>();
        while (await lines.ReadLineAsync() is { } line)
        {
            tail.Enqueue(line);
            if (tail.Count > TailLines)
                tail.Dequeue();
        }
        return new StringBuilder().AppendJoin('\n', tail).ToString();
    }
}

/// <summary>A backup, a restore or an archive cannot be made; the message says what, where, expected, found.</summary>
public sealed class RecoveryException(string message, Exception? inner = null) : Exception(message, inner);
