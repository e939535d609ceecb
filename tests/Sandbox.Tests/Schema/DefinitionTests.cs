using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests.Schema;

public sealed class DefinitionTests : ClusterFixture
{
    private static string Definition(string spec, string scope = "Namespaced", string kind = "Thing", string plural = "things", string extra = "") => $$$"""
        {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"{{{plural}}}.example.test"},"spec":{"group":"example.test","scope":"{{{scope}}}",
        "names":{"kind":"{{{kind}}}","plural":"{{{plural}}}"{{{extra}}}},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{} },
        "schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{{{spec}}},"status":{"type":"object","x-kubernetes-preserve-unknown-fields":true} } } } }]} }
        """;

    private async Task<Answer> ServeAsync(string spec)
    {
        var made = await Admin.PostAsync(Definitions, Definition(spec));
        await Cluster.IdleAsync();
        return made;
    }

    private Task<Answer> ThingAsync(string name, string spec) =>
        Admin.PostAsync("/apis/example.test/v1/namespaces/default/things", $$$"""{"apiVersion":"example.test/v1","kind":"Thing","metadata":{"name":"{{{name}}}"},"spec":{{{spec}}}} """);

    [Fact]
    public async Task A_definition_is_established_through_its_conditions_and_then_served()
    {
        using var watch = await Admin.WatchAsync($"{Definitions}?resourceVersion={Cluster.ResourceVersion}");
        Assert.Equal(404, (await Admin.GetAsync("/apis/example.test/v1")).Code);
        await ServeAsync("""{"type":"object"}""");
        string[] seen = [await watch.NextTextAsync(), await watch.NextTextAsync(), await watch.NextTextAsync()];
        Assert.Equal(["ADDED things.example.test", "MODIFIED things.example.test", "MODIFIED things.example.test"], seen);
        Assert.Equal("True", Condition(await Admin.GetAsync(Definitions + "/things.example.test"), "Established"));
        Assert.Equal("things", (await Admin.GetAsync("/apis/example.test/v1")).Json["resources"]![0]!["name"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_taken_short_name_is_said_in_the_status_only()
    {
        await Admin.PostAsync(Definitions, Definition("""{"type":"object"}""", extra: ",\"shortNames\":[\"th\"]"));
        await Cluster.IdleAsync();
        var second = await Admin.PostAsync(Definitions, Definition("""{"type":"object"}""", kind: "Thong", plural: "thongs", extra: ",\"shortNames\":[\"th\"]"));
        await Cluster.IdleAsync();
        Assert.Equal(201, second.Code);
        Assert.Equal("False", Condition(await Admin.GetAsync(Definitions + "/thongs.example.test"), "NamesAccepted"));
        Assert.Equal(404, (await Admin.GetAsync("/apis/example.test/v1/thongs")).Code);
    }

    [Theory]
    [InlineData("""{"properties":{"a":{"type":"string"}}}""", "type: Required value")]
    [InlineData("""{"type":"array"}""", "items: Required value")]
    [InlineData("""{"type":"integer","default":"x"}""", "must be of type integer")]
    [InlineData("""{"type":"string","x-kubernetes-validations":[{"rule":"self ==="}]}""", "compilation failed")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"x-kubernetes-validations":[{"rule":"self.nosuch == 1"}]}""", "<input>:1:5: undefined field 'nosuch'\n | self.nosuch == 1\n | ....^")]
    [InlineData("""{"type":"array","items":{"type":"array","items":{"type":"string","x-kubernetes-validations":[{"rule":"self.contains('x')"}]}}}""", "estimated rule cost exceeds budget by factor of more than 100x (try simplifying the rule")]
    [InlineData("""{"type":"array","items":{"type":"array","items":{"type":"string","x-kubernetes-validations":[{"rule":"self.contains('x')"}]}}}""", "spec.validation.openAPIV3Schema: Forbidden: x-kubernetes-validations estimated rule cost total")]
    [InlineData("""{"type":"array","items":{"type":"object","properties":{"a":{"type":"string","maxLength":9}},"x-kubernetes-validations":[{"rule":"self == oldSelf"}]}}""", "oldSelf cannot be used on the uncorrelatable portion")]
    [InlineData("""{"type":"array","uniqueItems":true,"items":{"type":"string"}}""", "uniqueItems cannot be set to true")]
    [InlineData("""{"type":"object","additionalProperties":false}""", "additionalProperties cannot be set to false")]
    [InlineData("""{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":{"type":"string"}}""", "mutual exclusive")]
    [InlineData("""{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["a"],"items":{"type":"object","properties":{"a":{"type":"string"}}}}""", "must have a default or be a required property")]
    [InlineData("""{"type":"object","x-kubernetes-list-type":"map"}""", "must be array if x-kubernetes-list-type is specified")]
    [InlineData("""{"type":"object","anyOf":[{"type":"object"}]}""", "must be empty to be structural")]
    [InlineData("""{"type":"object","oneOf":[{"properties":{"b":{"minLength":1}}}]}""", "properties[b]: Required value: because it is defined in")]
    [InlineData("""{"$ref":"#/x","type":"object"}""", "$ref is not supported")]
    public async Task A_schema_that_is_not_structural_is_refused(string spec, string message)
    {
        var answer = await ServeAsync(spec);
        Assert.Equal(422, answer.Code);
        Assert.Contains(message, answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleting_a_definition_deletes_its_objects_first()
    {
        await ServeAsync("""{"type":"object"}""");
        var made = await ThingAsync("a", "{}");
        using var watch = await Admin.WatchAsync($"/apis/example.test/v1/things?resourceVersion={made.Version}");
        await Admin.DeleteAsync(Definitions + "/things.example.test");
        Assert.Equal("DELETED a", await watch.NextTextAsync());
        Assert.Equal("end", await watch.NextTextAsync());
        await Cluster.IdleAsync();
        Assert.Equal(404, (await Admin.GetAsync("/apis/example.test/v1/things")).Code);
        Assert.Equal(404, (await Admin.GetAsync(Definitions + "/things.example.test")).Code);
    }

    [Fact]
    public async Task A_terminating_definition_waits_for_finalizers_and_creates_nothing()
    {
        await ServeWidgetsAsync();
        await CreateWidgetAsync("a", "\"finalizers\":[\"example.test/hold\"]");
        await Admin.DeleteAsync(Definitions + "/widgets.fixtures.governor.dev");
        await Cluster.IdleAsync();
        Assert.Equal(405, (await CreateWidgetAsync("b")).Code);
        await Admin.MergeAsync(Widgets + "/a", """{"metadata":{"finalizers":null}}""");
        await Cluster.IdleAsync();
        Assert.Equal(404, (await Admin.GetAsync(Widgets)).Code);
    }

    [Fact]
    public async Task Two_versions_serve_the_same_object_and_the_older_one_warns()
    {
        await ServeWidgetsAsync();
        await Admin.PostAsync("/apis/fixtures.governor.dev/v1/gadgets", """{"apiVersion":"fixtures.governor.dev/v1","kind":"Gadget","metadata":{"name":"g"},"spec":{"mode":"fast"}}""");
        var old = await Admin.GetAsync("/apis/fixtures.governor.dev/v1alpha1/gadgets/g");
        Assert.Equal("fixtures.governor.dev/v1alpha1", old.Json["apiVersion"]!.GetValue<string>());
        Assert.Equal(["299 - \"fixtures.governor.dev/v1alpha1 Gadget is deprecated; use fixtures.governor.dev/v1 Gadget\""], old.Warnings);
    }

    [Theory]
    [InlineData("""{"name":"abc"}""", "name: Invalid value", """{"type":"object","properties":{"name":{"type":"string","pattern":"^x"}}}""")]
    [InlineData("""{"port":true}""", "must be of type integer,string", """{"type":"object","properties":{"port":{"x-kubernetes-int-or-string":true}}}""")]
    [InlineData("""{"list":[1,2,3]}""", "Too many: 3", """{"type":"object","properties":{"list":{"type":"array","maxItems":2,"items":{"type":"integer"}}}}""")]
    [InlineData("""{"map":{"a":1}}""", "must be of type string", """{"type":"object","properties":{"map":{"type":"object","additionalProperties":{"type":"string"}}}}""")]
    [InlineData("""{"n":0}""", "greater than 0", """{"type":"object","properties":{"n":{"type":"integer","minimum":0,"exclusiveMinimum":true}}}""")]
    public async Task Values_that_break_the_schema_are_refused(string value, string message, string schema)
    {
        await ServeAsync(schema);
        var answer = await ThingAsync("a", value);
        Assert.Equal((422, "Invalid"), (answer.Code, answer.Reason));
        Assert.Contains(message, answer.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("self.min <= self.max", """{"min":1,"max":2}""", true)]
    [InlineData("self.min <= self.max", """{"min":3,"max":2}""", false)]
    [InlineData("!has(self.name) || self.name.startsWith('a') && size(self.name) < 4", """{"name":"abc"}""", true)]
    [InlineData("!has(self.name) || self.name.startsWith('a') && size(self.name) < 4", """{"name":"abcd"}""", false)]
    [InlineData("self.items.all(i, i % 2 == 0)", """{"items":[2,4]}""", true)]
    [InlineData("self.items.all(i, i % 2 == 0)", """{"items":[2,5]}""", false)]
    [InlineData("self.items.exists(i, i in [7, 8])", """{"items":[1,8]}""", true)]
    [InlineData("self.items.map(i, i * 2).sum() == 6", """{"items":[1,2]}""", true)]
    [InlineData("self.items.filter(i, i > 1).size() == 1 ? self.name.matches('^[a-z]+$') : true", """{"items":[1,2],"name":"A"}""", false)]
    [InlineData("string(self.min) + '-' + self.name == '1-x'", """{"min":1,"name":"x"}""", true)]
    public async Task Rules_are_evaluated(string rule, string value, bool holds)
    {
        await ServeAsync($$$"""
            {"type":"object","x-kubernetes-validations":[{"rule":{{{JsonValue.Create(rule)!.ToJsonString()}}},"message":"the rule"}],"properties":{"min":{"type":"integer"},"max":{"type":"integer"},
            "name":{"type":"string"},"items":{"type":"array","maxItems":100,"items":{"type":"integer"} } } }
            """);
        var answer = await ThingAsync("a", value);
        Assert.Equal(holds ? 201 : 422, answer.Code);
        if (!holds)
            Assert.Contains("spec: Invalid value: \"object\": the rule", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_immutable_field_stays_what_it_is()
    {
        await ServeAsync("""{"type":"object","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"spec is immutable"}],"properties":{"a":{"type":"string"}}}""");
        await ThingAsync("a", """{"a":"1"}""");
        Assert.Equal(200, (await Admin.MergeAsync("/apis/example.test/v1/namespaces/default/things/a", """{"metadata":{"labels":{"x":"y"}}}""")).Code);
        var changed = await Admin.MergeAsync("/apis/example.test/v1/namespaces/default/things/a", """{"spec":{"a":"2"}}""");
        Assert.Equal(422, changed.Code);
        Assert.Contains("spec is immutable", changed.Message, StringComparison.Ordinal);
    }
}
