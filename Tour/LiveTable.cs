using System.Net.Http.Json;
using System.Text.Json;
using Spectre.Console;

namespace Governor.Tour;

/// <summary>What waits for what, in the terminal, until it is cancelled.</summary>
internal static class LiveTable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(Landscape landscape, CancellationToken cancellation)
    {
        if (Console.IsOutputRedirected)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellation);
            return;
        }
        await AnsiConsole.Live(new Table()).StartAsync(async display =>
        {
            while (true)
            {
                display.UpdateTarget(await DrawAsync(landscape, cancellation));
                await Task.Delay(Pause, cancellation);
            }
        });
    }

    private static async Task<Table> DrawAsync(Landscape landscape, CancellationToken cancellation)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("DELIVERY", "CLUSTER", "PHASE", "WAITS FOR", "WHO CAN UNBLOCK IT", "SINCE");
        JsonElement executions;
        try
        {
            executions = await landscape.Api.GetFromJsonAsync<JsonElement>(new Uri("/api/v1/executions", UriKind.Relative), cancellation);
        }
        catch (HttpRequestException e)
        {
            return table.AddRow("the silo does not answer", "", "", Markup.Escape(e.Message), "", "");
        }
        foreach (var execution in executions.EnumerateArray())
        {
            var closed = execution.GetProperty("gates").EnumerateArray().Where(g => g.GetProperty("verdict").GetString() != "Allow").ToList();
            var first = closed.FirstOrDefault();
            table.AddRow(
                Markup.Escape($"{Text(execution, "namespace")}/{Text(execution, "name")}"), Markup.Escape(Text(execution, "cluster")), Colour(Text(execution, "phase")),
                Markup.Escape(closed.Count == 0 ? "" : string.Join("\n", closed.Select(g => $"gate {g.GetProperty("gate").GetInt32()}: {Text(g, "waitsFor")}"))),
                Markup.Escape(closed.Count == 0 ? "" : Text(first, "unblocker")), closed.Count == 0 ? "" : first.GetProperty("since").GetDateTimeOffset().ToString("u"));
        }
        return table;
    }

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString() ?? "";

    private static string Colour(string phase) => phase switch
    {
        "Succeeded" => $"[green]{phase}[/]",
        "Failed" => $"[red]{phase}[/]",
        _ => $"[yellow]{phase}[/]",
    };
}
