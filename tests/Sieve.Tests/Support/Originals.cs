using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Domain.Permissions;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Governor.Watchers;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Sieve.Tests.Support;

/// <summary>The two clusters that those of every run begin as copies of: everything is defined on them, and nothing declared.</summary>
internal sealed class Originals : IAsyncDisposable
{
    private Originals(SandboxCluster management, SandboxCluster tenant) => (Management, Tenant) = (management, tenant);

    public SandboxCluster Management { get; }

    public SandboxCluster Tenant { get; }

    /// <param name="folder">Where kubeconfigs may be kept.</param>
    public static async Task<Originals> StartAsync(DirectoryInfo folder) => new(
        await DefinedAsync(folder, World.ManagementName, DefinitionsOf([.. World.Watched, KnownKinds.InfrastructureLineageIndex, KnownKinds.PermissionSnapshotReceipt])),
        await DefinedAsync(folder, World.TenantName, [.. DefinitionsOf(KnownKinds.PermissionSnapshot, KnownKinds.PermissionSnapshotReceipt), NamespaceOf(ReceiptRules.TenantNamespace)]));

    public async ValueTask DisposeAsync()
    {
        await Management.DisposeAsync();
        await Tenant.DisposeAsync();
    }

    private static async Task<SandboxCluster> DefinedAsync(DirectoryInfo folder, string name, KubeObject[] content)
    {
        var cluster = await SandboxCluster.StartAsync(new SandboxOptions(name, Tls: false));
        var kubeconfig = Path.Combine(folder.FullName, $"{name}.kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, cluster.Kubeconfig);
        await using var services = new ServiceCollection()
            .AddKubernetes(options => (options.ManagementName, options.ManagementKubeconfig, options.AllowInsecure) = (name, kubeconfig, true)).BuildServiceProvider();
        var client = services.GetRequiredService<IClusters>().Management;
        foreach (var item in content)
            await client.ApplyAsync(item, "human", default, CancellationToken.None);
        await cluster.IdleAsync(); // a definition is served when it is established
        return cluster;
    }

    private static KubeObject NamespaceOf(string name) =>
        KubeObject.From(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } });

    private static KubeObject[] DefinitionsOf(params GroupVersionKind[] kinds) =>
        [.. CrdGenerator.Objects().Where(definition => kinds.Any(kind => kind.Kind == definition.FindText("spec", "names", "kind")))];
}
