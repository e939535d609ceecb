using System.Text;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Manifests.Tests;

public sealed class ManifestReaderTests
{
    private const string Head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

    private static KubeObject One(string text) => Assert.Single(ManifestReader.Read(text, "x.yaml"));

    private static string Value(string yaml) => One($"{Head}v: {yaml}\n").Find("v").GetRawText();

    [Theory]
    [InlineData("text", "\"text\"")]
    [InlineData("\"5\"", "\"5\"")]
    [InlineData("'true'", "\"true\"")]
    [InlineData("5", "5")]
    [InlineData("-7", "-7")]
    [InlineData("+7", "7")]
    [InlineData("0", "0")]
    [InlineData("9007199254740993", "9007199254740993")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("0o644", "420")]
    [InlineData("0644", "420")]
    [InlineData("0xFF", "255")]
    [InlineData("1.50", "1.50")]
    [InlineData(".5", "0.5")]
    [InlineData("1.", "1")]
    [InlineData("-1.5e3", "-1.5e3")]
    [InlineData("1e+3", "1e+3")]
    [InlineData("true", "true")]
    [InlineData("FALSE", "false")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("off", "\"off\"")]
    [InlineData("~", "null")]
    [InlineData("", "null")]
    [InlineData("null", "null")]
    [InlineData("2026-01-02T03:04:05Z", "\"2026-01-02T03:04:05Z\"")]
    [InlineData("2026-01-02", "\"2026-01-02\"")]
    [InlineData("1.2.3", "\"1.2.3\"")]
    [InlineData("100m", "\"100m\"")]
    [InlineData("0x", "\"0x\"")]
    [InlineData("0b11", "\"0b11\"")]
    [InlineData("1_000", "\"1_000\"")]
    [InlineData("\n- ", "[null]")]
    [InlineData("!!str 5", "\"5\"")]
    [InlineData("! 5", "\"5\"")]
    [InlineData("!!int '5'", "5")]
    [InlineData("[1, {a: b}]", "[1,{\"a\":\"b\"}]")]
    public void A_scalar_means_what_Kubernetes_users_expect(string yaml, string json) => Assert.Equal(json, Value(yaml));

    [Theory]
    [InlineData("089", "leading zero")]
    [InlineData(".inf", "a number that JSON can carry, found '.inf'")]
    [InlineData(".nan", "a number that JSON can carry")]
    [InlineData("!!int x", "a value that '!!int' allows, found 'x'")]
    [InlineData("!custom x", "no tag or one of JSON's")]
    [InlineData("!!binary aGk=", "no tag or one of JSON's")]
    [InlineData("*nobody", "an earlier anchor, found '*nobody'")]
    [InlineData("{a: 1, a: 2}", "every key once, found 'a' again")]
    [InlineData("{[1]: 2}", "expected a text key")]
    [InlineData("{<<: 5}", "under '<<'")]
    public void What_would_have_to_be_guessed_at_is_refused_with_its_line(string yaml, string expected)
    {
        var error = Assert.Throws<ManifestException>(() => Value(yaml));
        Assert.Equal(4, error.Line);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Documents_are_split_by_the_parser_and_never_by_looking_for_dashes()
    {
        var objects = ManifestReader.Read(
            "# a comment\n---\n" + Head + "data:\n  script: |\n    ---\n    kind: not a document\n---\n---\n# nothing\n...\n---\n"
            + Head.Replace("name: a", "name: b", StringComparison.Ordinal) + "---\n", "x.yaml");
        Assert.Equal(["a", "b"], objects.Select(o => o.Name));
        Assert.Equal("---\nkind: not a document\n", objects[0].FindText("data", "script"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("---\n---\n# only a comment\n")]
    [InlineData("apiVersion: v1\nkind: List\nitems: []\n")]
    public void Nothing_is_no_objects(string text) => Assert.Empty(ManifestReader.Read(text, "x.yaml"));

    [Fact]
    public void Json_is_yaml() => Assert.Equal("a", One("""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}""").Name);

    [Fact]
    public void Lists_are_flattened_in_order()
    {
        const string Text = """
            apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
              - apiVersion: v1
                kind: List
                items:
                  - {apiVersion: v1, kind: Secret, metadata: {name: b}}
              - {apiVersion: example.org/v1, kind: AllowList, metadata: {name: c}, spec: {items: []}}
            """;
        Assert.Equal(["ConfigMap a", "Secret b", "AllowList c"], ManifestReader.Read(Text, "x.yaml").Select(o => o.ToString()));
    }

    [Fact]
    public void Anchors_aliases_and_merge_keys_are_resolved()
    {
        const string Text = Head + """
            base: &base {cpu: 1, memory: 2}
            other: &other {memory: 9, disk: 9}
            copy: *base
            merged: {<<: [*base, *other], cpu: 5}
            quoted: {"<<": 1}
            """;
        var made = One(Text);
        Assert.Equal("""{"cpu":1,"memory":2}""", made.Find("copy").GetRawText());
        Assert.Equal("""{"cpu":5,"memory":2,"disk":9}""", made.Find("merged").GetRawText());
        Assert.Equal("""{"<<":1}""", made.Find("quoted").GetRawText());
    }

    [Fact]
    public void Anchors_end_with_their_document() =>
        Assert.Equal(2, Assert.Throws<ManifestException>(() => ManifestReader.Read(Head + "v: &a 1\n---\n" + Head + "v: *a\n", "x.yaml")).Document);

    [Fact]
    public void A_billion_laughs_end_early()
    {
        var text = new StringBuilder(Head).Append("a0: &a0 [lol, lol]\n");
        for (var i = 1; i < 60; i++)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]\n");
        Assert.Contains("aliases that expand", Assert.Throws<ManifestException>(() => One(text.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Aliases_nest_no_deeper_than_anything_else()
    {
        var text = new StringBuilder(Head).Append("a0: &a0 [x]\n");
        for (var i = 1; i < 500; i++)
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{i}: &a{i} [*a{i - 1}]\n");
        Assert.Contains("nesting", Assert.Throws<ManifestException>(() => One(text.ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Size_depth_and_count_have_limits()
    {
        Refused(Head, new ManifestLimits { Characters = 10 }, "at most 10 characters, found");
        Refused(Head + "v: [[[[1]]]]", new ManifestLimits { Depth = 3 }, "nesting of at most 3");
        Refused(Head + "---\n" + Head, new ManifestLimits { Objects = 1 }, "at most 1 objects");
        Refused(Head + "v: " + new string('[', 100_000), ManifestLimits.Default, "nesting of at most 100");

        static void Refused(string text, ManifestLimits limits, string expected) =>
            Assert.Contains(expected, Assert.Throws<ManifestException>(() => ManifestReader.Read(text, "x.yaml", limits)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind: ConfigMap\nmetadata: {name: a}", 1, "no apiVersion")]
    [InlineData("---\n---\napiVersion: v1\nmetadata: {name: a}", 3, "no kind")]
    [InlineData("apiVersion: v1\nkind: ConfigMap", 1, "no metadata.name")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {}", 1, "no metadata.name in ConfigMap")]
    [InlineData("apiVersion: v1\nkind: Job\nmetadata: {generateName: a-}", 1, "found only generateName")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}", 1, "expected text in 'metadata.name', found the number 5; quote it in ConfigMap")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: 5}", 1, "expected text in 'metadata.namespace'")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: true}}", 1, "expected text in metadata.labels 'x', found true; quote it in ConfigMap 'a'")]
    [InlineData("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: [x]}", 1, "expected a mapping 'metadata.annotations', found a sequence")]
    [InlineData("apiVersion: ''\nkind: ConfigMap\nmetadata: {name: a}", 1, "expected text in 'apiVersion', found empty text")]
    [InlineData("just text", 1, "found text: not a mapping")]
    [InlineData("[a]", 1, "found a sequence: not a mapping")]
    [InlineData("apiVersion: v1\nkind: List\nitems:\n- text", 1, "not a mapping at items[0]")]
    [InlineData("apiVersion: v1\nkind: List\nitems: {}", 1, "expected a sequence 'items' in the list, found a mapping")]
    [InlineData("apiVersion: v1\nkind: List\nitems:\n- {kind: A, metadata: {name: a}}", 1, "no apiVersion at items[0]")]
    [InlineData("a:\n\t- b", 1, "tab")]
    [InlineData("a: b: c", 1, "column 5")]
    [InlineData("a: \"x", 1, "expected YAML")]
    [InlineData("a: {b", 1, "expected YAML")]
    public void A_bad_document_is_an_error_that_says_source_document_line_expected_and_found(string text, long line, string expected)
    {
        var error = Assert.Throws<ManifestException>(() => ManifestReader.Read(text, "layers/manifests.yaml"));
        Assert.StartsWith($"layers/manifests.yaml: document {error.Document}, line {error.Line}: expected", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.True(error.Line >= line);
    }

    [Fact]
    public void The_position_of_a_bad_document_is_its_own()
    {
        var error = Assert.Throws<ManifestException>(() => ManifestReader.Read(Head + "---\n" + Head + "---\nkind: X\nv: [1\n", "x.yaml"));
        Assert.Equal(3, error.Document);
        error = Assert.Throws<ManifestException>(() => ManifestReader.Read(Head + "---\nkind: X\n", "x.yaml"));
        Assert.Equal((2, 5L), (error.Document, error.Line));
    }

    [Fact]
    public void A_configuration_document_is_read_as_it_is()
    {
        Assert.Equal("""{"a":[1,"x"]}""", ManifestReader.ReadDocument("a: [1, x]", "x.yaml")!.ToJsonString());
        Assert.Null(ManifestReader.ReadDocument("", "x.yaml"));
        Assert.Throws<ManifestException>(() => ManifestReader.ReadDocument("a: 1\n---\nb: 1", "x.yaml"));
    }

    [Fact]
    public void Text_of_any_script_survives() =>
        Assert.Equal("Grüße 世界 😀 <&>", JsonSerializer.Deserialize<string>(Value("Grüße 世界 😀 <&>")));
}
