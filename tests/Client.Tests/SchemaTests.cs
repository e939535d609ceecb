using Governor.Client.Tests.Support;

namespace Governor.Client.Tests;

[Collection(Server.Name)]
public sealed class SchemaTests(Target target)
{
    [ReliesOn("structural schemas: what is required")]
    public async Task A_missing_field_is_named() => await RefusedAsync("\"color\":\"red\"", "FieldValueRequired spec.size");

    [ReliesOn("structural schemas: bounds")]
    public async Task A_number_out_of_bounds_is_named()
    {
        await RefusedAsync("\"size\":0", "FieldValueInvalid spec.size");
        await RefusedAsync("\"size\":11", "FieldValueInvalid spec.size");
    }

    [ReliesOn("structural schemas: enums")]
    public async Task A_value_that_is_not_listed_is_named() => await RefusedAsync("\"size\":1,\"color\":\"black\"", "FieldValueNotSupported spec.color");

    [ReliesOn("structural schemas: lengths")]
    public async Task A_text_that_is_too_long_is_named() =>
        await RefusedAsync($"\"size\":1,\"note\":\"{new string('x', 21)}\"", "FieldValueTooLong spec.note");

    [ReliesOn("structural schemas: types")]
    public async Task A_value_of_another_type_is_named() => await RefusedAsync("\"size\":\"three\"", "FieldValueTypeInvalid spec.size");

    [ReliesOn("x-kubernetes-list-type: map and set")]
    public async Task Duplicates_in_maps_and_sets_are_named()
    {
        await RefusedAsync("\"size\":1,\"tags\":[{\"key\":\"a\"},{\"key\":\"a\"}]", "FieldValueDuplicate spec.tags[1]");
        await RefusedAsync("\"size\":3,\"ports\":[80,80]", "FieldValueDuplicate spec.ports[1]");
    }

    [ReliesOn("one answer tells of every violation")]
    public async Task Several_faults_come_in_one_answer() =>
        await RefusedAsync("\"size\":11,\"color\":\"black\"", "FieldValueInvalid spec.size", "FieldValueNotSupported spec.color");

    [ReliesOn("KEP-2876 x-kubernetes-validations (on since 1.25)")]
    public async Task A_rule_that_fails_is_named_with_its_message()
    {
        var refusal = await RefusedAsync("\"size\":1,\"ports\":[80,81]", "FieldValueInvalid spec");
        Assert.Contains("no more ports than size", refusal.Find("message"), StringComparison.Ordinal);
    }

    [ReliesOn("KEP-2876 transition rules: self == oldSelf")]
    public async Task What_is_fixed_cannot_be_changed_by_anybody()
    {
        var name = target.NewName();
        await target.MakeAsync(name, "\"size\":1,\"fixed\":\"a\"");

        var patched = await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"fixed":"b"}}""");
        Assert.Equal((422, "Invalid"), (patched.Code, patched.Reason));
        Assert.Contains("FieldValueInvalid spec.fixed", patched.Causes);
        var applied = await target.Wire.ApplyAsync($"{target.Gears}/{name}", "other", target.GearJson(name, "\"size\":1,\"fixed\":\"b\""), force: true);
        Assert.Equal(422, applied.Code);
        Assert.Equal(200, (await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"fixed":"a","size":2}}""")).Code);
    }

    [ReliesOn("defaulting")]
    public async Task Defaults_fill_what_is_absent_and_what_is_null()
    {
        var made = await target.MakeAsync(target.NewName(), "\"size\":1,\"color\":null,\"note\":null");

        Assert.Equal("red", made.Find("spec", "color"));
        Assert.Equal(1, made.At("spec", "replicas")!.GetValue<int>());
        Assert.True(made.At("spec")!.AsObject().ContainsKey("note")); // nullable: the null is the value
    }

    [ReliesOn("pruning; x-kubernetes-preserve-unknown-fields")]
    public async Task Unknown_fields_are_dropped_but_where_anything_goes()
    {
        var made = await target.MakeAsync(target.NewName(), "\"size\":1,\"unknown\":1,\"free\":{\"any\":{\"thing\":[1,null,\"x\"]}}");

        Assert.Null(made.At("spec", "unknown"));
        Assert.Equal("""{"any":{"thing":[1,null,"x"]}}""", made.At("spec", "free")!.ToJsonString());
    }

    [ReliesOn("fieldValidation=Strict (on since 1.25)")]
    public async Task Asked_to_be_strict_the_server_refuses_unknown_and_duplicate_fields()
    {
        var name = target.NewName();
        var unknown = await target.Wire.PostAsync($"{target.Gears}?fieldValidation=Strict", target.GearJson(name, "\"size\":1,\"unknown\":1"));
        Assert.Equal((400, "BadRequest"), (unknown.Code, unknown.Reason));
        Assert.Contains("spec.unknown", unknown.Find("message"), StringComparison.Ordinal);
        Assert.Equal(400, (await target.Wire.PostAsync($"{target.Gears}?fieldValidation=Strict", target.GearJson(name, "\"size\":1,\"size\":2"))).Code);
        Assert.Equal(404, (await target.Wire.GetAsync($"{target.Gears}/{name}")).Code);
    }

    [ReliesOn("integers are exact up to 2^63-1")]
    public async Task Integers_beyond_what_a_double_holds_are_kept()
    {
        var name = target.NewName();
        await target.MakeAsync(name, "\"size\":1,\"big\":9007199254740993,\"free\":{\"most\":9223372036854775807,\"least\":-9223372036854775808}");

        var read = (await target.Cluster.GetAsync(target.Gear, target.Key(name), default))!;
        Assert.Equal("9007199254740993", read.Find("spec", "big").GetRawText());
        Assert.Equal("9223372036854775807", read.Find("spec", "free", "most").GetRawText());
        Assert.Equal("-9223372036854775808", read.Find("spec", "free", "least").GetRawText());
    }

    [ReliesOn("a definition is checked as a whole")]
    public async Task A_definition_that_is_no_structural_schema_is_refused()
    {
        var definition = Definitions.Passing(target.Group, target.Run, "Broken");
        definition["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!["size"]!.AsObject().Remove("type");

        var refusal = await target.Wire.PostAsync(Target.CustomResourceDefinitions, definition.ToJsonString());

        Assert.Equal((422, "Invalid"), (refusal.Code, refusal.Reason));
        Assert.Contains(refusal.Causes, cause => cause.EndsWith("openAPIV3Schema.properties[spec].properties[size].type", StringComparison.Ordinal));
    }

    [ReliesOn("server-side apply of a definition: the same again changes nothing")]
    public async Task A_definition_that_is_applied_again_stays_as_it_is()
    {
        var path = $"{Target.CustomResourceDefinitions}/axles.{target.Group}";
        var body = Definitions.Axle(target.Group, target.Run).ToJsonString();
        var first = await target.Wire.ApplyAsync(path, "applier", body, force: true);
        var second = await target.Wire.ApplyAsync(path, "applier", body, force: true);

        Assert.True(first.Code == 200, first.ToString());
        Assert.Equal((first.Version, first.Generation), (second.Version, second.Generation));
    }

    private async Task<Answer> RefusedAsync(string spec, params string[] causes)
    {
        var refusal = await target.Wire.PostAsync(target.Gears, target.GearJson(target.NewName(), spec));
        Assert.True(refusal is { Code: 422, Reason: "Invalid", Kind: "Status" }, refusal.ToString());
        Assert.All(causes, cause => Assert.Contains(cause, refusal.Causes));
        return refusal;
    }
}
