using Governor.Domain.Clusters;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Governor.Manifests;
using Governor.Sandbox;
using Governor.Witness.Hosting;
using Governor.Witness.Keys;

namespace Governor.Tour;

/// <summary>
/// A witness in a tenant cluster, as deploy/ sets it up: a process with a key of its own and with no more rights in the cluster than the
/// manifest gives it, which answers through the mailbox there.
/// </summary>
internal sealed class TenantWitness : IAsyncDisposable
{
    private const string Identity = "system:serviceaccount:ont-system:governor-witness";

    private static readonly string Manifests = Path.Combine(AppContext.BaseDirectory, "witness");

    private readonly ChildProcess _process;

    private TenantWitness(ChildProcess process) => _process = process;

    /// <summary>The key that the witness of a tenant has; made where there is none.</summary>
    public static VerifierKey KeyOf(string folder, string tenant)
    {
        using var key = WitnessKey.Open(KeyFile(folder, tenant), $"witness.local/{tenant}");
        return key.Key;
    }

    public static async Task<TenantWitness> StartAsync(
        string folder, SandboxCluster tenant, ICluster client, VerifierKey log, Action<string>? onLine, CancellationToken cancellation)
    {
        foreach (var file in (string[])["mailbox.yaml", "witness.yaml"])
            foreach (var item in ManifestReader.Read(await File.ReadAllTextAsync(Path.Combine(Manifests, file), cancellation), file))
                await client.ApplyAsync(item, "tour", default, cancellation);
        var kubeconfig = Path.Combine(folder, $"{tenant.Name}.witness.kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, tenant.KubeconfigFor(Identity, "system:serviceaccounts", "system:authenticated"), cancellation);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(kubeconfig, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var settings = new Dictionary<string, string?>
        {
            [nameof(WitnessOptions.Name)] = KeyOf(folder, tenant.Name).Name,
            [nameof(WitnessOptions.KeyFile)] = KeyFile(folder, tenant.Name),
            [$"{nameof(WitnessOptions.Logs)}__0"] = log.ToString(),
            [nameof(WitnessOptions.Mailbox)] = "true",
            [nameof(WitnessOptions.Kubeconfig)] = kubeconfig,
        };
        return new TenantWitness(await ChildProcess.StartAsync(
            $"witness of {tenant.Name}", "dotnet", [Path.Combine(AppContext.BaseDirectory, "governor-witness.dll")],
            settings.ToDictionary(s => $"{WitnessOptions.Section.Replace(":", "__", StringComparison.Ordinal)}__{s.Key}", s => s.Value),
            onLine, cancellation: cancellation));
    }

    /// <summary>What it said last.</summary>
    public string Tail => _process.Tail;

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string KeyFile(string folder, string tenant) => Path.Combine(folder, $"{tenant}.witness.key");
}
