using System.CommandLine;
using Governor.Journal.Recovery;

namespace Governor.Cli.Journal;

/// <summary><c>governor journal restore</c></summary>
internal static class RestoreCommand
{
    public static Command Build()
    {
        var connection = new JournalConnection();
        var from = new Option<string>("--from") { Description = "A backup's folder", Required = true };
        var known = KnownCheckpoints.Option();
        var programs = JournalCommand.Programs();
        var command = new Command(
            "restore",
            "Restore a backup into a database without a journal, and verify all of it: 0 ok, 1 tampered, 2 behind what was published (it is held: nothing of it is signed), 3 usage")
        {
            from, known, programs,
        };
        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = connection.Read(parsed, signs: false);
            var outside = KnownCheckpoints.Read(parsed.GetValue(known) ?? [], options);
            var restore = new JournalRestore(new PostgresTools(parsed.GetValue(programs)), JournalChecks.In(options));
            var report = await restore.RunAsync(parsed.GetRequiredValue(from), JournalConnection.Owner(options), outside, cancellation);
            return Write(parsed.InvocationConfiguration.Output, report, outside.Count);
        });
        return command;
    }

    public static int Write(TextWriter output, RestoreReport report, int compared)
    {
        JournalChecks.Write(output, report.Check);
        foreach (var finding in report.Behind)
            output.WriteLine($"{(finding.Forked ? "FORKED" : "BEHIND")}: {finding}");
        if (!report.Behind.IsEmpty)
        {
            output.WriteLine("the restored log is on hold, nothing of it is signed: restore a later backup, or roll forward to what was published");
            return report.Behind.Any(finding => finding.Forked) || JournalChecks.ExitOf(report.Check) == ExitCode.No ? ExitCode.No : ExitCode.Incomplete;
        }
        output.WriteLine($"outside: {compared} published checkpoint{(compared == 1 ? "" : "s")} compared, none is ahead of it or beside it");
        return JournalChecks.ExitOf(report.Check);
    }
}
