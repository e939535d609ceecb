using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Governor.Manifests;

/// <summary>
/// What a YAML scalar means in JSON: the core schema of YAML 1.2, and one thing of 1.1 that Kubernetes' own tools keep and people
/// rely on for file modes: an integer with a leading zero is octal. Timestamps, <c>yes</c>, <c>no</c>, <c>on</c> and <c>off</c> are
/// strings. Numbers keep their digits.
/// </summary>
internal static partial class YamlScalar
{
    private const string Standard = "tag:yaml.org,2002:";

    /// <exception cref="FormatException">A tag that JSON has no form for, text that its tag does not allow, or a number that JSON cannot carry.</exception>
    internal static JsonNode? ToJson(Scalar scalar)
    {
        var tag = scalar.Tag.IsEmpty ? "" : scalar.Tag.Value;
        return tag switch
        {
            "" or "?" => scalar.Style == ScalarStyle.Plain ? Resolve(scalar.Value) : JsonValue.Create(scalar.Value),
            "!" or Standard + "str" or Standard + "timestamp" => JsonValue.Create(scalar.Value),
            Standard + "null" when IsNull(scalar.Value) => null,
            Standard + "bool" when Boolean(scalar.Value) is { } value => JsonValue.Create(value),
            Standard + "int" when Integer(scalar.Value) is { } value => value,
            Standard + "float" when (Integer(scalar.Value) ?? Float(scalar.Value)) is { } value => value,
            Standard + "null" or Standard + "bool" or Standard + "int" or Standard + "float" =>
                throw new FormatException($"expected a value that '!!{tag[Standard.Length..]}' allows, found '{Shown(scalar.Value)}'"),
            _ => throw new FormatException($"expected no tag or one of JSON's (!!str, !!int, !!float, !!bool, !!null), found '{tag}'"),
        };
    }

    /// <summary>Whether this text, written plain, would be read as anything but itself by YAML 1.2 or by 1.1.</summary>
    internal static bool IsAmbiguous(string text) =>
        IsNull(text) || OneDotOneBoolean().IsMatch(text) || (text.Length > 0 && (char.IsAsciiDigit(text[0]) || text[0] is '.' or '+' or '-'));

    private static JsonNode? Resolve(string text)
    {
        if (IsNull(text))
            return null;
        if (Boolean(text) is { } boolean)
            return JsonValue.Create(boolean);
        return text[0] is '.' or '+' or '-' || char.IsAsciiDigit(text[0])
            ? Integer(text) ?? Float(text) ?? JsonValue.Create(text)
            : JsonValue.Create(text);
    }

    private static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";

    private static bool? Boolean(string text) => text switch
    {
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => null,
    };

    private static JsonNode? Integer(string text)
    {
        if (DecimalInteger().Match(text) is { Success: true } match)
        {
            var digits = match.Groups["digits"].Value;
            var negative = match.Groups["sign"].Value == "-";
            if (digits.Length == 1 || digits[0] != '0')
                return Number((negative ? "-" : "") + digits);
            return digits.AsSpan().ContainsAny('8', '9')
                ? throw new FormatException($"expected a number, found '{Shown(text)}': a leading zero makes it octal, which has no 8 and 9; quote it or drop the zero")
                : Octal(digits, negative);
        }
        if (text.StartsWith("0o", StringComparison.Ordinal) && text.Length > 2 && !text.AsSpan(2).ContainsAnyExceptInRange('0', '7'))
            return Octal(text[2..], negative: false);
        return text.StartsWith("0x", StringComparison.Ordinal) && text.Length > 2
            && BigInteger.TryParse("0" + text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hexadecimal)
                ? Number(hexadecimal.ToString(CultureInfo.InvariantCulture))
                : null;
    }

    private static JsonNode Octal(string digits, bool negative)
    {
        var value = digits.Aggregate(BigInteger.Zero, (sum, digit) => (sum * 8) + (digit - '0'));
        return Number((negative ? -value : value).ToString(CultureInfo.InvariantCulture));
    }

    private static JsonNode? Float(string text)
    {
        if (NotFinite().IsMatch(text))
            throw new FormatException($"expected a number that JSON can carry, found '{text}'");
        if (FloatingPoint().Match(text) is not { Success: true } match)
            return null;
        var whole = match.Groups["whole"].Value.TrimStart('0');
        var fraction = match.Groups["fraction"].Value;
        return Number(
            (match.Groups["sign"].Value == "-" ? "-" : "")
            + (whole.Length == 0 ? "0" : whole)
            + (fraction.Length == 0 ? "" : "." + fraction)
            + match.Groups["exponent"].Value);
    }

    /// <summary>JSON's own literal, kept digit by digit.</summary>
    private static JsonNode Number(string literal) =>
        long.TryParse(literal, CultureInfo.InvariantCulture, out var value) && value != 0 ? JsonValue.Create(value) : JsonNode.Parse(literal)!;

    private static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "…";

    [GeneratedRegex(@"\A(?<sign>[-+]?)(?<digits>[0-9]+)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex DecimalInteger();

    [GeneratedRegex(@"\A(?<sign>[-+]?)((?<whole>[0-9]+)(\.(?<fraction>[0-9]*))?|\.(?<fraction>[0-9]+))(?<exponent>([eE][-+]?[0-9]+)?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex FloatingPoint();

    [GeneratedRegex(@"\A([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z", RegexOptions.ExplicitCapture)]
    private static partial Regex NotFinite();

    [GeneratedRegex(@"\A(y|n|yes|no|on|off|true|false)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex OneDotOneBoolean();
}
