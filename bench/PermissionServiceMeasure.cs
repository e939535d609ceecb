using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Governor.Sandbox;
using Governor.Silo.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Bench;

/// <summary>
/// CheckPermission of a whole silo over HTTP, authenticated and authorised, beside an endpoint of the same silo that takes the same
/// request, looks at none of it, and answers nothing. Both are asked through the same client in turns.
/// </summary>
internal static class PermissionServiceMeasure
{
    private const int Callers = 8;
    private const int WarmUp = 12;
    private const int Rounds = 12;
    private const double Least = 0.7;
    private const string Management = "ccs-mgmt";

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(0.5);

    public static async Task RunAsync(PermissionState state, List<Measure> measures, CancellationToken cancellation)
    {
        var folder = Directory.CreateTempSubdirectory("governor-bench-");
        try
        {
            // PostgreSQL runs as another user when this runs as root.
            if (OperatingSystem.IsLinux())
                File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
            await using var postgres = await PostgresServer.StartAsync(Path.Combine(folder.FullName, "pg"), new Dictionary<string, string>(), cancellation);
            await using var management = await SandboxCluster.StartAsync(new SandboxOptions(Management), cancellation);
            var kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
            await File.WriteAllTextAsync(kubeconfig, management.Kubeconfig, cancellation);
            await using var silo = Build(postgres.ConnectionString(), kubeconfig, folder.FullName);
            silo.MapPost("/nothing", async (HttpContext context) => await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted));
            await silo.StartAsync(cancellation);
            await silo.Services.GetRequiredService<IJournal>().CommitAsync(
                new Commit(
                    new GrainKey(Subjects.Permission, state.Cluster.Value), 0, JsonSerializer.SerializeToUtf8Bytes(state, StateJson.Options), false, [], Guid.CreateVersion7()),
                cancellation);
            await MeasureAsync(new Uri(silo.Urls.First()), management.AdminToken, state, measures, cancellation);
            await silo.StopAsync(cancellation);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(Uri url, string token, PermissionState state, List<Measure> measures, CancellationToken cancellation)
    {
        using var client = new HttpClient { BaseAddress = url, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
        var questions = Questions(state);
        var nothing = Asking("/nothing");
        var checking = Asking("/api/v1/permissions/check");
        // The compiler gets to its best code while nobody measures: of both, as far as it goes.
        await Contender.TakeTurnsAsync(WarmUp, Round, new Contender(Callers, nothing), new Contender(Callers, checking));
        var (idle, asked) = (new Contender(Callers, nothing), new Contender(Callers, checking));
        await Contender.TakeTurnsAsync(Rounds, Round, idle, asked);
        measures.Add(Measure.AtLeast($"CheckPermission over HTTP, {Callers} callers", asked.PerSecond, "1/s", "an endpoint that does nothing", idle.PerSecond, Least));
        measures.Add(Measure.AtMostTimes("CheckPermission over HTTP, p99", asked.P99, "ms", "an endpoint that does nothing", idle.P99, 1 / Least));

        Func<int, long, Task> Asking(string path) => async (caller, n) =>
        {
            using var content = new ByteArrayContent(questions[(caller + n) % questions.Length]) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var answer = await client.PostAsync(new Uri(path, UriKind.Relative), content, cancellation);
            answer.EnsureSuccessStatusCode();
            await answer.Content.ReadAsByteArrayAsync(cancellation);
        };
    }

    /// <summary>About every principal, every second one with yes for an answer.</summary>
    private static byte[][] Questions(PermissionState state) =>
    [
        .. state.Snapshot!.Permissions.Principals.SelectMany((held, i) => (string[])
        [
            $$"""{"principal":"{{held.Principal}}","cluster":"{{state.Cluster}}","apiGroup":"apps","resource":"kind-{{i}}-2","verb":"get","namespace":"web"}""",
            $$"""{"principal":"{{held.Principal}}","cluster":"{{state.Cluster}}","apiGroup":"batch","resource":"{{held.Rules[^1].Resource}}","verb":"{{held.Rules[^1].Verbs[0]}}","resourceName":"common"}""",
        ]).Select(Encoding.UTF8.GetBytes),
    ];

    private static WebApplication Build(string database, string kubeconfig, string folder) => GovernorSilo.Build(
        [
            $"--Governor:Silo:ManagementCluster={Management}",
            "--Governor:Silo:Urls=http://127.0.0.1:0",
            $"--Governor:Orleans:SiloPort={FreePort.Next()}",
            $"--Governor:Orleans:GatewayPort={FreePort.Next()}",
            $"--Governor:Kubernetes:ManagementKubeconfig={kubeconfig}",
            $"--Governor:Journal:ConnectionString={database}",
            "--Governor:Journal:Origin=governor.bench/silo",
            $"--Governor:Journal:LogKeyFile={Path.Combine(folder, "log.key")}",
            "--Logging:LogLevel:Default=None",
        ]);
}
