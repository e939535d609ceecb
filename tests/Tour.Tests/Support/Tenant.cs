using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Sandbox;

namespace Governor.Tour.Tests.Support;

/// <summary>A tenant cluster of its own, and what is declared for it: the samples, under its name.</summary>
internal sealed class Tenant : IAsyncDisposable
{
    private const string Pack = "web";

    private static readonly string Declarations = Path.Combine(AppContext.BaseDirectory, "samples", "declarations");

    private readonly Landscape _landscape;

    private Tenant(Landscape landscape, SandboxCluster cluster)
    {
        _landscape = landscape;
        Cluster = cluster;
    }

    public SandboxCluster Cluster { get; }

    public string Name => Cluster.Name;

    public string Namespace => ExecutionSpec.TenantNamespace(Name);

    public ObjectKey PackKey => new(Namespace, Pack);

    public ObjectKey Execution => new(Namespace, ExecutionSpec.NameOf(Pack, Name));

    public ObjectKey KubeconfigSecret => new(Namespace, $"seam-mc-{Name}-kubeconfig");

    /// <summary>The way in that the silo is given.</summary>
    public string Kubeconfig => Cluster.KubeconfigFor(TestLandscape.SiloUser, "system:masters");

    /// <summary>What the delivery wrote to this tenant.</summary>
    public IReadOnlyList<SandboxWrite> Delivered => [.. Cluster.Writes.Where(w => IsDelivery(w.FieldManager))];

    /// <summary>Whether a field manager is that of a pack.</summary>
    public static bool IsDelivery(string manager) => PackOwner.IsPack(manager);

    public static async Task<Tenant> StartAsync(Landscape landscape, string name)
    {
        var tenant = new Tenant(landscape, await SandboxCluster.StartAsync(new SandboxOptions(name)));
        await tenant.DeclareSampleAsync("00-namespaces.yaml");
        return tenant;
    }

    /// <summary>What makes gates 2 and 3 open.</summary>
    public async Task DeclareAccessAsync()
    {
        foreach (var file in (string[])["20-rbac-profile.yaml", "21-permission-sets.yaml", "22-rbac-policy.yaml", "30-seam-membership.yaml"])
            await DeclareSampleAsync(file);
    }

    /// <summary>What makes gate 0 open, when the kubeconfig is good.</summary>
    public async Task DeclareClusterAsync(string kubeconfig)
    {
        await DeclareSampleAsync("40-talos-cluster.yaml");
        await _landscape.DeclareSecretAsync(KubeconfigSecret, [("value", kubeconfig)], CancellationToken.None);
    }

    /// <summary>Declares YAML that was written for the sample tenant.</summary>
    public Task DeclareAsync(string text, string source) =>
        _landscape.DeclareAsync(text.Replace(MainJob.Tenant, Name, StringComparison.Ordinal), source, CancellationToken.None);

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();

    private async Task DeclareSampleAsync(string file) => await DeclareAsync(await File.ReadAllTextAsync(Path.Combine(Declarations, file)), file);
}
