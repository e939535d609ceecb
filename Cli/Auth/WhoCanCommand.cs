using System.CommandLine;
using System.Text.Json.Nodes;
using Governor.Cli.Silo;

namespace Governor.Cli.Auth;

/// <summary><c>governor auth who-can VERB RESOURCE</c>: one principal a line.</summary>
internal static class WhoCanCommand
{
    public static Command Build()
    {
        var command = new Command("who-can", "Who may do something; exit code 1 when nobody may");
        var options = new PermissionOptions(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Silo.Open(parsed);
            var answer = await client.AskAsync("/api/v1/permissions/who-can", options.Question(parsed), cancellation);
            var principals = answer["principals"] as JsonArray ?? throw new SiloException("expected 'principals' in the silo's answer, found none");
            options.Write(parsed, answer, principals.Select(principal => principal!.ToString()));
            return principals.Count > 0 ? ExitCode.Ok : ExitCode.No;
        });
        return command;
    }
}
