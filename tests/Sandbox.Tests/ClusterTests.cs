using System.Text.Json.Nodes;
using Governor.Domain.Signing;

namespace Governor.Sandbox.Tests;

public sealed class ClusterTests : ClusterFixture
{
    [Fact]
    public async Task Clusters_in_one_process_know_nothing_of_each_other()
    {
        await using var other = await SandboxCluster.StartAsync(new SandboxOptions("other", Tls: false));
        using var client = new SandboxClient(other);
        await CreateConfigMapAsync("a");
        Assert.NotEqual(Cluster.Url.Port, other.Url.Port);
        Assert.Equal(404, (await client.GetAsync(ConfigMaps + "/a")).Code);
        client.Token = Cluster.AdminToken;
        Assert.Equal(401, (await client.GetAsync(ConfigMaps)).Code);
    }

    [Fact]
    public async Task A_copy_has_the_same_objects_and_kinds_and_a_life_of_its_own()
    {
        var owner = await CreateConfigMapAsync("owner");
        await CreateConfigMapAsync("owned", Owner("owner", owner.Uid));
        await ServeWidgetsAsync();

        await using var copy = await SandboxCluster.StartAsync(new SandboxOptions("copy"), Cluster);
        using var client = new SandboxClient(copy);
        Assert.Equal(owner.Uid, (await client.GetAsync(ConfigMaps + "/owner")).Uid);
        Assert.Equal(200, (await client.GetAsync(Widgets)).Code);

        await client.DeleteAsync(ConfigMaps + "/owner");
        await copy.IdleAsync();
        Assert.Equal(404, (await client.GetAsync(ConfigMaps + "/owned")).Code);
        Assert.Equal(200, (await Admin.GetAsync(ConfigMaps + "/owned")).Code);
        Assert.Equal(["delete"], copy.Writes.Select(write => write.Verb));
    }

    [Fact]
    public async Task It_speaks_http_2_too()
    {
        using var client = new SandboxClient(Cluster, version: System.Net.HttpVersion.Version20);
        Assert.Equal(200, (await client.GetAsync("/version")).Code);
    }

    [Theory]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/healthz")]
    public async Task Health_is_ok_for_everybody(string path)
    {
        using var nobody = new SandboxClient(Cluster, "");
        Assert.Equal("ok", (await nobody.GetAsync(path)).Text);
        Assert.EndsWith("check passed\n", (await nobody.GetAsync(path + "?verbose")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Writes_are_logged_with_who_what_and_the_digest_of_the_body()
    {
        const string body = """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"v"}}""";
        var made = await Admin.PostAsync(ConfigMaps + "?fieldManager=me", body);
        await Admin.ApplyAsync(ConfigMaps + "/a", body, "you", true);
        await Admin.SendAsync("POST", ConfigMaps + "?dryRun=All", body.Replace("\"a\"", "\"b\"", StringComparison.Ordinal));
        await Admin.DeleteAsync(ConfigMaps + "/a");
        Assert.Equal(["create", "apply", "delete"], Cluster.Writes.Select(w => w.Verb));
        var first = Cluster.Writes[0];
        Assert.Equal((1, "configmaps", "admin", "me", made.Version), (first.Sequence, first.Resource, first.User, first.FieldManager, first.ResourceVersion));
        Assert.Equal("default/a", first.Key.ToString());
        Assert.Equal(Digest.Of(System.Text.Encoding.UTF8.GetBytes(body)), first.Body);
    }

    [Fact]
    public async Task A_write_says_when_it_was_stored()
    {
        var before = DateTimeOffset.UtcNow;
        await CreateConfigMapAsync("a");
        Assert.InRange(Assert.Single(Cluster.Writes).At, before, DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task Requests_are_counted_by_what_they_ask_for_whether_granted_or_not()
    {
        await Admin.GetAsync(ConfigMaps);
        await Admin.GetAsync(ConfigMaps + "/a");
        await Admin.GetAsync(ConfigMaps + "/b");
        await Admin.GetAsync(Deployments + "/web/scale");
        await Admin.GetAsync("/readyz");
        Assert.Equal(
            ["1 get /readyz", "1 get deployments.apps/scale", "1 list configmaps", "2 get configmaps"],
            Cluster.Requests.Select(r => $"{r.Value} {r.Key}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Scale_reads_and_writes_replicas()
    {
        await CreateDeploymentAsync("web");
        var scaled = await Admin.MergeAsync(Deployments + "/web/scale", """{"spec":{"replicas":4}}""");
        Assert.Equal("Scale", scaled.Json["kind"]!.GetValue<string>());
        Assert.Equal("app=web", scaled.Json["status"]!["selector"]!.GetValue<string>());
        var o = (await Admin.GetAsync(Deployments + "/web")).Json;
        Assert.Equal((4, 2), (o["spec"]!["replicas"]!.GetValue<int>(), o["metadata"]!["generation"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_deployment_is_defaulted()
    {
        var spec = (await CreateDeploymentAsync("web")).Json["spec"]!;
        Assert.Equal("RollingUpdate", spec["strategy"]!["type"]!.GetValue<string>());
        Assert.Equal("25%", spec["strategy"]!["rollingUpdate"]!["maxSurge"]!.GetValue<string>());
        var container = spec["template"]!["spec"]!["containers"]![0]!;
        Assert.Equal("IfNotPresent", container["imagePullPolicy"]!.GetValue<string>());
        Assert.Equal("{}", container["resources"]!.ToJsonString());
    }

    [Fact]
    public async Task A_service_gets_an_address_that_stays()
    {
        const string services = "/api/v1/namespaces/default/services";
        var made = await Admin.PostAsync(services, """{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":{"ports":[{"port":80}]}}""");
        var address = made.Json["spec"]!["clusterIP"]!.GetValue<string>();
        var changed = await Admin.MergeAsync(services + "/s", """{"spec":{"ports":[{"port":81}]}}""");
        Assert.Equal(address, changed.Json["spec"]!["clusterIP"]!.GetValue<string>());
        Assert.Equal(422, (await Admin.MergeAsync(services + "/s", """{"spec":{"clusterIP":"10.96.9.9"}}""")).Code);
    }

    [Fact]
    public async Task Secrets_take_text_and_keep_base64()
    {
        var made = await Admin.PostAsync("/api/v1/namespaces/default/secrets", """{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"a":"b"}}""");
        Assert.Equal("Yg==", made.Json["data"]!["a"]!.GetValue<string>());
        Assert.Null(made.Json["stringData"]);
        Assert.Equal("Opaque", made.Json["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task Resource_versions_only_grow_and_generations_count_specs()
    {
        var first = await CreateDeploymentAsync("web");
        var labelled = await Admin.MergeAsync(Deployments + "/web", """{"metadata":{"labels":{"a":"b"}}}""");
        var changed = await Admin.MergeAsync(Deployments + "/web", """{"spec":{"replicas":9}}""");
        long[] versions = [long.Parse(first.Version, null), long.Parse(labelled.Version, null), long.Parse(changed.Version, null)];
        Assert.Equal(versions.Distinct().Order(), versions);
        Assert.Equal((1, 2), (labelled.Json["metadata"]!["generation"]!.GetValue<int>(), changed.Json["metadata"]!["generation"]!.GetValue<int>()));
    }

    [Fact]
    public async Task Of_two_writers_with_the_same_version_one_wins()
    {
        var made = (await CreateConfigMapAsync("a")).Json;
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
        {
            var mine = made.DeepClone().AsObject();
            mine["data"] = new JsonObject { ["k"] = $"{i}" };
            return Admin.PutAsync(ConfigMaps + "/a", mine);
        }));
        Assert.Single(answers, a => a.Code == 200);
        Assert.All(answers.Where(a => a.Code != 200), a => Assert.Equal((409, "Conflict"), (a.Code, a.Reason)));
    }

    [Fact]
    public async Task Hostile_bodies_are_refused_or_carried_exactly()
    {
        await ServeWidgetsAsync();
        var deep = await CreateWidgetAsync("deep", spec: $"\"size\":3,\"freeform\":{string.Concat(Enumerable.Repeat("{\"a\":", 10_000))}1{new string('}', 10_000)}");
        var big = await CreateWidgetAsync("big", spec: "\"size\":3,\"freeform\":{\"n\":9007199254740993,\"t\":\"\\u2028<>&\"}");
        Assert.Equal(400, deep.Code);
        Assert.Equal(9007199254740993, big.Json["spec"]!["freeform"]!["n"]!.GetValue<long>());
        Assert.Equal("\u2028<>&", big.Json["spec"]!["freeform"]!["t"]!.GetValue<string>());
        Assert.Equal(200, (await Admin.GetAsync("/version")).Code);
    }

    [Fact]
    public async Task Answers_can_be_yaml()
    {
        await CreateConfigMapAsync("a", "\"annotations\":{\"x\":\"yes\"}");
        var yaml = await Admin.GetAsync(ConfigMaps + "/a", "application/yaml");
        Assert.StartsWith("kind: ConfigMap\napiVersion: v1\n", yaml.Text, StringComparison.Ordinal);
        Assert.Contains("x: \"yes\"", yaml.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenApi_documents_are_found_by_hash_and_redirect_from_a_stale_one()
    {
        var index = (await Admin.GetAsync("/openapi/v3")).Json;
        var url = index["paths"]!["apis/apps/v1"]!["serverRelativeURL"]!.GetValue<string>();
        Assert.Equal(200, (await Admin.GetAsync(url)).Code);
        Assert.Equal(301, (await Admin.GetAsync("/openapi/v3/apis/apps/v1?hash=00")).Code);
    }
}
