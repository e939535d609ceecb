using System.CommandLine;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Recovery;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Cli.Journal;

/// <summary><c>governor journal drill</c></summary>
internal static class DrillCommand
{
    public static Command Build()
    {
        var connection = new JournalConnection();
        var to = new Option<string>("--to") { Description = "The folder in which the backup gets one of its own", Required = true };
        var known = KnownCheckpoints.Option();
        var programs = JournalCommand.Programs();
        var (actor, because) = (JournalCommand.Actor(), JournalCommand.Because());
        var command = new Command(
            "drill",
            "Back up, restore into a scratch database, verify the whole log against everything published outside, drop the scratch database, and record the drill as an event")
        {
            to, known, programs, actor, because,
        };
        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = connection.Read(parsed, signs: true);
            var outside = KnownCheckpoints.Read(parsed.GetValue(known) ?? [], options);
            var tools = new PostgresTools(parsed.GetValue(programs));
            await using var services = JournalConnection.Open(options);
            var drill = new RecoveryDrill(
                new JournalBackup(tools, TimeProvider.System), new JournalRestore(tools, JournalChecks.In(options)),
                services.GetRequiredService<IJournal>(), TimeProvider.System);
            var report = await drill.RunAsync(
                JournalConnection.Owner(options), parsed.GetRequiredValue(to), options.Origin, outside,
                parsed.GetRequiredValue(actor), parsed.GetRequiredValue(because), cancellation);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteLineAsync($"backup: {report.Backup}");
            var code = RestoreCommand.Write(output, report.Report, outside.Count);
            await output.WriteLineAsync($"drill: {(report.Passed ? "passed" : "FAILED")} in {report.Took.TotalSeconds:0.0} s, and recorded");
            return code;
        });
        return command;
    }
}
