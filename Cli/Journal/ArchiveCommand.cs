using System.CommandLine;
using System.Globalization;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Recovery;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Cli.Journal;

/// <summary><c>governor journal archive</c></summary>
internal static class ArchiveCommand
{
    public static Command Build()
    {
        var connection = new JournalConnection();
        var month = new Option<string>("--month") { Description = "The closed month, as 2026-08", Required = true };
        var to = new Option<string>("--to") { Description = "The folder of the archives; verification needs them there", Required = true };
        var (actor, because) = (JournalCommand.Actor(), JournalCommand.Because());
        var command = new Command("archive", "Move a closed month of records into a verified file and out of the database; its leaves, tiles and checkpoints stay")
        {
            month, to, actor, because,
        };
        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var given = parsed.GetRequiredValue(month);
            if (!DateOnly.TryParseExact($"{given}-01", "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
                throw new UsageException($"--month: expected a month as 2026-08, found '{given}'");
            var options = connection.Read(parsed, signs: true);
            await using var services = JournalConnection.Open(options);
            var archive = new JournalArchive(services.GetRequiredService<IJournal>(), services.GetRequiredService<IAuditReader>(), TimeProvider.System);
            var archived = await archive.RunAsync(
                JournalConnection.Owner(options), day, parsed.GetRequiredValue(to), options.Origin, parsed.GetRequiredValue(actor), parsed.GetRequiredValue(because), cancellation);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteLineAsync($"archive: {archived.File}");
            await output.WriteLineAsync($"{archived.Leaves} records, leaves {archived.First} to {archived.Last}, SHA-256 {archived.Sha256}");
            return ExitCode.Ok;
        });
        return command;
    }
}
