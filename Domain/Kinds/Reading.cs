using System.Collections.Immutable;
using System.Text.Json;
using Orleans;

namespace Governor.Domain.Kinds;

/// <summary>One thing that is wrong with an object.</summary>
/// <param name="Check">The rule that it breaks, e.g. <c>SubjectScopeValid</c>.</param>
/// <param name="Path">Where, e.g. <c>spec.permissions[2].verbs</c>.</param>
/// <param name="Message">What was expected and what was found.</param>
[GenerateSerializer, Immutable]
public sealed record Failure(string Check, string Path, string Message)
{
    public override string ToString() => $"{Path}: {Message}";
}

/// <summary>An object read into a record, or everything that is wrong with it.</summary>
[GenerateSerializer, Immutable]
public sealed record Reading<T>(T? Value, ImmutableArray<Failure> Failures) where T : class
{
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsValid => Value is not null;

    /// <summary>The failures in one sentence each.</summary>
    public string Summary() => string.Join("; ", Failures);
}

/// <summary>Reads fields of an object and collects every failure on the way.</summary>
internal sealed class FieldReader(KubeObject source)
{
    private readonly ImmutableArray<Failure>.Builder _failures = ImmutableArray.CreateBuilder<Failure>();

    public JsonElement Spec => source.Spec;

    public void Fail(string check, string path, string message) => _failures.Add(new Failure(check, path, message));

    public void Require(bool holds, string check, string path, string message)
    {
        if (!holds)
            Fail(check, path, message);
    }

    /// <summary>A string that must be there and hold more than white space.</summary>
    public string Name(JsonElement parent, string path, string field, string check)
    {
        var text = Text(parent, path, field);
        Require(!string.IsNullOrWhiteSpace(text), check, $"{path}.{field}", "expected a name, found none");
        return text;
    }

    /// <summary>A string, or "" where there is none.</summary>
    public string Text(JsonElement parent, string path, string field)
    {
        if (!TryFind(parent, field, out var value))
            return "";
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString()!;
        Fail("TypeValid", $"{path}.{field}", $"expected a string, found {Describe(value)}");
        return "";
    }

    /// <summary>One of the values of a closed set, by its spelling.</summary>
    public T OneOf<T>(JsonElement parent, string path, string field, string check, params ReadOnlySpan<(string Text, T Value)> allowed)
    {
        var found = TryFind(parent, field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        var spellings = new List<string>();
        foreach (var (text, meaning) in allowed)
        {
            if (text == found)
                return meaning;
            spellings.Add($"'{text}'");
        }
        Fail(check, $"{path}.{field}", $"expected {string.Join(" or ", spellings)}, found '{found}'");
        return allowed[0].Value;
    }

    /// <summary>A list of strings; empty where there is none.</summary>
    public ImmutableArray<string> Texts(JsonElement parent, string path, string field)
    {
        var made = ImmutableArray.CreateBuilder<string>();
        var index = 0;
        foreach (var item in Items(parent, path, field))
        {
            if (item.ValueKind == JsonValueKind.String)
                made.Add(item.GetString()!);
            else
                Fail("TypeValid", $"{path}.{field}[{index}]", $"expected a string, found {Describe(item)}");
            index++;
        }
        return made.ToImmutable();
    }

    /// <summary>The entries of a list; none where there is no list.</summary>
    public IEnumerable<JsonElement> Items(JsonElement parent, string path, string field)
    {
        if (!TryFind(parent, field, out var value))
            return [];
        if (value.ValueKind == JsonValueKind.Array)
            return value.EnumerateArray();
        Fail("TypeValid", $"{path}.{field}", $"expected a list, found {Describe(value)}");
        return [];
    }

    public Reading<T> Result<T>(Func<T> value) where T : class =>
        _failures.Count == 0 ? new Reading<T>(value(), []) : new Reading<T>(null, _failures.ToImmutable());

    public static bool TryFind(JsonElement parent, string field, out JsonElement value)
    {
        value = default;
        return parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(field, out value) && value.ValueKind != JsonValueKind.Null;
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => $"'{value.GetString()}'",
        _ => value.GetRawText(),
    };
}
