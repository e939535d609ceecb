using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Kinds;

namespace Governor.Manifests.Tests;

public sealed class ManifestWriterTests
{
    [Fact]
    public void An_object_is_written_as_a_person_would()
    {
        const string Expected = """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
              annotations:
                "on": "yes"
                port: "8080"
                example.org/url: https://example.org:8443/a
                "": ""
            spec:
              replicas: 2
              empty: {}
              none: []
              unset: null
              script: |
                #!/bin/sh
                  echo "hi: there"

                exit 0
              text: |-
                a
                b
              containers:
              - name: web
                args:
                - --listen
                - "0.0.0.0:80"
                - "- x"
                - - 1
                  - 2.50
                - {}
              - name: sidecar
            """;
        // "--listen" begins like a number would and is quoted.
        var expected = Expected.Replace("- --listen", "- \"--listen\"", StringComparison.Ordinal) + "\n";
        var made = Assert.Single(ManifestReader.Read(expected, "x.yaml"));
        Assert.Equal(expected, ManifestWriter.Write(made));
    }

    [Fact]
    public void Several_objects_are_several_documents()
    {
        var a = KubeObject.Parse("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}"""u8);
        var text = ManifestWriter.Write(a, a);
        Assert.Equal("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n", text);
        Assert.Equal(2, ManifestReader.Read(text, "x").Length);
    }

    [Theory]
    [InlineData("no newline at end\nx")]
    [InlineData("two newlines\nat end\n\n")]
    [InlineData("\nleading newline")]
    [InlineData(" leading space\nx\n")]
    [InlineData("trailing space \nx \n")]
    [InlineData("a\n\tb\n")]
    [InlineData("a\r\nb\r\n")]
    [InlineData("a\n\n\n  b\n   \nc\n")]
    [InlineData("# not a comment\n--- not a document\n")]
    [InlineData("%not a directive\n...\n")]
    [InlineData("\u0085\u2028\uFEFF\u0000\n")]
    [InlineData("n")]
    [InlineData("NO")]
    [InlineData("0644")]
    [InlineData("1e3")]
    [InlineData("~")]
    [InlineData("<<")]
    [InlineData("=")]
    [InlineData("a #b")]
    [InlineData("a: b")]
    [InlineData("a:")]
    [InlineData(":a")]
    [InlineData("!tag")]
    [InlineData("*alias")]
    [InlineData("{a}")]
    public void Awkward_text_reads_back_as_value_and_as_key(string text)
    {
        var node = Object(new JsonObject { [text] = text, ["list"] = new JsonArray(text, new JsonArray(text)) });
        Assert.True(RoundTrips(node), ManifestWriter.Write(KubeObject.From(node)));
    }

    [Fact]
    public void A_very_long_key_reads_back() =>
        Assert.True(RoundTrips(Object(new JsonObject { [new string('k', 3000)] = 1, [new string('l', 3000)] = new JsonObject { ["a"] = new JsonArray(1) } })));

    [Fact]
    public void Whatever_is_written_reads_back_the_same() =>
        Prop.ForAll(Values(), value => RoundTrips(Object(value))).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static JsonObject Object(JsonNode? v) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Thing",
        ["metadata"] = new JsonObject { ["name"] = "a" },
        ["v"] = v?.DeepClone(),
    };

    private static bool RoundTrips(JsonObject node) =>
        JsonNode.DeepEquals(node, ManifestReader.Read(ManifestWriter.Write(KubeObject.From(node)), "written").Single().ToJsonObject());

    private static Arbitrary<JsonNode?> Values() => Gen.Sized(size => Value(Math.Min(size, 12))).ToArbitrary();

    private static Gen<JsonNode?> Value(int size)
    {
        var words = Gen.Elements("a", "b:", " ", "\n", "\n\n", "- ", "#", "'", "\"", "|", "yes", "0", ".", "é", "\t", "{", "\\", ": ", "? ", "%", "---", "…");
        var text = Gen.OneOf(
            ArbMap.Default.GeneratorFor<string>().Select(s => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(s ?? ""))),
            words.ListOf().Select(w => string.Concat(w)));
        var leaf = Gen.OneOf(
            text.Select(s => (JsonNode?)JsonValue.Create(s)),
            ArbMap.Default.GeneratorFor<long>().Select(n => (JsonNode?)JsonValue.Create(n)),
            ArbMap.Default.GeneratorFor<double>().Where(double.IsFinite).Select(n => (JsonNode?)JsonValue.Create(n)),
            ArbMap.Default.GeneratorFor<bool>().Select(b => (JsonNode?)JsonValue.Create(b)),
            Gen.Constant((JsonNode?)null));
        if (size <= 0)
            return leaf;
        var inner = Value(size / 3);
        return Gen.OneOf(
            leaf,
            inner.ListOf().Select(items => (JsonNode?)new JsonArray([.. items.Select(i => i?.DeepClone())])),
            text.Zip(inner).ListOf().Select(members =>
            {
                var made = new JsonObject();
                foreach (var (key, value) in members)
                    made[key] = value?.DeepClone();
                return (JsonNode?)made;
            }));
    }
}
