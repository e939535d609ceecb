using System.CommandLine;
using Governor.Cli.Silo;
using Governor.Domain.Audit;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit watch</c>: a monitor that believes nothing: every event is hashed into a tree of its own.</summary>
internal static class AuditWatchCommand
{
    public static Command Build()
    {
        var silo = new SiloConnection();
        var key = new Option<string>("--key") { Description = "The log's public key (NAME+HASH+KEY), or a file with it", Required = true };
        var state = new Option<string?>("--state") { Description = "A file in which the place is remembered: the next run goes on there, and finds what was rewritten meanwhile" };
        var once = new Option<bool>("--once") { Description = "End at the newest checkpoint" };
        var command = new Command("watch", "Follow the log and verify every step; ends with 1 when a step was not append-only") { key, state, once };
        silo.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = silo.Open(parsed);
            var output = parsed.InvocationConfiguration.Output;
            var monitor = await LogMonitor.OpenAsync(client, TrustedKey.Parse(parsed.GetRequiredValue(key)), parsed.GetValue(state), cancellation);
            await output.WriteLineAsync($"from leaf {monitor.Size}, root {monitor.Root}");
            try
            {
                await foreach (var seen in monitor.FollowAsync(parsed.GetValue(once), cancellation))
                    await output.WriteLineAsync(Line(seen));
                return ExitCode.Ok;
            }
            catch (TamperedLogException e)
            {
                await output.WriteLineAsync($"TAMPERED: {e.Message}");
                return ExitCode.No;
            }
        });
        return command;
    }

    private static string Line(MonitoredEvent seen)
    {
        var e = seen.Event;
        var what = $"{seen.Leaf}  {e.At:O}  {e.Action}  {e.Subject.Kind}/{e.Subject.Namespace}/{e.Subject.Name}  {e.Actor}";
        return e.NewValue is { } value ? $"{what}  {e.FieldChanged} = {(value.Length <= 120 ? value : value[..120] + "…")}" : what;
    }
}
