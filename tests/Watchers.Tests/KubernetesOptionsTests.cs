using Governor.Domain.Clusters;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Governor.Watchers.Tests;

public sealed class KubernetesOptionsTests
{
    [Fact]
    public void Everything_that_is_wrong_is_told_at_once_with_how_to_set_it()
    {
        var wrong = new KubernetesOptions { RequestTimeout = TimeSpan.Zero, MaxConcurrency = 0, PageSize = -1, UserAgent = "a b" };

        var failures = new KubernetesOptionsValidator().Validate(null, wrong).Failures!.ToList();

        Assert.Equal(5, failures.Count);
        Assert.Contains(failures, f => f.Contains("Kubernetes:ManagementKubeconfig: expected the path of a kubeconfig", StringComparison.Ordinal));
        Assert.All(failures, f => Assert.Contains("Kubernetes__", f, StringComparison.Ordinal));
    }

    [Fact]
    public void Two_ways_to_the_management_cluster_are_one_too_many()
    {
        var both = new KubernetesOptions { InCluster = true, ManagementKubeconfig = "x", ManagementContext = "y" };

        Assert.Equal(2, new KubernetesOptionsValidator().Validate(null, both).Failures!.Count());
        Assert.True(new KubernetesOptionsValidator().Validate(null, new KubernetesOptions { InCluster = true }).Succeeded);
    }

    [Fact]
    public void Wrong_options_stop_whoever_asks_for_clusters()
    {
        using var services = TestCluster.Services(TimeProvider.System, o => o.ManagementKubeconfig = null);

        Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IOptions<KubernetesOptions>>().Value);
    }

    [Fact]
    public void An_unreadable_management_kubeconfig_is_named_and_nothing_takes_its_place()
    {
        using var services = TestCluster.Services(TimeProvider.System, o => o.ManagementKubeconfig = "/nowhere/config");
        var clusters = services.GetRequiredService<IClusters>();

        var refusal = Assert.Throws<KubeconfigException>(() => clusters.Management);

        Assert.StartsWith("kubeconfig '/nowhere/config': expected a readable file", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<KubeconfigException>(() => clusters.Connect(new ClusterName("dev"), default));
    }
}
