using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Governor.Watchers.Client;

namespace Governor.Watchers.Tests.Client;

public sealed class YamlSafeJsonTests
{
    [Theory]
    [InlineData("""{"a":"plain","n":1e400}""", """{"a":"plain","n":1e400}""")]
    [InlineData("""{"a":"\ud83d\ude00"}""", "{\"a\":\"😀\"}")]
    [InlineData("""{"a":"\\ud83d\\ude00"}""", """{"a":"\\ud83d\\ude00"}""")]
    [InlineData("""{"a":"\\\ud83d\ude00"}""", "{\"a\":\"\\\\😀\"}")]
    [InlineData("""{"a":"\ud83d"}""", """{"a":"\ud83d"}""")]
    [InlineData("{\"a\":\"é\u2028\u0085\ufeff\"}", "{\"a\":\"é\\u2028\\u0085\\ufeff\"}")]
    [InlineData("""{"a":"\u00e9\u003c\n"}""", """{"a":"\u00e9\u003c\n"}""")]
    public void What_YAML_reads_otherwise_is_spelled_the_other_way_round(string json, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(YamlSafeJson.Rewrite(Encoding.UTF8.GetBytes(json)).Span));

    [Fact]
    public void Any_text_means_the_same_afterwards_and_holds_no_surrogate_escape() => Prop.ForAll<string?>(text =>
    {
        var valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? "")) + "\\😀\u2028";
        var before = new JsonObject { ["text"] = valid }.ToJsonString();
        var after = Encoding.UTF8.GetString(YamlSafeJson.Rewrite(Encoding.UTF8.GetBytes(before)).Span);
        return JsonNode.Parse(after)!["text"]!.GetValue<string>() == valid && !after.Contains("\\ud83d", StringComparison.OrdinalIgnoreCase);
    }).QuickCheckThrowOnFailure();
}
