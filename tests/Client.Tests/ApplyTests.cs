using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Client.Tests.Support;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Client.Tests;

[Collection(Server.Name)]
public sealed class ApplyTests(Target target)
{
    [ReliesOn("server-side apply: creates, and owns what it sent")]
    public async Task Applying_what_is_not_there_creates_it_and_owns_exactly_what_was_sent()
    {
        var name = target.NewName();
        var applied = await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", target.GearJson(name));

        Assert.Equal((201, "red"), (applied.Code, applied.Find("spec", "color")));
        var owner = Assert.Single(applied.At("metadata", "managedFields")!.AsArray())!;
        Assert.Equal(("one", "Apply", "FieldsV1"), (owner["manager"]!.GetValue<string>(), owner["operation"]!.GetValue<string>(), owner["fieldsType"]!.GetValue<string>()));
        Assert.Equal("""{"f:spec":{"f:size":{}}}""", owner["fieldsV1"]!.ToJsonString());
    }

    [ReliesOn("server-side apply: the same again keeps the resourceVersion")]
    public async Task Applying_the_same_again_changes_nothing()
    {
        var name = target.NewName();
        var first = await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":3,\"steps\":[\"a\"]"), "one", default, default);
        var second = await target.Cluster.ApplyAsync(target.GearObject(name, "\"steps\":[\"a\"],\"size\":3"), "one", default, default);

        Assert.Equal((first.ResourceVersion, first.Generation), (second.ResourceVersion, second.Generation));
    }

    [ReliesOn("server-side apply: 409 with a cause for each contested field")]
    public async Task A_conflict_lists_who_owns_which_field_and_changes_nothing()
    {
        var name = target.NewName();
        await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":3,\"steps\":[\"a\"],\"tags\":[{\"key\":\"k\",\"value\":\"1\"}]"), "one", default, default);
        await target.Cluster.MergePatchAsync(target.Gear, target.Key(name), JsonNode.Parse("""{"spec":{"note":"mine"}}""")!.AsObject(), "patcher", default);

        var conflict = await Assert.ThrowsAsync<KubernetesException>(() => target.Cluster.ApplyAsync(
            target.GearObject(name, "\"size\":4,\"note\":\"no\",\"tags\":[{\"key\":\"k\",\"value\":\"2\"}]"), "two", default, default));

        Assert.Equal((409, "Conflict", false), (conflict.Code, conflict.Reason, conflict.IsTransient));
        Assert.Equal([".spec.size", """.spec.tags[key="k"].value"""], conflict.Owners["one"].Order(StringComparer.Ordinal).ToArray());
        Assert.Equal([".spec.note"], conflict.Owners["patcher"].ToArray());
        Assert.Equal(3, (await target.Cluster.GetAsync(target.Gear, target.Key(name), default))!.Find("spec", "size").GetInt32());
    }

    [ReliesOn("server-side apply: force=true")]
    public async Task Force_takes_the_field_and_its_ownership()
    {
        var name = target.NewName();
        await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":3"), "one", default, default);
        var forced = await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":4"), "two", new ApplyOptions(Force: true), default);
        Assert.Equal(4, forced.Find("spec", "size").GetInt32());

        var conflict = await Assert.ThrowsAsync<KubernetesException>(() => target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":3"), "one", default, default));
        Assert.Equal(["two"], conflict.Owners.Keys.ToArray());
    }

    [ReliesOn("server-side apply: a field left out is given up, and goes when nobody else owns it")]
    public async Task What_is_left_out_goes_unless_somebody_else_wants_it()
    {
        var name = target.NewName();
        await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":3,\"note\":\"alone\",\"color\":\"blue\",\"steps\":[\"shared\"]"), "one", default, default);
        await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":3,\"steps\":[\"shared\"]"), "two", default, default);

        var left = await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":3"), "one", default, default);

        Assert.Equal(JsonValueKind.Undefined, left.Find("spec", "note").ValueKind);
        Assert.Equal("red", left.FindText("spec", "color")); // back to its default
        Assert.Equal("""["shared"]""", left.Find("spec", "steps").GetRawText());
    }

    [ReliesOn("server-side apply: list-maps are owned entry by entry, sets element by element, other lists as a whole")]
    public async Task Lists_are_merged_as_their_schema_says()
    {
        var name = target.NewName();
        await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":9,\"tags\":[{\"key\":\"a\",\"value\":\"1\"}],\"ports\":[80]"), "one", default, default);
        var both = await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":9,\"tags\":[{\"key\":\"b\",\"value\":\"2\"}],\"ports\":[81]"), "two", default, default);
        // In which order the entries of two managers come has changed between versions.
        Assert.Equal(["a", "b"], both.Find("spec", "tags").EnumerateArray().Select(t => t.GetProperty("key").GetString()).Order(StringComparer.Ordinal));
        Assert.Equal([80, 81], both.Find("spec", "ports").EnumerateArray().Select(p => p.GetInt32()).Order());

        var left = await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":9"), "one", default, default);
        Assert.Equal(["b"], left.Find("spec", "tags").EnumerateArray().Select(t => t.GetProperty("key").GetString()));
        Assert.Equal([81], left.Find("spec", "ports").EnumerateArray().Select(p => p.GetInt32()));
    }

    [ReliesOn("server-side apply of the status subresource; conditions as a list-map by type")]
    public async Task Two_managers_keep_their_conditions_beside_each_other()
    {
        var name = target.NewName();
        await target.Cluster.ApplyAsync(target.GearObject(name), "one", default, default);
        await target.Cluster.ApplyStatusAsync(target.Gear, target.Key(name), Condition("Ready", "False"), "ready-says", default);
        await target.Cluster.ApplyStatusAsync(target.Gear, target.Key(name), Condition("Stalled", "True"), "stalled-says", default);
        var both = await target.Cluster.ApplyStatusAsync(target.Gear, target.Key(name), Condition("Ready", "True"), "ready-says", default);

        Assert.Equal(
            ["Ready=True", "Stalled=True"],
            both.Find("status", "conditions").EnumerateArray().Select(c => $"{c.GetProperty("type")}={c.GetProperty("status")}").Order(StringComparer.Ordinal));
        Assert.Equal((1L, 3), (both.Generation, both.Find("spec", "size").GetInt32()));
        var gone = await target.Cluster.ApplyStatusAsync(target.Gear, target.Key(name), new JsonObject { ["conditions"] = new JsonArray() }, "stalled-says", default);
        Assert.Equal(["Ready"], gone.Find("status", "conditions").EnumerateArray().Select(c => c.GetProperty("type").GetString()));

        var missing = await Assert.ThrowsAsync<KubernetesException>(() =>
            target.Cluster.ApplyStatusAsync(target.Gear, target.Key("nothing"), Condition("Ready", "True"), "ready-says", default));
        Assert.Equal((404, "NotFound"), (missing.Code, missing.Reason));
    }

    [ReliesOn("server-side apply with dryRun=All: the merged object, nothing stored")]
    public async Task A_dry_run_shows_what_would_be()
    {
        var name = target.NewName();
        var made = await target.Cluster.ApplyAsync(target.GearObject(name), "one", default, default);
        var shown = await target.Cluster.ApplyAsync(target.GearObject(name, "\"size\":4"), "one", new ApplyOptions(DryRun: true), default);
        Assert.Equal(4, shown.Find("spec", "size").GetInt32());
        Assert.Equal(made.ResourceVersion, (await target.Cluster.GetAsync(target.Gear, target.Key(name), default))!.ResourceVersion);

        await target.Cluster.ApplyAsync(target.GearObject("dry-" + name), "one", new ApplyOptions(DryRun: true), default);
        Assert.Null(await target.Cluster.GetAsync(target.Gear, target.Key("dry-" + name), default));
    }

    [ReliesOn("server-side apply: metadata.uid and metadata.resourceVersion as preconditions")]
    public async Task An_apply_that_names_the_uid_never_makes_another_object()
    {
        var name = target.NewName();
        var made = await target.MakeAsync(name);
        Assert.Equal(200, (await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", target.GearJson(name, metadata: $"\"uid\":\"{made.Uid}\""), force: true)).Code);
        var stale = await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", target.GearJson(name, "\"size\":4", $"\"resourceVersion\":\"{made.Version}\""), force: true);
        Assert.Equal((409, "Conflict"), (stale.Code, stale.Reason));

        Assert.Equal(200, (await target.Wire.DeleteAsync($"{target.Gears}/{name}")).Code);
        var late = await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", target.GearJson(name, metadata: $"\"uid\":\"{made.Uid}\""));
        Assert.Equal(409, late.Code);
        Assert.Equal(404, (await target.Wire.GetAsync($"{target.Gears}/{name}")).Code);
    }

    [ReliesOn("server-side apply refuses what the schema does not know")]
    public async Task An_unknown_field_or_type_is_refused_for_good()
    {
        foreach (var spec in (string[])["\"size\":3,\"unknown\":1", "\"size\":\"three\"", "\"size\":99"])
        {
            var refusal = await Assert.ThrowsAsync<KubernetesException>(() => target.Cluster.ApplyAsync(target.GearObject(target.NewName(), spec), "one", default, default));
            Assert.True(refusal is { IsTransient: false, Code: 400 or 422 }, $"{spec}: {refusal.Code} {refusal.Reason} {refusal.Message}");
        }
    }

    [ReliesOn("server-side apply: a manager is required; managedFields are not")]
    public async Task An_apply_that_is_none_is_refused()
    {
        var name = target.NewName();
        Assert.Equal(422, (await target.Wire.SendAsync("PATCH", $"{target.Gears}/{name}", target.GearJson(name), Wire.Apply)).Code);
        Assert.Equal(400, (await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", target.GearJson("another"))).Code);
        Assert.Equal(400, (await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", "{\"a\": [")).Code);
        Assert.Equal(404, (await target.Wire.ApplyAsync(
            $"apis/{target.Group}/v1/namespaces/no-such-namespace-{target.Run}/gears/{name}", "one", target.GearJson(name))).Code);
    }

    [ReliesOn("an apply body is YAML 1.1, of which our JSON has to be a subset")]
    public async Task Texts_that_YAML_takes_for_something_else_arrive_as_texts()
    {
        string[] texts = ["y", "no", "null", "~", "1e3", "0x10", "1_000", "2001-01-01", "- a", "a: b", "# no", "'", "\"", "\\", " x ", "é", "😀", "\u2028", "\u0085", "\u007f", "\ufeff", "tab\tline\n", "<&>", "{}", "[]", "!!int 3", "*a", "&a", "%"];
        var name = target.NewName("texts");
        var data = new JsonObject();
        for (var i = 0; i < texts.Length; i++)
            data[$"k{i}"] = texts[i];
        var intent = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = target.Namespace }, ["data"] = data,
        };

        await target.Cluster.ApplyAsync(KubeObject.Parse(Encoding.UTF8.GetBytes(intent.ToJsonString())), "one", default, default);

        var read = (await target.Cluster.GetAsync(new GroupVersionKind("", "v1", "ConfigMap"), target.Key(name), default))!;
        Assert.Equal(texts, Enumerable.Range(0, texts.Length).Select(i => read.FindText("data", $"k{i}")));
    }

    private static JsonObject Condition(string type, string status) => new()
    {
        ["conditions"] = new JsonArray(new JsonObject { ["type"] = type, ["status"] = status, ["reason"] = "Because" }),
    };
}
