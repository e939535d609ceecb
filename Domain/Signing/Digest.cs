using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans;

namespace Governor.Domain.Signing;

/// <summary>An OCI content digest, <c>sha256:</c> and 64 lower-case hexadecimal digits. No other algorithm is accepted.</summary>
[GenerateSerializer, Immutable, JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest
{
    private const string Prefix = "sha256:";

    private static readonly SearchValues<char> Hexadecimal = SearchValues.Create("0123456789abcdef");

    [Id(0)]
    private readonly string? _value;

    private Digest(string value) => _value = value;

    public string Value => _value ?? "";

    public string Hex => Value.Length == 0 ? "" : Value[Prefix.Length..];

    public static Digest Of(ReadOnlySpan<byte> content) => new(Prefix + Convert.ToHexStringLower(SHA256.HashData(content)));

    public static bool TryParse([NotNullWhen(true)] string? text, out Digest digest)
    {
        var valid = text is { Length: 71 } && text.StartsWith(Prefix, StringComparison.Ordinal)
            && !text.AsSpan(Prefix.Length).ContainsAnyExcept(Hexadecimal);
        digest = valid ? new Digest(text!) : default;
        return valid;
    }

    /// <exception cref="FormatException">Not a lower-case SHA-256 digest.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest) ? digest : throw new FormatException($"expected a digest 'sha256:<64 hex>', found '{text}'");

    public override string ToString() => Value;
}

/// <summary>A digest is a string in JSON, too.</summary>
internal sealed class DigestJsonConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return Digest.Parse(reader.GetString() ?? "");
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
