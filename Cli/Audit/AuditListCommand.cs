using System.CommandLine;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Cli.Silo;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit list</c>: what happened, newest last.</summary>
internal static class AuditListCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Build()
    {
        var silo = new SiloConnection();
        var filters = new (Option<string?> Option, string Parameter)[]
        {
            (new Option<string?>("--kind") { Description = "Of objects of this kind" }, "kind"),
            (new Option<string?>("--namespace", "-n") { Description = "In this namespace" }, "ns"),
            (new Option<string?>("--name") { Description = "Of the object of this name" }, "name"),
            (new Option<string?>("--action") { Description = "Of this action, for instance packexecution.delivered" }, "action"),
            (new Option<string?>("--cluster") { Description = "On this cluster" }, "cluster"),
            (new Option<string?>("--correlation") { Description = "Of this flow, for instance one delivery" }, "correlation"),
            (new Option<string?>("--since") { Description = "Decided at or after this instant (RFC 3339)" }, "since"),
        };
        var limit = new Option<int>("--limit") { Description = "The newest so many, at most 1000", DefaultValueFactory = _ => 50 };
        var format = new Option<string>("--output", "-o") { Description = "wide or json; a table otherwise", DefaultValueFactory = _ => "" };
        format.AcceptOnlyFromAmong("", "wide", "json");
        var command = new Command("list", "List events of the trail, newest last") { limit, format };
        foreach (var (option, _) in filters)
            command.Options.Add(option);
        silo.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = silo.Open(parsed);
            var query = filters.Select(filter => (filter.Parameter, Value: parsed.GetValue(filter.Option))).Where(f => f.Value is not null)
                .Select(f => $"&{f.Parameter}={Uri.EscapeDataString(f.Value!)}");
            using var answer = await client.AskAsync(
                string.Create(CultureInfo.InvariantCulture, $"/api/v1/audit/events?limit={parsed.GetValue(limit)}{string.Concat(query)}"), cancellation);
            var events = await answer.Content.ReadFromJsonAsync<JsonArray>(cancellation) ?? [];
            var ordered = events.OfType<JsonObject>().Reverse().ToArray();
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(format) == "json")
                await output.WriteLineAsync(new JsonArray([.. ordered.Select(e => e.DeepClone())]).ToJsonString(Indented));
            else
                Table.Write(output, Columns(parsed.GetValue(format) == "wide"), [.. ordered.Select(e => Row(e, parsed.GetValue(format) == "wide"))]);
            return ExitCode.Ok;
        });
        return command;
    }

    private static string[] Columns(bool wide) =>
        ["LEAF", "AT", "ACTION", "OBJECT", "CLUSTER", "ACTOR", .. wide ? (string[])["FIELD", "WHY"] : []];

    private static string[] Row(JsonObject e, bool wide)
    {
        var ns = Text(e, "namespace");
        return
        [
            Text(e, "leaf"), Text(e, "at"), Text(e, "action"), $"{Text(e, "kind")}/{(ns.Length == 0 ? "" : $"{ns}/")}{Text(e, "name")}", Text(e, "cluster"), Text(e, "actor"),
            .. wide ? (string[])[Text(e, "fieldChanged"), Text(e, "rationale")] : [],
        ];
    }

    private static string Text(JsonObject e, string name) => e[name]?.ToString() ?? "";
}
