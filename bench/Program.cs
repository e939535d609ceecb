using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Governor.Bench;

if (args is [WatchServer.Argument, ..])
    return await WatchServer.RunAsync(args);

// Parts of a benchmark run when they are named.
IBenchmark[] parts = [new PermissionsBenchmark("compute"), new PermissionsBenchmark("service")];
IBenchmark[] benchmarks = [new HostBenchmark(), new JournalBenchmark(), new GatesBenchmark(), new WatchBenchmark(), new EdgeBenchmark(), new PermissionsBenchmark()];

var names = args.Where(argument => !argument.StartsWith("--", StringComparison.Ordinal)).ToArray();
var unknown = names.Except(benchmarks.Concat(parts).Select(benchmark => benchmark.Name)).Concat(args.Where(argument => argument.StartsWith("--", StringComparison.Ordinal) && argument != "--json")).ToArray();
if (unknown.Length > 0)
{
    Console.Error.WriteLine($"Unknown: {string.Join(", ", unknown)}. Expected any of {string.Join(", ", benchmarks.Concat(parts).Select(benchmark => benchmark.Name))}, and --json.");
    return 2;
}

using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    cancellation.Cancel();
};

var met = true;
foreach (var benchmark in benchmarks.Where(benchmark => names.Length == 0 || names.Contains(benchmark.Name)).Concat(parts.Where(benchmark => names.Contains(benchmark.Name))))
{
    var report = await benchmark.RunAsync(cancellation.Token);
    met &= report.IsMet;
    if (args.Contains("--json"))
        Console.WriteLine(JsonSerializer.Serialize(report, ReportFormat.Json));
    else
        ReportFormat.WriteTable(report, Console.Out);
}

return met ? 0 : 1;

internal static class ReportFormat
{
    // What is computed from the fields is not written; the encoder leaves signs readable in a terminal.
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        IgnoreReadOnlyProperties = true,
    };

    public static void WriteTable(BenchReport report, TextWriter output)
    {
        output.WriteLine($"{report.Name} on {report.Host}, {report.Cores} cores");
        foreach (var measure in report.Measures)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {(measure.Met ? "ok  " : "MISS")} {measure.What,-44} {measure.Value,12:N1} {measure.Unit,-10} ratio {measure.Ratio:F3} (target {measure.Target:F2}) against {measure.Against}"));
        }
    }
}
