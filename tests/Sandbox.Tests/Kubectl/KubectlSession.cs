namespace Governor.Sandbox.Tests.Kubectl;

/// <summary>Runs kubectl against the cluster of the test.</summary>
public abstract class KubectlSession : ClusterFixture
{
    protected const string Web = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        spec:
          replicas: 2
          selector: {matchLabels: {app: web}}
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: web, image: "example.test/web:1", ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec: {selector: {app: web}, ports: [{port: 80}]}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: web}
        data: {k: v1}
        """;

    protected const string Widget = """
        apiVersion: fixtures.governor.dev/v1
        kind: Widget
        metadata: {name: w}
        spec: {size: 3, steps: [a, b]}
        """;

    protected async Task<string> OkAsync(string arguments, string? input = null)
    {
        using var kubectl = new Kubectl(Cluster.Kubeconfig);
        var result = await kubectl.RunAsync(arguments, input);
        Assert.True(result.ExitCode == 0, $"kubectl {arguments}: {result.ExitCode}\n{result.Output}\n{result.Error}");
        return result.Output;
    }

    protected async Task<KubectlResult> FailAsync(string arguments, string? input = null)
    {
        using var kubectl = new Kubectl(Cluster.Kubeconfig);
        var result = await kubectl.RunAsync(arguments, input);
        Assert.NotEqual(0, result.ExitCode);
        return result;
    }
}
