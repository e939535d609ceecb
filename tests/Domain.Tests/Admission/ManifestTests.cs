using Governor.Domain.Admission;

namespace Governor.Domain.Tests.Admission;

public sealed class ManifestTests
{
    [Fact]
    public void The_files_in_deploy_admission_are_current()
    {
        var folder = Path.Combine(RepositoryRoot(), "deploy", "admission");
        var expected = AdmissionManifests.All();
        if (Environment.GetEnvironmentVariable("GOVERNOR_REGENERATE") == "1")
        {
            Directory.CreateDirectory(folder);
            foreach (var file in expected)
                File.WriteAllText(Path.Combine(folder, file.FileName), file.Text);
        }
        var found = Directory.EnumerateFiles(folder, "*.yaml").ToDictionary(path => Path.GetFileName(path), File.ReadAllText, StringComparer.Ordinal);
        var stale = expected.Where(file => found.GetValueOrDefault(file.FileName) != file.Text).Select(file => file.FileName).Concat(found.Keys.Except(expected.Select(file => file.FileName))).ToArray();

        Assert.True(stale.Length == 0, $"deploy/admission is not what Domain/Admission says: {string.Join(", ", stale)}. Regenerate with GOVERNOR_REGENERATE=1 dotnet test tests/Domain.Tests");
    }

    [Fact]
    public void Names_are_different_and_every_way_in_is_used()
    {
        Assert.Equal(Webhooks.All.Length, Webhooks.All.Select(webhook => webhook.FullName).Distinct().Count());
        Assert.Equal(AdmissionCall.All.Select(call => call.Path).Order(), Webhooks.All.Select(webhook => webhook.Call.Path).Distinct().Order());
    }

    [Fact]
    public void Where_a_namespace_is_only_observed_nothing_is_kept_from_it()
    {
        Assert.All(Webhooks.All.Where(webhook => webhook.Call.Mode == AdmissionMode.Observe), webhook =>
        {
            Assert.Equal(WebhookFailure.Ignore, webhook.Failure);
            Assert.Contains(webhook.Namespaces, condition => condition is { Operator: "In", Values: [AdmissionNames.Observe] });
        });
    }

    [Fact]
    public void No_webhook_keeps_the_cluster_from_being_repaired()
    {
        foreach (var webhook in Webhooks.All)
            foreach (var rule in webhook.Rules)
            {
                // No wildcard of groups, nothing that pods, nodes, leases, Secrets or the configurations themselves are.
                Assert.DoesNotContain("*", rule.Groups);
                Assert.All(rule.Groups, group => Assert.True(group is "" or "rbac.authorization.k8s.io" || group.EndsWith(".ontai.dev", StringComparison.Ordinal), group));
                if (rule.Groups.Contains(""))
                    Assert.All(rule.Resources, resource => Assert.Contains(resource.Split('/')[0], (string[])["serviceaccounts", "namespaces"]));
                if (rule.Resources.Contains("roles") || rule.Resources.Contains("serviceaccounts"))
                    Assert.Contains(webhook.Namespaces, condition => condition is { Key: "kubernetes.io/metadata.name", Operator: "NotIn" } && condition.Values.Contains("kube-system"));
            }
        // An API server that cannot repair its default roles does not start.
        Assert.Equal(WebhookFailure.Ignore, Webhooks.All.Single(webhook => webhook.Name == "cluster-rbac-defaults").Failure);
    }

    private static string RepositoryRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Governor.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"expected Governor.sln above {AppContext.BaseDirectory}, found none");
    }
}
