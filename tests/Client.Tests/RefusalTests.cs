using System.Text;
using System.Text.Json.Nodes;
using Governor.Client.Tests.Support;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Client.Tests;

/// <summary>The shapes of a no, and the limits of a yes.</summary>
[Collection(Server.Name)]
public sealed class RefusalTests(Target target)
{
    private const int Mebi = 1024 * 1024;

    [ReliesOn("404 page not found as text for paths, Status for objects")]
    public async Task What_no_path_leads_to_is_no_missing_object()
    {
        var nothing = await target.Wire.GetAsync($"apis/nothing.{target.Group}/v1/things");
        Assert.Equal((404, "404 page not found"), (nothing.Code, nothing.Text.Trim()));

        var missing = await Assert.ThrowsAsync<KubernetesException>(() =>
            target.Cluster.GetAsync(new GroupVersionKind($"nothing.{target.Group}", "v1", "Thing"), target.Key("a"), default));
        Assert.Equal("KindNotServed", missing.Reason);
    }

    [ReliesOn("400 BadRequest for bodies that cannot be decoded or belong elsewhere")]
    public async Task A_body_that_does_not_fit_its_path_is_refused()
    {
        var name = target.NewName();
        await RefusedAsync(400, "BadRequest", target.Gears, "{\"apiVersion\": ");
        await RefusedAsync(400, "BadRequest", target.Gears, "[]");
        await RefusedAsync(400, "BadRequest", target.Gears, """{"metadata":{"name":"x"}}""");
        await RefusedAsync(400, "BadRequest", target.Gears, target.GearJson(name).Replace("/v1\"", "/v2\"", StringComparison.Ordinal));
        await RefusedAsync(400, "BadRequest", target.Gears, target.GearJson(name, metadata: "\"namespace\":\"elsewhere\""));
        await RefusedAsync(400, "BadRequest", target.ConfigMaps, target.GearJson(name));
        await target.MakeAsync(name);
        var renamed = (await target.Wire.GetAsync($"{target.Gears}/{name}")).Json;
        renamed["metadata"]!["name"] = "another";
        Assert.Equal(400, (await target.Wire.PutAsync($"{target.Gears}/{name}", renamed)).Code);
    }

    [ReliesOn("405 MethodNotAllowed, 406 NotAcceptable, 415 UnsupportedMediaType")]
    public async Task What_cannot_be_done_or_said_is_refused_in_kind()
    {
        var name = target.NewName();
        await target.MakeAsync(name);
        var path = $"{target.Gears}/{name}";

        Assert.Equal((405, "MethodNotAllowed"), Of(await target.Wire.SendAsync("PUT", target.ConfigMaps, Target.ConfigMapJson("x"))));
        Assert.Equal((405, "MethodNotAllowed"), Of(await target.Wire.SendAsync("DELETE", $"{path}/status")));
        Assert.Equal((406, "NotAcceptable"), Of(await target.Wire.GetAsync(path, "text/plain")));
        Assert.Equal((406, "NotAcceptable"), Of(await target.Wire.GetAsync(target.Gears, "application/json;as=Table;v=v9;g=meta.k8s.io")));
        Assert.Equal((415, "UnsupportedMediaType"), Of(await target.Wire.SendAsync("PATCH", path, "{}", "application/strategic-merge-patch+json")));
        Assert.Equal((415, "UnsupportedMediaType"), Of(await target.Wire.SendAsync("PATCH", path, "{}", "application/json")));
        Assert.Equal((415, "UnsupportedMediaType"), Of(await target.Wire.SendAsync("POST", target.Gears, "a=b", "application/x-www-form-urlencoded")));
    }

    [ReliesOn("a namespace that is not there is what is missing")]
    public async Task In_a_namespace_that_is_not_there_nothing_is_made_and_nothing_is_found()
    {
        var elsewhere = $"apis/{target.Group}/v1/namespaces/no-such-{target.Run}/gears";
        var refusal = await target.Wire.PostAsync(elsewhere, target.GearJson("a"));
        Assert.Equal((404, "NotFound", $"no-such-{target.Run}"), (refusal.Code, refusal.Reason, refusal.Find("details", "name")));
        Assert.Empty((await target.Wire.GetAsync(elsewhere)).Names);
    }

    [ReliesOn("names: DNS subdomains of at most 253 characters; label values of at most 63")]
    public async Task Names_and_labels_end_at_their_limits()
    {
        var longest = target.NewName() + "-" + new string('n', 300);
        await target.MakeAsync(longest[..253], metadata: $"\"labels\":{{\"{new string('p', 63)}.{target.Group}/{new string('k', 63)}\":\"{new string('v', 63)}\"}}");
        Assert.Equal(longest[..253], (await target.Cluster.GetAsync(target.Gear, target.Key(longest[..253]), default))!.Name);

        await InvalidAsync("metadata.name", target.GearJson(longest[..254]));
        await InvalidAsync("metadata.name", target.GearJson("Not_A_Name"));
        await InvalidAsync("metadata.name", $$$"""{"apiVersion":"{{{target.Group}}}/v1","kind":"Gear","metadata":{},"spec":{"size":1}}""");
        await InvalidAsync("metadata.labels", target.GearJson(target.NewName(), metadata: $"\"labels\":{{\"a\":\"{new string('v', 64)}\"}}"));
    }

    [ReliesOn("annotations: 256 KiB in all, keys included")]
    public async Task Annotations_end_at_their_limit()
    {
        var name = target.NewName();
        var key = "conformance.governor.dev/large";
        var value = new string('a', (256 * 1024) - key.Length);
        await target.MakeAsync(name, metadata: $"\"annotations\":{{\"{key}\":\"{value}\"}}");
        Assert.Equal(value, (await target.Cluster.GetAsync(target.Gear, target.Key(name), default))!.Annotations[key]);

        await InvalidAsync("metadata.annotations", target.GearJson(target.NewName(), metadata: $"\"annotations\":{{\"{key}\":\"{value}a\"}}"));
    }

    [ReliesOn("ConfigMap data: 1 MiB in all")]
    public async Task A_ConfigMap_at_its_limit_is_carried_exactly_and_refused_beyond()
    {
        var name = target.NewName();
        var value = new string('x', Mebi - 1);
        var made = await target.Cluster.CreateAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(
            Target.ConfigMapJson(name, $"\"k\":\"{value}\"", $"\"namespace\":\"{target.Namespace}\""))), default);
        Assert.Equal(value, made.FindText("data", "k"));
        Assert.Equal(value, Assert.Single(await target.Cluster.ListAsync(new("", "v1", "ConfigMap"), target.Namespace, null, default), m => m.Name == name).FindText("data", "k"));

        var beyond = await target.Wire.PostAsync(target.ConfigMaps, Target.ConfigMapJson(target.NewName(), $"\"k\":\"{value}xx\""));
        Assert.Equal((422, "Invalid"), Of(beyond));
        Assert.Contains(beyond.Causes, cause => cause.StartsWith("FieldValueTooLong", StringComparison.Ordinal));
        await target.Cluster.DeleteAsync(new("", "v1", "ConfigMap"), target.Key(name), made.Uid, default);
    }

    [ReliesOn("413 RequestEntityTooLarge above 3 MiB")]
    public async Task An_object_that_is_too_large_to_be_read_is_refused_for_good()
    {
        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => target.Cluster.CreateAsync(Blob(target.NewName(), (3 * Mebi) + 1), default));

        Assert.Equal((413, "RequestEntityTooLarge", false), (refusal.Code, refusal.Reason, refusal.IsTransient));
    }

    [ReliesOn("what the server reads, its store takes or refuses for good (etcd: 1.5 MiB unless configured otherwise)")]
    public async Task An_object_that_may_be_too_large_to_be_stored_is_carried_exactly_or_refused_for_good()
    {
        var name = target.NewName();
        try
        {
            var made = await target.Cluster.CreateAsync(Blob(name, 2 * Mebi), default);
            Assert.Equal(2 * Mebi, made.FindText("spec", "free", "blob").Length);
            Assert.Equal(made.FindText("spec", "free", "blob"), (await target.Cluster.GetAsync(target.Gear, target.Key(name), default))!.FindText("spec", "free", "blob"));
            await target.Cluster.DeleteAsync(target.Gear, target.Key(name), made.Uid, default);
        }
        catch (KubernetesException refusal)
        {
            Assert.Equal((413, false), (refusal.Code, refusal.IsTransient));
            Assert.Null(await target.Cluster.GetAsync(target.Gear, target.Key(name), default));
        }
    }

    private KubeObject Blob(string name, int size) => target.GearObject(name, $"\"size\":1,\"free\":{{\"blob\":\"{new string('x', size)}\"}}");

    [ReliesOn("free-form content is carried as it was given")]
    public async Task What_is_deep_or_odd_but_allowed_is_carried_exactly()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"d":""", 40)) + "1" + new string('}', 40);
        var name = target.NewName();
        var free = $$"""{"deep":{{deep}},"":"empty key","a.b/c":"dots","quotes":"\"\\\u0001\u2028","emoji":"😀","list":[[],{},[null]],"true":true}""";
        await target.Cluster.CreateAsync(target.GearObject(name, $"\"size\":1,\"free\":{free}"), default);

        var read = (await target.Cluster.GetAsync(target.Gear, target.Key(name), default))!;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(free), JsonNode.Parse(read.Find("spec", "free").GetRawText())));
    }

    [ReliesOn("the server never answers with what a reader of JSON could take for two things")]
    public async Task Of_duplicate_keys_one_is_left()
    {
        var name = target.NewName();
        var answer = await target.Wire.PostAsync(target.Gears, target.GearJson(name, "\"size\":1,\"size\":2"));
        if (answer.Code == 201)
            Assert.Contains((await target.Cluster.GetAsync(target.Gear, target.Key(name), default))!.Find("spec", "size").GetInt32(), (int[])[1, 2]);
        else
            Assert.Equal(400, answer.Code);
    }

    private static (int, string) Of(Answer answer) => (answer.Code, answer.Reason);

    private async Task RefusedAsync(int code, string reason, string path, string body) =>
        Assert.Equal((code, reason), Of(await target.Wire.PostAsync(path, body)));

    private async Task InvalidAsync(string field, string body)
    {
        var refusal = await target.Wire.PostAsync(target.Gears, body);
        Assert.True(refusal.Code == 422, refusal.ToString());
        Assert.Contains(refusal.Causes, cause => cause.EndsWith(" " + field, StringComparison.Ordinal));
    }
}
