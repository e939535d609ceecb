using System.Net.Http.Json;
using System.Runtime.Versioning;
using System.Text;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Silo.Api;

[assembly: CollectionBehavior(DisableTestParallelization = true)] // every class has a database server and a silo of its own
[assembly: SupportedOSPlatform("linux")] // file modes and /proc

namespace Governor.Tour.Tests.Support;

/// <summary>
/// A landscape in a folder of its own that goes with it. The silo comes to the clusters as the user <see cref="SiloUser"/>, so that
/// its writes can be told from those of the test.
/// </summary>
public sealed class TestLandscape : IAsyncDisposable
{
    public const string SiloUser = "governor";

    private readonly DirectoryInfo _folder;
    private readonly StringBuilder _log;

    private TestLandscape(DirectoryInfo folder, StringBuilder log, Landscape landscape)
    {
        _folder = folder;
        _log = log;
        Landscape = landscape;
    }

    public Landscape Landscape { get; }

    /// <summary>What the silo has written so far, across its lives.</summary>
    public string SiloLog
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>Everything but the silo, with the kinds and the namespaces that every management cluster has.</summary>
    public static async Task<TestLandscape> StartAsync(params string[] tenants)
    {
        var folder = Directory.CreateTempSubdirectory("governor-tour-test-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101); // PostgreSQL runs as a user of its own
        var log = new StringBuilder();
        var siloKubeconfig = Path.Combine(folder.FullName, "silo.kubeconfig");
        var landscape = await Landscape.StartAsync(
            new LandscapeOptions(
                folder.FullName, Tenants: tenants,
                OnSiloLine: line =>
                {
                    lock (log)
                        log.AppendLine(line);
                },
                SiloSettings: new Dictionary<string, string>
                {
                    ["Governor:Kubernetes:ManagementKubeconfig"] = siloKubeconfig,
                    ["Governor:Kubernetes:RequestTimeout"] = "00:05:00", // a request that a test holds must not be given up before
                }),
            CancellationToken.None);
        await File.WriteAllTextAsync(siloKubeconfig, landscape.Management.KubeconfigFor(SiloUser, "system:masters"));
        await MainJob.PrepareAsync(landscape, CancellationToken.None);
        return new TestLandscape(folder, log, landscape);
    }

    public async Task<SigningKey> DeclareSigningKeyAsync()
    {
        var key = SigningKey.Generate();
        await Landscape.DeclareSecretAsync(
            SigningKeyRules.Secret, [("private.pem", key.ToPem()), ("public.pem", key.VerifyingKey.ToPem())], CancellationToken.None);
        return key;
    }

    /// <summary>Waits until an object of the management cluster is as it should be.</summary>
    public Task<KubeObject> SeeAsync(GroupVersionKind kind, ObjectKey key, string what, Func<KubeObject, bool> holds) =>
        Awaiting.ObjectAsync(Landscape.ManagementClient, kind, key, what, holds, () => TellAsync(key.Namespace));

    /// <summary>What happened in a namespace, for the messages of tests that fail.</summary>
    public async Task<string> TellAsync(string @namespace)
    {
        var events = await EventsAsync($"ns={@namespace}");
        return string.Join('\n', events.Reverse().Select(e => $"{e.Kind} {e.Name} {e.Sequence} {e.Action} {e.FieldChanged} {e.PreviousValue} -> {e.NewValue}: {e.Rationale}")) + $"\n{Landscape.Silo.Tail}";
    }

    /// <summary>The audit trail through the API, newest first.</summary>
    public async Task<IReadOnlyList<EventView>> EventsAsync(string filter) =>
        (await Landscape.Api.GetFromJsonAsync<List<EventView>>(new Uri($"/api/v1/audit/events?limit=1000&{filter}", UriKind.Relative)))!;

    public async ValueTask DisposeAsync()
    {
        await Landscape.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
