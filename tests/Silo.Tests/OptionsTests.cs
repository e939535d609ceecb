using Governor.LocalServers;
using Governor.Silo.Hosting;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Everything_that_is_wrong_is_said_at_once_with_where_it_is()
    {
        string[] wrong =
        [
            "Governor:Silo:ManagementCluster=", "Governor:Silo:Urls=ftp://x", "Governor:Orleans:Clustering=Nowhere", "Governor:Orleans:SiloPort=0",
            "Governor:Orleans:GatewayPort=70000", "Governor:Orleans:ResponseTimeout=00:00:00", "Governor:Orleans:CollectionAge=00:00:01",
            "Governor:Kinds:AliasSets:0=nobody", "Governor:Watches:Also:0=Nonsense", "Governor:Watches:Except:0=DSNSZone", "Governor:Watches:EnsureEvery=00:00:00",
            "Governor:Journal:ConnectionString=", "Governor:Journal:MaxBatch=0", "Governor:Registry:Attempts=99", "Governor:Delivery:RetryBudget=00:00:00",
            "Governor:Kubernetes:MaxConcurrency=0", "Governor:Approvals:AiGroups:0= ", "Governor:Approvals:Lifetime=91.00:00:00",
        ];

        var failures = Assert.Throws<OptionsValidationException>(() => GovernorSilo.Build([.. wrong.Select(w => $"--{w}")])).Failures.ToArray();

        Assert.All(
            wrong.Select(w => w[..w.IndexOf('=', StringComparison.Ordinal)].Replace(":0", "", StringComparison.Ordinal)).Append("Governor:Kubernetes:ManagementKubeconfig").Append("Governor:Journal:LogKeyFile"),
            path => Assert.True(failures.Any(f => f.Contains(path, StringComparison.Ordinal)), $"nothing is said of {path} in:\n{string.Join('\n', failures)}"));
        Assert.All(failures.Where(f => f.StartsWith("Governor:", StringComparison.Ordinal)), failure => Assert.Contains("expected", failure, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_process_says_it_on_the_terminal_and_ends_with_2()
    {
        await using var silo = await ChildProcess.StartAsync(
            "silo", "dotnet", [Path.Combine(AppContext.BaseDirectory, "Governor.Silo.dll"), "--Governor:Silo:ManagementCluster=", "--Governor:Orleans:SiloPort=0"]);
        await silo.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(2, silo.ExitCode);
        Assert.Contains("Governor:Silo:ManagementCluster: expected", silo.Tail, StringComparison.Ordinal);
        Assert.Contains("Governor:Orleans:SiloPort: expected", silo.Tail, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Tail, StringComparison.Ordinal);
    }
}
