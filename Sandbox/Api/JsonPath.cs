using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Governor.Sandbox.Api;

/// <summary>The JSONPath of printer columns and scale: members, indexes, <c>[*]</c>, and one filter <c>[?(@.a=="b")]</c>.</summary>
internal static partial class JsonPath
{
    public static IEnumerable<JsonElement> Find(JsonElement root, string path)
    {
        IEnumerable<JsonElement> at = [root];
        foreach (Match step in Step().Matches(path))
            at = Advance(at, step);
        return at;
    }

    private static IEnumerable<JsonElement> Advance(IEnumerable<JsonElement> from, Match step)
    {
        var name = step.Groups["name"].Success ? step.Groups["name"].Value.Replace("\\.", ".", StringComparison.Ordinal) : step.Groups["quoted"].Value;
        foreach (var e in from)
            if (name.Length > 0)
            {
                if (e.Find(name) is { ValueKind: not JsonValueKind.Undefined } found)
                    yield return found;
            }
            else if (e.ValueKind == JsonValueKind.Array)
                foreach (var item in Items(e, step))
                    yield return item;
    }

    private static IEnumerable<JsonElement> Items(JsonElement list, Match step)
    {
        if (step.Groups["index"].Success)
        {
            var index = int.Parse(step.Groups["index"].Value, CultureInfo.InvariantCulture);
            index = index < 0 ? list.GetArrayLength() + index : index;
            return index >= 0 && index < list.GetArrayLength() ? [list[index]] : [];
        }
        if (!step.Groups["filter"].Success)
            return list.EnumerateArray();
        var field = step.Groups["filter"].Value.Split('.');
        var wanted = step.Groups["value"].Value;
        return list.EnumerateArray().Where(i => i.Find(field) is { ValueKind: not JsonValueKind.Undefined } v && v.ToString() == wanted);
    }

    [GeneratedRegex(@"\.?(?<name>(?:[A-Za-z0-9_\-]|\\\.)+)|\[(?<index>-?\d+)\]|\['(?<quoted>[^']+)'\]|\[\?\(\s*@\.(?<filter>[A-Za-z0-9_.\-]+)\s*==\s*['""](?<value>[^'""]*)['""]\s*\)\]|\[\*\]")]
    private static partial Regex Step();
}
