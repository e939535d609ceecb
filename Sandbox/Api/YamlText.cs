using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Governor.Sandbox.Api;

/// <summary>Writes JSON as YAML; strings that YAML 1.1 would read as something else are quoted.</summary>
internal static class YamlText
{
    public static string Write(JsonNode? node)
    {
        using var text = new StringWriter();
        var emitter = new Emitter(text);
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, true));
        Emit(emitter, node);
        emitter.Emit(new DocumentEnd(true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    private static void Emit(Emitter emitter, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject o:
                emitter.Emit(new MappingStart(null, null, true, o.Count == 0 ? MappingStyle.Flow : MappingStyle.Block));
                foreach (var (name, value) in o)
                {
                    EmitText(emitter, name);
                    Emit(emitter, value);
                }
                emitter.Emit(new MappingEnd());
                break;
            case JsonArray a:
                emitter.Emit(new SequenceStart(null, null, true, a.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block));
                foreach (var item in a)
                    Emit(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.String:
                EmitText(emitter, v.GetValue<string>());
                break;
            default:
                emitter.Emit(new Scalar(null, null, JsonText.Compacted(node), ScalarStyle.Plain, true, false));
                break;
        }
    }

    private static void EmitText(Emitter emitter, string text)
    {
        var reread = YamlBody.ReadPlain(text);
        var isPlain = text.Length > 0 && reread is JsonValue v && v.GetValueKind() == JsonValueKind.String && !DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out _);
        emitter.Emit(new Scalar(null, null, text, isPlain ? ScalarStyle.Any : ScalarStyle.DoubleQuoted, isPlain, true));
    }
}
