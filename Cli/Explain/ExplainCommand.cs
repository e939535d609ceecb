using System.CommandLine;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Cli.Silo;
using Governor.Domain.Kinds.Schemas;

namespace Governor.Cli.Explain;

/// <summary><c>governor explain</c>: what something waits for, on what that was decided, and who can do something about it.</summary>
internal static class ExplainCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    // As kubectl takes them: singular, plural, short, and with their group.
    private static readonly (string Path, string Singular, string[] Names)[] Kinds =
    [
        ("executions", "packexecution", ["packexecution", "packexecutions", "pe", "packexecutions.infra.ontai.dev"]),
        ("instances", "packinstance", ["packinstance", "packinstances", "pi", "packinstances.infra.ontai.dev"]),
    ];

    public static Command Build()
    {
        var silo = new SiloConnection();
        var target = new Argument<string[]>("object") { Description = "KIND/NAME or KIND NAME; kinds: packexecution, packinstance", Arity = new ArgumentArity(1, 2) };
        var ns = new Option<string>("--namespace", "-n") { Description = "The namespace that it is in", DefaultValueFactory = _ => "default" };
        var format = new Option<string>("--output", "-o") { Description = "json or yaml; text otherwise", DefaultValueFactory = _ => "" };
        format.AcceptOnlyFromAmong("", "json", "yaml");
        var command = new Command("explain", "Say why a delivery or an instance is as it is") { target, ns, format };
        silo.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var (kind, name) = Read(parsed.GetValue(target)!);
            using var client = silo.Open(parsed);
            var path = $"/api/v1/{kind.Path}/{Uri.EscapeDataString(parsed.GetValue(ns)!)}/{Uri.EscapeDataString(name)}/explain";
            using var answer = await client.AskAsync(path, cancellation, HttpStatusCode.NotFound);
            if (answer.StatusCode == HttpStatusCode.NotFound)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"Error from server (NotFound): {kind.Singular} \"{name}\" not found in namespace \"{parsed.GetValue(ns)}\"");
                return ExitCode.No;
            }
            var explained = await answer.Content.ReadFromJsonAsync<JsonObject>(cancellation) ?? [];
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteAsync(parsed.GetValue(format) switch
            {
                "json" => explained.ToJsonString(Indented) + "\n",
                "yaml" => YamlText.Of(explained),
                _ => explained["text"]?.ToString() ?? "",
            });
            return ExitCode.Ok;
        });
        return command;
    }

    private static ((string Path, string Singular) Kind, string Name) Read(string[] words)
    {
        var parts = words is [var joined] ? joined.Split('/', 2) : words;
        if (parts.Length != 2 || parts[1].Length == 0)
            throw new UsageException($"expected KIND/NAME or KIND NAME, found '{string.Join(' ', words)}'");
        var kind = Kinds.FirstOrDefault(kind => kind.Names.Contains(parts[0], StringComparer.OrdinalIgnoreCase));
        return kind.Path is null
            ? throw new UsageException($"expected a kind that can be explained ({string.Join(", ", Kinds.Select(k => k.Singular))}), found '{parts[0]}'")
            : ((kind.Path, kind.Singular), parts[1]);
    }
}
