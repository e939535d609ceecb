using System.CommandLine;
using Governor.Domain.Transparency;
using Governor.Journal.Log;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Cli.Journal;

/// <summary><c>governor journal keys …</c></summary>
internal static class KeysCommand
{
    public static Command Build() => new("keys", "List, rotate, add and revoke the keys that sign the log; every change is an entry of the log")
    {
        List(),
        Change("rotate", "Make a key that takes the place of the newest one", async (keys, order, _, cancellation) =>
            $"{await keys.RotateAsync(order, cancellation)} signs from here on; keep the replaced one until a checkpoint contains the change"),
        Change("add", "Make a further key", async (keys, order, _, cancellation) => $"{await keys.AddAsync(order, cancellation)} may sign from here on"),
        Revoke(),
    };

    private delegate Task<string> KeyChange(LogKeys keys, LogKeyOrder order, ParseResult parsed, CancellationToken cancellation);

    private static Command List()
    {
        var connection = new JournalConnection();
        var command = new Command("list", "List the keys and their standing");
        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var services = JournalConnection.Open(connection.Read(parsed, signs: false));
            var keys = await services.GetRequiredService<LogKeys>().ReadAsync(cancellation);
            var current = keys.Current.ToHashSet();
            Table.Write(parsed.InvocationConfiguration.Output, ["KEY", "STANDING"], [.. keys.All.Select(key => (string[])[key.ToString(), current.Contains(key) ? "valid" : "ended"])]);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Revoke()
    {
        var key = new Argument<string>("key") { Description = "The key to revoke (NAME+HASH+KEY)" };
        var command = Change("revoke", "End a key without another in its place", async (keys, order, parsed, cancellation) =>
        {
            var given = parsed.GetRequiredValue(key);
            if (!VerifierKey.TryParse(given, out var revoked))
                throw new UsageException($"expected NAME+HASH+KEY as 'governor journal keys list' shows it, found '{given}'");
            await keys.RevokeAsync(revoked, order, cancellation);
            return $"{revoked} signs nothing from here on";
        });
        command.Arguments.Add(key);
        return command;
    }

    private static Command Change(string name, string description, KeyChange change)
    {
        var connection = new JournalConnection();
        var (actor, because) = (JournalCommand.Actor(), JournalCommand.Because());
        var reviewer = new Option<string?>("--reviewer") { Description = "Who approved it, for the record" };
        var command = new Command(name, description) { actor, because, reviewer };
        connection.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var order = new LogKeyOrder(parsed.GetRequiredValue(actor), "operator", parsed.GetRequiredValue(because), parsed.GetValue(reviewer));
            await using var services = JournalConnection.Open(connection.Read(parsed, signs: true));
            var keys = services.GetRequiredService<LogKeys>();
            try
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(await change(keys, order, parsed, cancellation));
                return ExitCode.Ok;
            }
            catch (InvalidOperationException e)
            {
                throw new UsageException(e.Message, e);
            }
        });
        return command;
    }
}
