using System.CommandLine;
using System.Text.Json.Nodes;
using Governor.Cli.Silo;

namespace Governor.Cli.Auth;

/// <summary><c>governor auth can-i VERB RESOURCE</c>: yes or no.</summary>
internal static class CanICommand
{
    public static Command Build()
    {
        var principal = new Option<string?>("--as") { Description = "A user, system:serviceaccount:NAMESPACE:NAME, or system:group:NAME; yourself when absent" };
        var groups = new Option<string[]>("--as-group") { Description = "A group that the user is in; repeat for more. Without --as, your own groups when absent" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Say it by the exit code only" };
        var command = new Command("can-i", "Whether somebody may do something; exit code 0 for yes, 1 for no") { principal, groups, quiet };
        var options = new PermissionOptions(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = options.Silo.Open(parsed);
            var question = options.Question(parsed);
            if (parsed.GetValue(principal) is { } named)
                question["principal"] = named;
            if (parsed.GetValue(groups) is { Length: > 0 } members)
                question["groups"] = new JsonArray([.. members.Select(name => (JsonNode)name)]);
            var answer = await client.AskAsync("/api/v1/permissions/check", question, cancellation);
            var allowed = answer["allowed"]?.GetValue<bool>() ?? throw new SiloException("expected 'allowed' in the silo's answer, found none");
            if (!parsed.GetValue(quiet))
                options.Write(parsed, answer, [allowed ? "yes" : $"no - {answer["reason"]}"]);
            return allowed ? ExitCode.Ok : ExitCode.No;
        });
        return command;
    }
}
