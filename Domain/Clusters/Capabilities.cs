using System.Collections.Immutable;

namespace Governor.Domain.Clusters;

/// <summary>Something that a Conductor can be asked to do on its cluster.</summary>
/// <param name="Version">Starts at v1 with the first executor; v0 is a name that is reserved and answers CapabilityUnavailable.</param>
public sealed record Capability(string Name, string Version, string Description);

/// <summary>
/// The seventeen capabilities that a Conductor publishes in <c>RunnerConfig.status.capabilities</c> (seed 003, gate 0). Names are
/// additive and never renamed.
/// </summary>
public static class Capabilities
{
    private const string Reserved = "v0";

    public static ImmutableArray<Capability> All { get; } =
    [
        new("bootstrap", Reserved, "bootstraps etcd on a new cluster"),
        new("talos-upgrade", Reserved, "upgrades Talos node by node"),
        new("kube-upgrade", Reserved, "upgrades Kubernetes node by node"),
        new("stack-upgrade", Reserved, "upgrades Talos and Kubernetes together"),
        new("node-patch", Reserved, "patches the machine configuration of nodes"),
        new("node-scale-up", Reserved, "adds nodes"),
        new("node-decommission", Reserved, "cordons, drains and resets nodes"),
        new("node-reboot", Reserved, "reboots nodes"),
        new("etcd-backup", Reserved, "takes an etcd snapshot"),
        new("etcd-defrag", Reserved, "defragments etcd"),
        new("etcd-restore", Reserved, "restores an etcd snapshot"),
        new("pki-rotate", Reserved, "rotates the cluster's certificates"),
        new("credential-rotate", Reserved, "rotates service account and OIDC credentials"),
        new("hardening-apply", Reserved, "applies a hardening profile"),
        new("cluster-reset", Reserved, "resets the cluster, under approval"),
        new("pack-deploy", "v1", "verifies a pack and applies it in stages"),
        new("rbac-provision", Reserved, "materialises RBAC from a permission snapshot"),
    ];

    public static ImmutableHashSet<string> Names { get; } = [.. All.Select(c => c.Name)];
}
