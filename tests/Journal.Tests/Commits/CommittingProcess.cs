using Governor.Grains.Interfaces.Ports;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Commits;

/// <summary>
/// This assembly as a program of its own: a silo that commits until it is killed, and says on its output what it was told. One grain
/// after the other, so that its n-th commit is its n-th statement.
/// </summary>
public static class CommittingProcess
{
    /// <summary>The environment variable with the connection string; it holds a password.</summary>
    public const string Connection = "GOVERNOR_COMMIT_TO";

    private const int Grains = 3;

    /// <summary>Expects the name under which it commits and the folder of its key.</summary>
    public static async Task<int> Main(string[] arguments)
    {
        if (arguments is not [var name, var folder] || Environment.GetEnvironmentVariable(Connection) is not { } connection)
        {
            await Console.Error.WriteLineAsync($"expected a name, a folder, and a connection string in {Connection}");
            return 2;
        }
        await using var bed = new JournalBed(connection, Path.Combine(folder, "log.key"));
        var silo = bed.Start();
        for (var version = 0; ; version++)
        {
            for (var grain = 0; grain < Grains; grain++)
            {
                await TellAsync(silo, Commit($"{name}-{grain}", version, Event($"{name}-{grain}"), Event($"{name}-shared")));
                if (version > 0)
                    await TellAsync(silo, Commit($"{name}-{grain}", version - 1, Event($"{name}-{grain}", "pack.late")));
            }
        }
    }

    private static async Task TellAsync(Silo silo, Commit commit)
    {
        var answer = await silo.CommitAsync(commit);
        Console.WriteLine($"{(answer.Outcome == CommitOutcome.Committed ? "committed" : "conflict")} {commit.Id}");
    }
}
