using System.Text.Json.Nodes;
using Governor.Client.Tests.Support;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Client.Tests;

[Collection(Server.Name)]
public sealed class ObjectTests(Target target)
{
    [ReliesOn("create: system metadata")]
    public async Task A_created_object_is_identified_versioned_and_owned()
    {
        var name = target.NewName();
        var made = await target.Wire.PostAsync($"{target.Gears}?fieldManager=maker", target.GearJson(name, metadata: "\"uid\":\"mine\",\"generation\":9"));

        Assert.Equal((201, 1L), (made.Code, made.Generation));
        Assert.Equal(36, made.Uid.Length);
        Assert.NotEqual("mine", made.Uid);
        Assert.Equal(target.Namespace, made.Find("metadata", "namespace"));
        Assert.NotEmpty(made.Find("metadata", "creationTimestamp"));
        Assert.Equal(("maker", "Update"), made.At("metadata", "managedFields")![0] is { } owner ? (owner["manager"]!.GetValue<string>(), owner["operation"]!.GetValue<string>()) : default);
        Assert.Equal(made.Json.ToJsonString(), (await target.Wire.GetAsync($"{target.Gears}/{name}")).Json.ToJsonString());
    }

    [ReliesOn("409 AlreadyExists; 404 NotFound with details")]
    public async Task A_name_is_given_once_and_what_is_not_there_is_named()
    {
        var name = target.NewName();
        await target.MakeAsync(name);
        var again = await target.Wire.PostAsync(target.Gears, target.GearJson(name));
        Assert.Equal((409, "AlreadyExists", name), (again.Code, again.Reason, again.Find("details", "name")));

        var missing = await target.Wire.GetAsync($"{target.Gears}/nothing");
        Assert.Equal((404, "NotFound", "nothing", target.Group), (missing.Code, missing.Reason, missing.Find("details", "name"), missing.Find("details", "group")));
        Assert.Null(await target.Cluster.GetAsync(target.Gear, target.Key("nothing"), default));
        Assert.Equal(404, (await target.Wire.MergeAsync($"{target.Gears}/nothing", "{}")).Code);
        Assert.Equal(404, (await target.Wire.DeleteAsync($"{target.Gears}/nothing")).Code);
    }

    [ReliesOn("optimistic concurrency: 409 Conflict")]
    public async Task Of_two_who_read_and_write_the_second_is_told()
    {
        var name = target.NewName();
        var (one, other) = (await target.MakeAsync(name), await target.Wire.GetAsync($"{target.Gears}/{name}"));
        var first = one.Json;
        first["spec"]!["size"] = 4;
        Assert.Equal(200, (await target.Wire.PutAsync($"{target.Gears}/{name}", first)).Code);

        var second = other.Json;
        second["spec"]!["size"] = 5;
        var late = await target.Wire.PutAsync($"{target.Gears}/{name}", second);
        Assert.Equal((409, "Conflict"), (late.Code, late.Reason));
        Assert.Equal(4, (await target.Wire.GetAsync($"{target.Gears}/{name}")).At("spec", "size")!.GetValue<int>());
    }

    [ReliesOn("optimistic concurrency: no update is lost")]
    public async Task Many_who_count_together_count_right()
    {
        var path = $"{target.ConfigMaps}/{target.NewName()}";
        Assert.Equal(201, (await target.Wire.PostAsync(target.ConfigMaps, Target.ConfigMapJson(path.Split('/')[^1], "\"n\":\"0\""))).Code);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => CountAsync()));

        Assert.Equal("20", (await target.Wire.GetAsync(path)).Find("data", "n"));

        async Task CountAsync()
        {
            for (var done = 0; done < 5;)
            {
                var read = (await target.Wire.GetAsync(path)).Json;
                read["data"]!["n"] = $"{int.Parse(read["data"]!["n"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture) + 1}";
                var put = await target.Wire.PutAsync(path, read);
                Assert.Contains(put.Code, (int[])[200, 409]);
                done += put.Code == 200 ? 1 : 0;
            }
        }
    }

    [ReliesOn("a custom resource is never overwritten unconditionally")]
    public async Task A_put_has_to_say_what_it_replaces()
    {
        var name = target.NewName();
        await target.MakeAsync(name);

        var blind = await target.Wire.PutAsync($"{target.Gears}/{name}", JsonNode.Parse(target.GearJson(name))!);

        Assert.Equal((422, "Invalid"), (blind.Code, blind.Reason));
        Assert.Contains("FieldValueInvalid metadata.resourceVersion", blind.Causes);
    }

    [ReliesOn("a write that changes nothing keeps the resourceVersion")]
    public async Task Writes_that_change_nothing_leave_no_trace()
    {
        var name = target.NewName();
        var made = await target.MakeAsync(name);

        Assert.Equal(made.Version, (await target.Wire.PutAsync($"{target.Gears}/{name}", made.Json)).Version);
        Assert.Equal(made.Version, (await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":3}}""")).Version);
        var status = await target.Wire.MergeAsync($"{target.Gears}/{name}/status", """{"status":{"phase":"Turning"}}""");
        Assert.Equal(status.Version, (await target.Wire.MergeAsync($"{target.Gears}/{name}/status", """{"status":{"phase":"Turning"}}""")).Version);
    }

    [ReliesOn("metadata.generation: counts changes of the spec")]
    public async Task Generation_moves_with_the_spec_and_with_nothing_else()
    {
        var path = $"{target.Gears}/{target.NewName()}";
        await target.MakeAsync(path.Split('/')[^1]);

        Assert.Equal(1, (await target.Wire.MergeAsync(path, """{"metadata":{"labels":{"a":"b"}}}""")).Generation);
        Assert.Equal(1, (await target.Wire.MergeAsync(path + "/status", """{"status":{"phase":"Turning"}}""")).Generation);
        Assert.Equal(2, (await target.Wire.MergeAsync(path, """{"spec":{"size":4}}""")).Generation);
        Assert.Equal(3, (await target.Wire.MergeAsync(path + "/scale", """{"spec":{"replicas":7}}""")).Code == 200 ? (await target.Wire.GetAsync(path)).Generation : 0);
    }

    [ReliesOn("the status subresource")]
    public async Task Spec_and_status_are_written_apart()
    {
        var path = $"{target.Gears}/{target.NewName()}";
        var made = await target.Wire.PostAsync(target.Gears, target.GearJson(path.Split('/')[^1], more: ",\"status\":{\"phase\":\"Made up\"}"));
        Assert.Null(made.At("status"));

        Assert.Null((await target.Wire.MergeAsync(path, """{"status":{"phase":"Made up"},"spec":{"size":4}}""")).At("status"));
        var status = await target.Wire.MergeAsync(path + "/status", """{"status":{"phase":"Turning"},"spec":{"size":9},"metadata":{"labels":{"no":"no"}}}""");
        Assert.Equal(("Turning", 4), (status.Find("status", "phase"), status.At("spec", "size")!.GetValue<int>()));
        Assert.Null(status.At("metadata", "labels"));
    }

    [ReliesOn("the scale subresource: autoscaling/v1 Scale")]
    public async Task Scale_is_a_view_of_the_replicas()
    {
        var path = $"{target.Gears}/{target.NewName()}";
        await target.MakeAsync(path.Split('/')[^1]);

        var scale = await target.Wire.GetAsync(path + "/scale");
        Assert.Equal(("Scale", "autoscaling/v1", 1), (scale.Kind, scale.Find("apiVersion"), scale.At("spec", "replicas")!.GetValue<int>()));
        await target.Cluster.MergePatchAsync(target.Gear with { Kind = "Gear" }, target.Key(path.Split('/')[^1]), new JsonObject { ["spec"] = new JsonObject { ["replicas"] = 5 } }, "scaler", default);
        Assert.Equal(5, (await target.Wire.GetAsync(path + "/scale")).At("spec", "replicas")!.GetValue<int>());
    }

    [ReliesOn("generateName")]
    public async Task A_generated_name_begins_as_asked_and_is_new_each_time()
    {
        var body = $$$"""{"apiVersion":"{{{target.Group}}}/v1","kind":"Gear","metadata":{"generateName":"made-"},"spec":{"size":1}}""";
        var (one, two) = (await target.Wire.PostAsync(target.Gears, body), await target.Wire.PostAsync(target.Gears, body));

        Assert.Matches("^made-.{5}$", one.Name);
        Assert.Matches("^made-.{5}$", two.Name);
        Assert.NotEqual(one.Name, two.Name);
        Assert.Equal("made-", one.Find("metadata", "generateName"));
    }

    [ReliesOn("dryRun=All")]
    public async Task A_dry_run_answers_and_stores_nothing()
    {
        var name = target.NewName();
        var made = await target.Wire.PostAsync($"{target.Gears}?dryRun=All", target.GearJson(name));
        Assert.Equal((201, "red"), (made.Code, made.Find("spec", "color")));
        Assert.Equal(404, (await target.Wire.GetAsync($"{target.Gears}/{name}")).Code);
        Assert.Equal(422, (await target.Wire.PostAsync($"{target.Gears}?dryRun=All", target.GearJson(name, "\"size\":99"))).Code);

        var real = await target.MakeAsync(name);
        Assert.Equal(9, (await target.Wire.MergeAsync($"{target.Gears}/{name}?dryRun=All", """{"spec":{"size":9}}""")).At("spec", "size")!.GetValue<int>());
        await target.Cluster.DeleteAsync(target.Gear, target.Key(name), new DeleteOptions(DryRun: true), default);
        Assert.Equal(real.Version, (await target.Wire.GetAsync($"{target.Gears}/{name}")).Version);
        await target.Cluster.CreateAsync(target.GearObject("dry-" + name), new WriteOptions(DryRun: true), default);
        Assert.Null(await target.Cluster.GetAsync(target.Gear, target.Key("dry-" + name), default));
    }

    [ReliesOn("JSON merge patch (RFC 7386)")]
    public async Task In_a_merge_patch_null_deletes_and_lists_are_replaced()
    {
        var name = target.NewName();
        await target.MakeAsync(name, "\"size\":3,\"note\":\"n\",\"color\":\"blue\",\"steps\":[\"a\",\"b\"],\"free\":{\"a\":1,\"b\":2}");

        var patch = JsonNode.Parse("""{"spec":{"note":null,"color":null,"steps":["c"],"free":{"a":null,"c":3}}}""")!.AsObject();
        var patched = await target.Cluster.MergePatchAsync(target.Gear, target.Key(name), patch, "patcher", default);

        Assert.Equal(System.Text.Json.JsonValueKind.Undefined, patched.Find("spec", "note").ValueKind);
        Assert.Equal("red", patched.FindText("spec", "color")); // what has a default gets it
        Assert.Equal("""["c"]""", patched.Find("spec", "steps").GetRawText());
        Assert.Equal("""{"b":2,"c":3}""", JsonNode.Parse(patched.Find("spec", "free").GetRawText())!.ToJsonString());
    }

    [ReliesOn("a patch with a resourceVersion is conditional")]
    public async Task A_merge_patch_of_what_has_changed_is_a_conflict()
    {
        var name = target.NewName();
        var made = await target.MakeAsync(name);
        await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":4}}""");

        var stale = JsonNode.Parse($$$"""{"metadata":{"resourceVersion":"{{{made.Version}}}"},"spec":{"size":5}}""")!.AsObject();
        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => target.Cluster.MergePatchAsync(target.Gear, target.Key(name), stale, "patcher", default));

        Assert.Equal((409, "Conflict", false), (refusal.Code, refusal.Reason, refusal.IsTransient));
    }

    [ReliesOn("unconditional update of a built-in kind")]
    public async Task A_ConfigMap_carries_what_it_was_given()
    {
        var name = target.NewName();
        var made = await target.Wire.PostAsync(target.ConfigMaps, Target.ConfigMapJson(name, "\"text\":\"<&>\\u2028😀\",\"lines\":\"a\\nb\\n\""));
        Assert.Equal(("<&>\u2028😀", "a\nb\n"), (made.Find("data", "text"), made.Find("data", "lines")));

        var put = await target.Wire.PutAsync($"{target.ConfigMaps}/{name}", JsonNode.Parse(Target.ConfigMapJson(name, "\"only\":\"this\""))!);
        Assert.Equal(200, put.Code);
        Assert.Equal("""{"only":"this"}""", put.At("data")!.ToJsonString());
    }
}
