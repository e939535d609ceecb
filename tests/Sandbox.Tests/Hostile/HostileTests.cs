using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Governor.Sandbox.Tests.Hostile;

public sealed class HostileTests : ClusterFixture
{
    private const int Mebi = 1024 * 1024;

    protected override SandboxOptions Options => base.Options with { WatchHistoryBytes = Mebi };

    private static string Widget(string name, string freeform, string metadata = "") => $$$"""
        {"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"{{{name}}}"{{{metadata}}} },"spec":{"size":3,"freeform":{{{freeform}}} } }
        """;

    private Task<Answer> PostRawAsync(byte[] body) => Admin.SendBytesAsync("POST", Widgets, body);

    [Theory]
    [InlineData(3 * Mebi + 1, 413, "Request entity too large: limit is 3145728")]
    [InlineData(2 * Mebi, 500, "rpc error: code = ResourceExhausted desc = trying to send message larger than max")]
    [InlineData(1740800, 500, "etcdserver: request is too large")]
    [InlineData(1 * Mebi, 201, "")]
    public async Task Large_objects_meet_the_limits_of_the_api_server_and_of_etcd(int length, int code, string message)
    {
        await ServeWidgetsAsync();
        var answer = await Admin.PostAsync(Widgets, Widget("big", $$$"""{"x":"{{{new string('x', length)}}}"}"""));
        Assert.Equal(code, answer.Code);
        if (code != 201)
            Assert.StartsWith(message, answer.Message, StringComparison.Ordinal);
        Assert.Equal(code == 201 ? 200 : 404, (await Admin.GetAsync(Widgets + "/big")).Code);
    }

    [Theory]
    [InlineData("{\"a\":", "}")]
    [InlineData("[", "]")]
    public async Task Ten_thousand_levels_are_refused_in_every_way_in(string open, string close)
    {
        await ServeWidgetsAsync();
        await CreateWidgetAsync("w");
        var deep = new StringBuilder().Insert(0, open, 10_000).Append('1').Insert(10_000 * open.Length + 1, close, 10_000).ToString();
        var created = await Admin.PostAsync(Widgets, Widget("deep", $$$"""{"x":{{{deep}}} }"""));
        Assert.Equal(400, created.Code);
        Assert.Contains("exceeded max depth", created.Message, StringComparison.Ordinal);
        Assert.Equal(400, (await Admin.ApplyAsync(Widgets + "/deep", Widget("deep", $$$"""{"x":{{{deep}}} }"""))).Code);
        Assert.Equal(400, (await Admin.SendAsync("POST", Widgets, "apiVersion: fixtures.governor.dev/v1\nkind: Widget\nmetadata: {name: deep}\nspec: {size: 3, freeform: {x: " + deep.Replace(":", ": ", StringComparison.Ordinal) + "}}", "application/yaml")).Code);
        Assert.Equal(400, (await Admin.MergeAsync(Widgets + "/w", $$$"""{"spec":{"freeform":{{{deep}}} } }""")).Code);
        Assert.Equal(400, (await Admin.SendAsync("PATCH", Widgets + "/w", $$$"""[{"op":"add","path":"/spec/freeform","value":{{{deep}}} }]""", "application/json-patch+json")).Code);
        Assert.Equal(200, (await Admin.GetAsync(Widgets + "/w")).Code);
    }

    [Fact]
    public async Task Depth_that_grows_patch_by_patch_is_refused_before_it_cannot_be_read_any_more()
    {
        await ServeWidgetsAsync();
        await CreateWidgetAsync("w");
        var level = new StringBuilder().Insert(0, "{\"a\":", 300).Append("{}").Insert(300 * 5 + 2, "}", 300).ToString();
        Assert.Equal(200, (await Admin.MergeAsync(Widgets + "/w", $$$"""{"spec":{"freeform":{"x":{{{level}}} } } }""")).Code);
        var path = "/spec/freeform/x" + new StringBuilder().Insert(0, "/a", 300) + "/b";
        var refused = await Admin.SendAsync("PATCH", Widgets + "/w", $$$"""[{"op":"add","path":"{{{path}}}","value":{{{level}}} }]""", "application/json-patch+json");
        Assert.Equal(500, refused.Code);
        Assert.Equal(200, (await Admin.GetAsync(Widgets + "/w")).Code);
        Assert.Equal(200, (await Admin.GetAsync(Widgets, "application/json;as=Table;v=v1;g=meta.k8s.io")).Code);
    }

    [Fact]
    public async Task Aliases_that_multiply_are_refused()
    {
        await ServeWidgetsAsync();
        var bomb = new StringBuilder("apiVersion: fixtures.governor.dev/v1\nkind: Widget\nmetadata: {name: b}\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 12; i++)
            bomb.Append(CultureInfo.InvariantCulture, $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        var refused = await Admin.SendAsync("POST", Widgets, bomb.ToString(), "application/yaml");
        Assert.Equal(400, refused.Code);
        Assert.Contains("excessive aliasing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_become_the_replacement_character()
    {
        await ServeWidgetsAsync();
        var body = Encoding.UTF8.GetBytes(Widget("w", """{"x":"a?b","y":"\ud800","z":"\ud83d\ude00"}"""));
        body[Array.IndexOf(body, (byte)'?')] = 0xFF;
        var made = await PostRawAsync(body);
        Assert.Equal(201, made.Code);
        var freeform = (await Admin.GetAsync(Widgets + "/w")).Json["spec"]!["freeform"]!;
        Assert.Equal(("a\uFFFDb", "\uFFFD", "😀"), (freeform["x"]!.GetValue<string>(), freeform["y"]!.GetValue<string>(), freeform["z"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("9007199254740993", "9007199254740993")]
    [InlineData("9223372036854775807", "9223372036854775807")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("9223372036854775808", "9.223372036854776E+18")]
    [InlineData("0.1", "0.1")]
    public async Task Numbers_are_carried_exactly_as_far_as_an_api_server_carries_them(string sent, string kept)
    {
        await ServeWidgetsAsync();
        await Admin.PostAsync(Widgets, Widget("w", $$$"""{"n":{{{sent}}} }"""));
        await Admin.MergeAsync(Widgets + "/w", """{"metadata":{"labels":{"a":"b"}}}""");
        await Admin.ApplyAsync(Widgets + "/w", """{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"size":3}}""");
        Assert.Equal(kept, (await Admin.GetAsync(Widgets + "/w")).Json["spec"]!["freeform"]!["n"]!.ToJsonString());
    }

    [Fact]
    public async Task A_number_beyond_all_floats_is_refused()
    {
        await ServeWidgetsAsync();
        Assert.Equal(400, (await Admin.PostAsync(Widgets, Widget("w", """{"n":1e400}"""))).Code);
    }

    [Fact]
    public async Task Annotations_end_at_256_kibibytes_of_utf8()
    {
        static string Annotated(int length) => $"{{\"metadata\":{{\"annotations\":{{\"a\":\"{new string('ä', length)}\"}}}}}}";
        await CreateConfigMapAsync("c");
        Assert.Equal(200, (await Admin.MergeAsync(ConfigMaps + "/c", Annotated(131071))).Code);
        var refused = await Admin.MergeAsync(ConfigMaps + "/c", Annotated(131072));
        Assert.Equal(422, refused.Code);
        Assert.Contains("metadata.annotations: Too long: must have at most 262144 bytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("configmaps", "ConfigMap", 253)]
    [InlineData("namespaces", "Namespace", 63)]
    public async Task Names_end_where_they_end(string plural, string kind, int limit)
    {
        foreach (var (length, code) in ((int, int)[])[(limit, 201), (limit + 1, 422)])
        {
            var path = plural == "namespaces" ? "/api/v1/namespaces" : ConfigMaps;
            var made = await Admin.PostAsync(path, new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = kind,
                ["metadata"] = new JsonObject { ["name"] = new string('a', length) },
            }.ToJsonString());
            Assert.Equal(code, made.Code);
        }
    }

    [Fact]
    public async Task Large_answers_are_compressed_for_those_who_take_it()
    {
        await ServeWidgetsAsync();
        for (var i = 0; i < 3; i++)
            await Admin.PostAsync(Widgets, Widget($"w{i}", $$$"""{"x":"{{{new string('x', 60_000)}}}"}"""));
        var (encoding, bytes) = await Admin.GetCompressedAsync(Widgets);
        Assert.Equal("gzip", encoding);
        Assert.True(bytes < 20_000, $"{bytes} bytes");
        Assert.Equal("", (await Admin.GetCompressedAsync(Widgets + "/w0")).Encoding);
    }

    [Fact]
    public async Task The_history_of_large_objects_is_bounded_by_its_bytes()
    {
        var first = await CreateConfigMapAsync("c");
        for (var i = 0; i < 12; i++)
            Assert.Equal(200, (await Admin.MergeAsync(ConfigMaps + "/c", $$$"""{"data":{"i":"{{{i}}}","x":"{{{new string('x', 100_000)}}}"} }""")).Code);
        using var watch = await Admin.WatchAsync($"{ConfigMaps}?resourceVersion={first.Version}");
        Assert.Equal("ERROR", (await watch.NextAsync())!.Value.Type);
    }
}
