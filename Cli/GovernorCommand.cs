using System.CommandLine;
using Governor.Cli.Audit;
using Governor.Cli.Auth;
using Governor.Cli.Explain;
using Governor.Cli.Journal;
using Governor.Cli.Relationships;
using Governor.Cli.Silo;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Recovery;
using Npgsql;

namespace Governor.Cli;

/// <summary>The command <c>governor</c>. Each subject adds its verbs in a folder of its own.</summary>
public static class GovernorCommand
{
    /// <summary>Runs one command line; answers its <see cref="ExitCode"/>.</summary>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        var parsed = Build().Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var problem in parsed.Errors)
                await error.WriteLineAsync($"governor: {problem.Message}");
            await error.WriteLineAsync($"'governor {Path(parsed)}--help' says what is expected");
            return ExitCode.Usage;
        }
        try
        {
            return await parsed.InvokeAsync(
                new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false }, cancellation);
        }
        catch (UsageException e)
        {
            await error.WriteLineAsync($"governor: {e.Message}");
            return ExitCode.Usage;
        }
        catch (Exception e) when (e is SiloException or RecoveryException or JournalUnavailableException or NpgsqlException)
        {
            // Nothing is known to be wrong with what was asked about: it could not be asked.
            await error.WriteLineAsync($"governor: {e.Message}");
            return ExitCode.Incomplete;
        }
    }

    private static RootCommand Build() => new("Governor: many Kubernetes clusters under one governed control plane")
    {
        AuditCommand.Build(),
        AuthCommand.Build(),
        ExplainCommand.Build(),
        JournalCommand.Build(),
        RelationshipsCommand.Build(),
    };

    private static string Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (var at = parsed.CommandResult; at?.Parent is System.CommandLine.Parsing.CommandResult parent; at = parent)
            names.Insert(0, at.Command.Name + " ");
        return string.Concat(names);
    }
}
