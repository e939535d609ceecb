using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Governor.Manifests;

/// <summary>Turns the parser's events into JSON, one document at a time: aliases and merge keys resolved, duplicate keys refused.</summary>
internal sealed class YamlDocument(string manifest, IParser parser, ManifestLimits limits)
{
    private readonly Dictionary<AnchorName, Anchored> _anchors = [];

    private long _expanded;
    private long _weight;
    private int _deepest;
    private int _number;

    /// <summary>The next document; null at the end of the stream.</summary>
    /// <exception cref="ManifestException">Not YAML, or YAML that JSON has no form for.</exception>
    internal Read? Next()
    {
        try
        {
            parser.TryConsume<StreamStart>(out _);
            if (parser.TryConsume<StreamEnd>(out _))
                return null;
            _number++;
            _anchors.Clear();
            parser.Consume<DocumentStart>();
            var line = parser.Accept<ParsingEvent>(out var first) ? first.Start.Line : 1;
            var root = Node(depth: 0);
            parser.Consume<DocumentEnd>();
            return new Read(_number, line, root);
        }
        catch (YamlException e)
        {
            throw new ManifestException(manifest, Math.Max(_number, 1), e.Start.Line, $"expected YAML, column {e.Start.Column}: {e.Message}", e);
        }
    }

    private JsonNode? Node(int depth)
    {
        var next = parser.Consume<ParsingEvent>();
        if (next is AnchorAlias alias)
            return Expand(alias, depth);
        RequireDepth(next, depth);
        if (next is not NodeEvent at)
            throw Problem(next, $"expected a value, found {next.GetType().Name}");

        var (before, deepestBefore) = (_weight++, _deepest);
        _deepest = depth;
        JsonNode? made = at switch
        {
            MappingStart => Mapping(at, depth),
            SequenceStart => Sequence(at, depth),
            Scalar scalar => Scalar(scalar),
            _ => throw Problem(at, $"expected a value, found {at.GetType().Name}"),
        };
        if (!at.Anchor.IsEmpty)
            _anchors[at.Anchor] = new Anchored(made, _weight - before, _deepest - depth);
        _deepest = Math.Max(_deepest, deepestBefore);
        return made;
    }

    private JsonNode? Scalar(Scalar scalar)
    {
        _weight += scalar.Value.Length;
        try
        {
            return YamlScalar.ToJson(scalar);
        }
        catch (FormatException e)
        {
            throw Problem(scalar, e.Message);
        }
    }

    private JsonArray Sequence(NodeEvent start, int depth)
    {
        RequireTag(start, "tag:yaml.org,2002:seq");
        var made = new JsonArray();
        while (!parser.TryConsume<SequenceEnd>(out _))
            made.Add(Node(depth + 1));
        return made;
    }

    private JsonObject Mapping(NodeEvent start, int depth)
    {
        RequireTag(start, "tag:yaml.org,2002:map");
        var made = new JsonObject();
        List<JsonObject>? merged = null;
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            if (!parser.TryConsume<Scalar>(out var key))
                throw Problem(parser.Current!, "expected a text key, found a mapping, a sequence or an alias as key");
            _weight += key.Value.Length;
            if (key is { Value: "<<", Style: ScalarStyle.Plain, Tag.IsEmpty: true })
                (merged ??= []).AddRange(MergeSources(key, Node(depth + 1)));
            else if (made.ContainsKey(key.Value))
                throw Problem(key, $"expected every key once, found '{key.Value}' again");
            else
                made.Add(key.Value, Node(depth + 1));
        }
        foreach (var (key, value) in (merged ?? []).SelectMany(source => source))
            if (!made.ContainsKey(key))
                made.Add(key, value?.DeepClone());
        return made;
    }

    private IEnumerable<JsonObject> MergeSources(Scalar key, JsonNode? value) => value switch
    {
        JsonObject one => [one],
        JsonArray many when many.All(item => item is JsonObject) => many.Select(item => item!.AsObject()),
        _ => throw Problem(key, "expected a mapping or a sequence of mappings under '<<', found something else"),
    };

    private JsonNode? Expand(AnchorAlias alias, int depth)
    {
        if (!_anchors.TryGetValue(alias.Value, out var anchored))
            throw Problem(alias, $"expected the name of an earlier anchor, found '*{alias.Value}'");
        _weight += anchored.Weight;
        _expanded += anchored.Weight;
        if (_expanded > limits.Expansion)
            throw Problem(alias, $"expected aliases that expand to at most {limits.Expansion} nodes and characters, found more");
        // Aliases of aliases would otherwise nest as deep as nobody may write.
        RequireDepth(alias, depth + anchored.Height);
        _deepest = Math.Max(_deepest, depth + anchored.Height);
        return anchored.Value?.DeepClone();
    }

    private void RequireDepth(ParsingEvent at, int depth)
    {
        if (depth > limits.Depth)
            throw Problem(at, $"expected nesting of at most {limits.Depth}, found more");
    }

    private void RequireTag(NodeEvent at, string allowed)
    {
        if (!at.Tag.IsEmpty && at.Tag.Value != allowed && at.Tag.Value is not ("!" or "?"))
            throw Problem(at, $"expected no tag, found '{at.Tag.Value}'");
    }

    private ManifestException Problem(ParsingEvent at, string problem) => new(manifest, _number, at.Start.Line, problem);

    internal sealed record Read(int Number, long Line, JsonNode? Root);

    private readonly record struct Anchored(JsonNode? Value, long Weight, int Height);
}
