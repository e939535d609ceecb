using System.CommandLine;
using System.Text.Json.Nodes;
using Governor.Cli.Silo;

namespace Governor.Cli.Relationships;

/// <summary><c>governor relationships</c>: how the family's declared relationships stand.</summary>
internal static class RelationshipsCommand
{
    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Build()
    {
        var format = new Option<string>("--output", "-o") { Description = "json, or wide for every link that does not hold; a table otherwise", DefaultValueFactory = _ => "" };
        format.AcceptOnlyFromAmong("", "json", "wide");
        var command = new Command("relationships", "How the relationships between the family's operators stand; exit code 1 when one is degraded or broken") { format };
        command.Aliases.Add("drel");
        var silo = new SiloConnection();
        silo.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = silo.Open(parsed);
            using var answer = await client.AskAsync("/api/v1/relationships", cancellation);
            var found = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellation)) as JsonArray ?? throw new SiloException("expected a list in the silo's answer, found none");
            Write(parsed.InvocationConfiguration.Output, found, parsed.GetRequiredValue(format));
            return found.All(one => Text(one, "state") is "Holds" or "Unobserved") ? ExitCode.Ok : ExitCode.No;
        });
        return command;
    }

    private static void Write(TextWriter output, JsonArray found, string format)
    {
        if (format == "json")
        {
            output.WriteLine(found.ToJsonString(Indented));
            return;
        }
        Table.Write(output, ["NAME", "STATE", "LINKS", "SOURCE", "TYPE", "TARGET", "WHY"], [.. found.Select(one => (string[])
        [
            Text(one, "name"), Text(one, "state"), $"{Text(one, "holding")}/{Text(one, "links")}", Text(one, "source"), Text(one, "type"), Text(one, "target"),
            one!["against"]?.AsArray() is [{ } worst, ..] ? Why(worst) : "",
        ])]);
        if (format == "wide")
            foreach (var one in found)
                foreach (var link in one!["against"]?.AsArray() ?? [])
                    output.WriteLine($"{Text(one, "name")}: {Text(link, "state")}: {Why(link)}");
    }

    private static string Why(JsonNode? link) => $"{Text(link, "subject")}: {Text(link, "reason")}: {Text(link, "message")}";

    private static string Text(JsonNode? one, string field) => one?[field]?.ToString() ?? "";
}
