using System.Text.Json;

namespace Governor.Embedded.Runtime.Storage;

/// <summary>How states are written down. Storing text, even in memory, keeps a stored state apart from the one in use.</summary>
internal static class StateJson
{
    private static readonly JsonSerializerOptions Options = new() { IncludeFields = true };

    public static string Write<T>(T? state) => JsonSerializer.Serialize(state, Options);

    public static T? Read<T>(string text) => JsonSerializer.Deserialize<T>(text, Options);
}
