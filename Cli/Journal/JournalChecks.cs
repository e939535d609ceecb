using Governor.Domain.Audit;
using Governor.Journal;
using Governor.Journal.Recovery;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Cli.Journal;

/// <summary>Checks of a live database, made and told.</summary>
internal static class JournalChecks
{
    /// <summary>Checks with the silo's options, but in the database of a connection string.</summary>
    public static Func<string, CancellationToken, Task<JournalCheckReport>> In(JournalOptions options) => async (connectionString, cancellation) =>
    {
        var settings = Copy(options);
        (settings.ConnectionString, settings.MigrationConnectionString, settings.Role) = (connectionString, null, "");
        await using var services = JournalConnection.Open(settings);
        return await services.GetRequiredService<JournalCheck>().RunAsync(cancellation);
    };

    public static int ExitOf(JournalCheckReport report) => report switch
    {
        { Log.Outcome: AuditOutcome.Tampered } or { Findings.IsEmpty: false } => ExitCode.No,
        { Log.Outcome: AuditOutcome.Incomplete } => ExitCode.Incomplete,
        _ => ExitCode.Ok,
    };

    public static void Write(TextWriter output, JournalCheckReport report)
    {
        var log = report.Log;
        output.WriteLine(log.Outcome switch
        {
            AuditOutcome.Ok => $"log: {log.Leaves} events on {log.Chains} subjects are what was signed",
            AuditOutcome.Tampered => $"TAMPERED: {log.Fault!.Class} at leaf {log.Fault.Index}: {log.Fault.Detail}",
            _ => $"incomplete: {log.Fault!.Class} at leaf {log.Fault.Index}: {log.Fault.Detail}",
        });
        foreach (var finding in report.Findings)
            output.WriteLine($"TAMPERED: {finding}");
        if (report.Findings.IsEmpty)
            output.WriteLine("states, chain heads and tiles are those that the records give");
    }

    private static JournalOptions Copy(JournalOptions options) =>
        System.Text.Json.JsonSerializer.Deserialize<JournalOptions>(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(options))!;
}
