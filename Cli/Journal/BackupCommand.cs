using System.CommandLine;
using Governor.Journal.Recovery;

namespace Governor.Cli.Journal;

/// <summary><c>governor journal backup</c></summary>
internal static class BackupCommand
{
    public static Command Build()
    {
        var connection = new JournalConnection();
        var to = new Option<string>("--to") { Description = "The folder in which this backup gets one of its own", Required = true };
        var programs = JournalCommand.Programs();
        var command = new Command("backup", "Dump the journal with pg_dump, and beside it the checkpoint of the same moment; the log's private keys are not in it") { to, programs };
        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = connection.Read(parsed, signs: false);
            var backup = new JournalBackup(new PostgresTools(parsed.GetValue(programs)), TimeProvider.System);
            var (folder, manifest) = await backup.RunAsync(JournalConnection.Owner(options), parsed.GetRequiredValue(to), cancellation);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteLineAsync($"backup: {folder}");
            await output.WriteLineAsync($"dump: {manifest.Bytes} bytes, SHA-256 {manifest.Sha256}");
            await output.WriteLineAsync(manifest.ReadCheckpoint() is { } checkpoint
                ? $"checkpoint: {checkpoint.Size} leaves, root {checkpoint.Root}"
                : "checkpoint: none was signed yet");
            return ExitCode.Ok;
        });
        return command;
    }
}
