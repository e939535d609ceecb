using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces;
using Governor.Grains.Tests.Support;
using Governor.Grains.Watches;
using Governor.LocalServers;

namespace Governor.Grains.Tests.Packs;

/// <summary>
/// Every folder of <c>Packs/Cases</c>: <c>given.yaml</c> is played on real clusters with the real actors; what was decided has to be
/// <c>transcript.txt</c>, what stands in the end <c>then.yaml</c>. <c>GOVERNOR_REGENERATE=1</c> writes both anew, to be read and committed.
/// </summary>
[Collection(nameof(Ground))]
public sealed class GoldenTests(Ground ground)
{
    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(Folder()).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task What_is_given_comes_to_this(string name)
    {
        var folder = Path.Combine(Folder(), name);
        await using var bed = await Bed.StartAsync(ground, GoldenCase.Tenant);
        await using var registry = await OciRegistryServer.StartAsync(Path.Combine(ground.Folder.FullName, $"registry-{Guid.NewGuid():n}"));
        var key = SigningKey.Generate();
        await PrepareAsync(bed, key);

        var (transcript, then) = await new GoldenCase(bed, registry.Host, key, $"{name}/given.yaml").PlayAsync(await File.ReadAllTextAsync(Path.Combine(folder, "given.yaml")));

        if (Environment.GetEnvironmentVariable("GOVERNOR_REGENERATE") == "1")
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "transcript.txt"), transcript);
            await File.WriteAllTextAsync(Path.Combine(folder, "then.yaml"), then);
        }
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(folder, "transcript.txt")), transcript);
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(folder, "then.yaml")), then);
    }

    internal static async Task WatchAsync(Bed bed)
    {
        await bed.WatchAsync(
            KnownKinds.TalosCluster, KnownKinds.RunnerConfig, KnownKinds.ClusterPack, KnownKinds.PackExecution, KnownKinds.PackInstance,
            KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership);
        await bed.Grains.GetGrain<IWatchGrain>(WatchKey.Of(new ClusterName(Bed.ManagementName), KnownKinds.Secret, SigningKeyRules.Secret)).EnsureAsync();
    }

    // What every case begins with: the tenant is declared, reachable and holds our definitions; the profile is provisioned; there is a key.
    private static async Task PrepareAsync(Bed bed, SigningKey key)
    {
        var tenant = bed.Tenant(GoldenCase.Tenant);
        foreach (var definition in CrdGenerator.Objects())
            await tenant.ApplyAsync(definition, "human", default, CancellationToken.None);
        await bed.Tenants[GoldenCase.Tenant].IdleAsync();
        await tenant.ApplyAsync(
            KubeObject.Parse("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ont-system"}}"""u8), "human", default, CancellationToken.None);
        await bed.NamespaceAsync(GoldenCase.Ns);
        await WatchAsync(bed);
        await bed.DeclareAsync(Declared.Text(GoldenCase.Tenant));
        await bed.DeclareSecretAsync(SigningKeyRules.Secret, "private.pem", key.ToPem());
        await bed.DeclareAsync($$"""
            apiVersion: platform.ontai.dev/v1alpha1
            kind: TalosCluster
            metadata: { name: {{GoldenCase.Tenant}}, namespace: seam-system }
            spec: { mode: import, role: tenant, talosVersion: v1.9.5, kubernetesVersion: 1.32.3 }
            """);
        await bed.DeclareSecretAsync(ClusterRules.KubeconfigSecret(new ClusterName(GoldenCase.Tenant)), "value", bed.Tenants[GoldenCase.Tenant].Kubeconfig);
    }

    private static string Folder()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Governor.sln")))
            at = Path.GetDirectoryName(at) ?? throw new DirectoryNotFoundException("expected Governor.sln above the tests");
        return Path.Combine(at, "tests", "Grains.Tests", "Packs", "Cases");
    }
}
