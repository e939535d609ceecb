using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Signing;

namespace Governor.Domain.Tests.Signing;

public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData("null", "null")]
    [InlineData(" { } ", "{}")]
    [InlineData("[ 1 , true , false , null ]", "[1,true,false,null]")]
    [InlineData("""{"b":1,"a":{"d":2,"c":3}}""", """{"a":{"c":3,"d":2},"b":1}""")]
    [InlineData("""{"a":1,"B":2,"":3,"aa":4,"a-b":5}""", """{"":3,"B":2,"a":1,"a-b":5,"aa":4}""")]
    // By UTF-8 bytes U+FF21 comes before U+1F600; by UTF-16 units it would not.
    [InlineData("{\"\U0001F600\":1,\"\uFF21\":2}", "{\"\uFF21\":2,\"\U0001F600\":1}")]
    [InlineData("""["<a href='x'>&</a>"]""", """["\u003ca href='x'\u003e\u0026\u003c/a\u003e"]""")]
    [InlineData("[\"\u2027\u2028\u2029\u202a\"]", "[\"\u2027\\u2028\\u2029\u202a\"]")]
    [InlineData("""["\u0000\u0001\u0008\u0009\u000a\u000b\u000c\u000d\u001f\u007f"]""", "[\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\u007f\"]")]
    [InlineData("""["\"\\\/'"]""", """["\"\\/'"]""")]
    [InlineData("""["\u00e9\ud83d\ude00"]""", "[\"\u00e9\U0001F600\"]")]
    [InlineData("""["\ud800","\udc00x","\ud800\ud83d\ude00","\ud800A"]""", "[\"\uFFFD\",\"\uFFFDx\",\"\uFFFD\U0001F600\",\"\uFFFDA\"]")]
    public void A_value_has_one_form(string json, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Encode(Encoding.UTF8.GetBytes(json))));

    [Theory]
    [InlineData("0", "0")]
    [InlineData("-1", "-1")]
    [InlineData("9007199254740993", "9007199254740993")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("1.0", "1")]
    [InlineData("1.50", "1.5")]
    [InlineData("-0.25", "-0.25")]
    [InlineData("0.1", "0.1")]
    [InlineData("100.5", "100.5")]
    [InlineData("1e2", "100")]
    [InlineData("1.5E3", "1500")]
    [InlineData("0.000001", "0.000001")]
    [InlineData("0.00000123", "0.00000123")]
    [InlineData("0.0000001", "1e-7")]
    [InlineData("1.25e-10", "1.25e-10")]
    [InlineData("1e20", "100000000000000000000")]
    [InlineData("1e21", "1e+21")]
    [InlineData("1.7976931348623157e308", "1.7976931348623157e+308")]
    [InlineData("5e-324", "5e-324")]
    [InlineData("333333333.33333329", "333333333.3333333")]
    [InlineData("-0.0", "-0")]
    public void A_number_is_written_as_Go_writes_it(string literal, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(CanonicalJson.Encode(Encoding.UTF8.GetBytes(literal))));

    [Fact]
    public void Invalid_UTF_8_becomes_one_replacement_character_per_byte()
    {
        byte[] json = [.. "[\""u8, 0xC3, (byte)'x', 0xE2, 0x82, 0xFF, .. "\"]"u8];
        Assert.Equal("[\"\uFFFDx\uFFFD\uFFFD\uFFFD\"]", Encoding.UTF8.GetString(CanonicalJson.Encode(json)));
    }

    [Theory]
    [InlineData("""{"a":1,"a":1}""", "$: expected every key once, found 'a' twice")]
    [InlineData("""{"x":[{"a":1,"\u0061":2}]}""", "$.x[0]: expected every key once, found 'a' twice")]
    [InlineData("""{"x":1e999}""", "$.x: expected a number that fits a double, found '1e999'")]
    [InlineData("1 2", "expected JSON")]
    [InlineData("{", "expected JSON")]
    [InlineData("", "expected JSON")]
    public void What_has_no_canonical_form_is_refused_with_its_place(string json, string expected)
    {
        var error = Assert.Throws<FormatException>(() => CanonicalJson.Encode(Encoding.UTF8.GetBytes(json)));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nesting_has_a_limit()
    {
        CanonicalJson.Encode(Encoding.UTF8.GetBytes(Nested(CanonicalJson.MaxDepth)));
        Assert.Throws<FormatException>(() => CanonicalJson.Encode(Encoding.UTF8.GetBytes(Nested(CanonicalJson.MaxDepth + 1))));

        static string Nested(int depth) => new string('[', depth) + new string(']', depth);
    }

    [Fact]
    public void Elements_and_nodes_have_the_same_form()
    {
        const string Json = """{"b":"<é>","a":[1.0,2]}""";
        var expected = CanonicalJson.Encode(Encoding.UTF8.GetBytes(Json));
        using var document = JsonDocument.Parse(Json);
        Assert.Equal(expected, CanonicalJson.Encode(document.RootElement));
        Assert.Equal(expected, CanonicalJson.Encode(JsonNode.Parse(Json)));
        Assert.Equal("null"u8.ToArray(), CanonicalJson.Encode((JsonNode?)null));
    }

    [Fact]
    public void Encoding_twice_changes_nothing_and_loses_nothing() =>
        Prop.ForAll(Values(), node =>
        {
            var once = CanonicalJson.Encode(node);
            return once.AsSpan().SequenceEqual(CanonicalJson.Encode(once)) && JsonNode.DeepEquals(node, JsonNode.Parse(once));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_order_of_keys_does_not_matter() =>
        Prop.ForAll(Values(), node => CanonicalJson.Encode(node).AsSpan().SequenceEqual(CanonicalJson.Encode(Reversed(node))))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Every_double_reads_back_as_itself() =>
        Prop.ForAll<double>(value =>
        {
            if (!double.IsFinite(value))
                return true;
            var literal = value.ToString("E16", CultureInfo.InvariantCulture);
            return double.Parse(CanonicalJson.Encode(Encoding.ASCII.GetBytes(literal)), CultureInfo.InvariantCulture).Equals(value);
        }).QuickCheckThrowOnFailure();

    private static JsonNode? Reversed(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.Reverse().Select(p => KeyValuePair.Create(p.Key, Reversed(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(Reversed)]),
        _ => node?.DeepClone(),
    };

    private static Arbitrary<JsonNode?> Values() => Gen.Sized(size => Value(Math.Min(size, 12))).ToArbitrary();

    private static Gen<JsonNode?> Value(int size)
    {
        // A lone surrogate has no JSON form of its own, so it cannot read back equal; the table above covers it.
        var text = ArbMap.Default.GeneratorFor<string>().Select(s => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(s ?? "")));
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
