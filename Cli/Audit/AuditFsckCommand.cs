using System.CommandLine;
using Governor.Cli.Journal;
using Governor.Journal.Recovery;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit fsck</c>: the live database, derived again from the bytes of its records.</summary>
internal static class AuditFsckCommand
{
    public static Command Build()
    {
        var connection = new JournalConnection();
        var archives = new Option<string[]>("--archive") { Description = "An archive file of a closed month, or a folder of them; may be repeated" };
        var command = new Command(
            "fsck", "Derive states, chains, tiles and checkpoints of the live database again from its records: 0 ok, 1 tampered, 2 incomplete, 3 usage")
        {
            archives,
        };
        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = connection.Read(parsed, signs: false);
            await using var services = JournalConnection.Open(options);
            var report = await services.GetRequiredService<JournalCheck>().RunAsync(cancellation, Files(parsed.GetValue(archives) ?? []));
            JournalChecks.Write(parsed.InvocationConfiguration.Output, report);
            return JournalChecks.ExitOf(report);
        });
        return command;
    }

    private static string[] Files(IEnumerable<string> given) =>
    [
        .. given.SelectMany(path => Directory.Exists(path)
            ? Directory.GetFiles(path, $"*{JournalArchive.FileExtension}").Order(StringComparer.Ordinal)
            : File.Exists(path) ? (IEnumerable<string>)[path] : throw new UsageException($"--archive: there is no file or folder '{path}'")),
    ];
}
