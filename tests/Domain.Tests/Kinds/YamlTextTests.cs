using System.Text.Json.Nodes;
using Governor.Domain.Kinds.Schemas;

namespace Governor.Domain.Tests.Kinds;

public sealed class YamlTextTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("infra.ontai.dev/v1alpha1", "infra.ontai.dev/v1alpha1")]
    [InlineData(".spec.version", ".spec.version")]
    [InlineData("two words", "two words")]
    [InlineData("", "\"\"")]
    [InlineData("true", "\"true\"")]
    [InlineData("True", "\"True\"")]
    [InlineData("null", "\"null\"")]
    [InlineData("no", "\"no\"")]
    [InlineData("1.5", "\"1.5\"")]
    [InlineData(".5", "\".5\"")]
    [InlineData("-x", "\"-x\"")]
    [InlineData("a: b", "\"a: b\"")]
    [InlineData("a #b", "\"a #b\"")]
    [InlineData("ends ", "\"ends \"")]
    [InlineData("*", "\"*\"")]
    [InlineData("say \"yes\"", "\"say \\\"yes\\\"\"")]
    [InlineData("back\\slash\n", "\"back\\\\slash\\n\"")]
    public void A_string_is_quoted_only_where_YAML_would_read_something_else(string text, string expected) =>
        Assert.Equal(expected + "\n", YamlText.Of(JsonValue.Create(text)));

    [Fact]
    public void Maps_and_lists_are_blocks()
    {
        var tree = JsonNode.Parse("""{"a":{"b":1,"c":[]},"d":[{"e":"x","f":[true,null]},"y",[1,2]],"g":{}}""");

        Assert.Equal("""
            a:
              b: 1
              c: []
            d:
            - e: x
              f:
              - true
              - null
            - "y"
            -
              - 1
              - 2
            g: {}

            """, YamlText.Of(tree));
    }
}
