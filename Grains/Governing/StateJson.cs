using System.Text.Json;
using System.Text.Json.Serialization;

namespace Governor.Grains.Governing;

/// <summary>How an actor's state is written to the journal.</summary>
public static class StateJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IncludeFields = false,
    };
}
