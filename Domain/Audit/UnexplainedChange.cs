using System.Text.Json;

namespace Governor.Domain.Audit;

/// <summary>
/// The event for a transition that its decision does not explain: an actor learned or remembered something that decides nothing yet.
/// It is recorded all the same, because no state changes without a record.
/// </summary>
public static class UnexplainedChange
{
    /// <summary>The API group of actors as subjects; the kind is the actor's subject, the name its key.</summary>
    public const string Group = "actors.governor.ontai.dev";

    /// <summary>Values of this many characters are recorded; of longer ones, their digest is in the record anyway.</summary>
    private const int LongestValue = 4096;

    /// <param name="previous">The committed state as JSON; empty for an actor that has none.</param>
    /// <param name="next">The state that is committed now, as JSON.</param>
    public static GovernanceEvent Of(string subject, string key, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> next, DateTimeOffset at)
    {
        var (before, after) = (Fields(previous), Fields(next));
        var changed = before.Keys.Union(after.Keys).Where(name => before.GetValueOrDefault(name) != after.GetValueOrDefault(name))
            .Order(StringComparer.Ordinal).ToArray();
        return new EventContext(new EventSubject(Group, subject, "", key, "", 0), $"system:governor:{subject}", "governor", "", "", "")
            .Operator(
                at, $"{subject}.noted", string.Join(",", changed.Select(name => $"$.{name}")), Values(before, changed), Values(after, changed),
                "remembered; nothing follows from it yet");
    }

    private static Dictionary<string, string> Fields(ReadOnlySpan<byte> state)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (state.IsEmpty)
            return fields;
        var reader = new Utf8JsonReader(state);
        using var document = JsonDocument.ParseValue(ref reader);
        foreach (var property in document.RootElement.EnumerateObject())
            fields[property.Name] = property.Value.GetRawText();
        return fields;
    }

    private static string? Values(Dictionary<string, string> fields, string[] names)
    {
        var present = names.Where(fields.ContainsKey).Select(name => $"{JsonSerializer.Serialize(name)}:{fields[name]}").ToArray();
        if (present.Length == 0)
            return null;
        var values = $"{{{string.Join(",", present)}}}";
        return values.Length <= LongestValue ? values : $"{values.Length} characters";
    }
}
