using System.Diagnostics;
using Spectre.Console;

namespace Governor.Tour;

/// <summary>One run of the tour, as a person sees it.</summary>
internal sealed class Show(bool once, bool json, string? folder, Stopwatch clock)
{
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var place = folder ?? Directory.CreateTempSubdirectory("governor-tour-").FullName;
        Directory.CreateDirectory(place);
        // PostgreSQL runs as a user of its own, which has to get to its folder.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(place, (UnixFileMode)Convert.ToInt32("755", 8));
        await using var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(place, "silo.log")) { AutoFlush = true });
        try
        {
            var options = new LandscapeOptions(place, Tenants: [MainJob.Tenant], OnSiloLine: log.WriteLine);
            Say("starting PostgreSQL, an OCI registry and two sandbox clusters");
            await using var landscape = await Landscape.StartAsync(options, cancellation);
            await MainJob.PrepareAsync(landscape, cancellation);
            Say("starting the silo, and a witness of its log on the tenant");
            await Task.WhenAll(landscape.StartSiloAsync(cancellation), landscape.StartWitnessAsync(MainJob.Tenant, cancellation));
            var report = await new MainJob(landscape, Say).RunAsync(HostName, clock, cancellation);
            if (json)
                Console.WriteLine(report.ToJson());
            else
                Print(report);
            if (!once)
                await StayAsync(landscape, cancellation);
            return report.Audit.Verified && report.PackInstance.Ready ? 0 : 1;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Say("stopped");
            return once ? 130 : 0;
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            await log.WriteLineAsync(e.ToString());
            await Console.Error.WriteLineAsync($"the main job failed: {e.Message}\nThe silo's log: {Path.Combine(place, "silo.log")}");
            if (json)
                Console.WriteLine(new TourReport(HostName, clock.ElapsedMilliseconds, "", [], new InstanceReport("", false, []), new LineageReport("", []), new AuditReport(0, 0, false, []), e.Message).ToJson());
            folder ??= place; // keeps the log
            return 1;
        }
        finally
        {
            if (folder is null)
                Directory.Delete(place, recursive: true);
        }
    }

    private static string HostName => typeof(Orleans.Grain).Assembly.GetName().Name!.StartsWith("Orleans", StringComparison.Ordinal) ? "Orleans" : "Embedded";

    private void Say(string text) => Console.Error.WriteLine($"[{clock.Elapsed.TotalSeconds,6:0.0} s] {text}");

    private static void Print(TourReport report)
    {
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = 200;
        var gates = new Table().Border(TableBorder.Simple).AddColumns("GATE", "NAME", "WAS CLOSED BECAUSE", "OPEN AFTER", "DECIDED ON");
        foreach (var gate in report.Gates)
            gates.AddRow($"{gate.Gate}", gate.Name, gate.BlockedReason, $"{gate.ClearedAfterMs} ms", Markup.Escape(gate.Evidence));
        AnsiConsole.Write(gates);
        AnsiConsole.MarkupLineInterpolated($"PackInstance [green]{report.PackInstance.Name}[/] is ready with {report.PackInstance.DeployedResources.Count} objects:");
        foreach (var resource in report.PackInstance.DeployedResources)
            AnsiConsole.MarkupLineInterpolated($"  {resource}");
        AnsiConsole.MarkupLineInterpolated($"Lineage index {report.Lineage.Index}: {string.Join(", ", report.Lineage.Descendants)}");
        AnsiConsole.MarkupLineInterpolated($"Audit: {report.Audit.Events} events, tree of {report.Audit.TreeSize}, verified offline: {report.Audit.Verified}");
        foreach (var witness in report.Audit.Witnesses)
            AnsiConsole.MarkupLineInterpolated($"Witness in {witness.Cluster} cosigned the tree of {witness.TreeSize} at {witness.At:HH:mm:ss}, verified: {witness.Verified}");
    }

    private static async Task StayAsync(Landscape landscape, CancellationToken cancellation)
    {
        // Not through Spectre: a line that is to be copied must not be wrapped.
        Console.WriteLine($"""

            API         {landscape.SiloUrl}openapi/v1.json
            Portal      {landscape.SiloUrl}portal#token={landscape.Management.AdminToken}
            Management  kubectl --kubeconfig {landscape.KubeconfigFile("ccs-mgmt")} get clusterpacks,packexecutions,packinstances -A -o wide
            Tenant      kubectl --kubeconfig {landscape.KubeconfigFile(MainJob.Tenant)} get all -n web
            Ctrl-C ends everything.
            """);
        await LiveTable.RunAsync(landscape, cancellation);
    }
}
