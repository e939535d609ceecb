using System.Text;
using System.Text.Json;
using Governor.Domain.Signing;

namespace Governor.Registry;

/// <summary>The manifest of a pack layer: an OCI image manifest (image specification 1.1) with exactly one layer and an empty config.</summary>
public sealed record OciManifest(string LayerMediaType, Digest Layer, long LayerSize)
{
    public const string MediaType = "application/vnd.oci.image.manifest.v1+json";

    private const string DockerMediaType = "application/vnd.docker.distribution.manifest.v2+json";
    private const string EmptyMediaType = "application/vnd.oci.empty.v1+json";

    internal static readonly string[] AcceptedMediaTypes = [MediaType, DockerMediaType];

    /// <summary>The config blob of something that has no config: <c>{}</c>.</summary>
    public static ReadOnlyMemory<byte> EmptyConfig { get; } = "{}"u8.ToArray();

    /// <summary>The manifest's bytes; the same layer always gives the same.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(
        $$"""
        {"schemaVersion":2,"mediaType":"{{MediaType}}","artifactType":"{{LayerMediaType}}",
        "config":{"mediaType":"{{EmptyMediaType}}","digest":"{{Digest.Of(EmptyConfig.Span)}}","size":{{EmptyConfig.Length}},"data":"e30="},
        "layers":[{"mediaType":"{{LayerMediaType}}","digest":"{{Layer}}","size":{{LayerSize}}}]}
        """.ReplaceLineEndings(""));

    /// <exception cref="RegistryException"><c>ManifestInvalid</c>; says expected and found.</exception>
    public static OciManifest Parse(ReadOnlySpan<byte> bytes, string what)
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 32 });
            var root = JsonElement.ParseValue(ref reader);
            if (root.ValueKind != JsonValueKind.Object)
                throw Invalid(what, "an OCI image manifest", $"a JSON {root.ValueKind}");
            if (root.TryGetProperty("mediaType", out var type) && !AcceptedMediaTypes.Contains(type.GetString()))
                throw Invalid(what, $"an image manifest ({MediaType})", $"'{type.GetString()}'");
            if (!root.TryGetProperty("layers", out var layers) || layers.ValueKind != JsonValueKind.Array)
                throw Invalid(what, "'layers'", "none");
            if (layers.GetArrayLength() != 1)
                throw Invalid(what, "exactly one layer", $"{layers.GetArrayLength()}");
            return ParseLayer(layers[0], what);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Invalid(what, "an OCI image manifest", $"something else: {e.Message}", e);
        }
    }

    private static OciManifest ParseLayer(JsonElement layer, string what)
    {
        var type = layer.TryGetProperty("mediaType", out var t) ? t.GetString() ?? "" : "";
        if (!PackMediaTypes.IsReadable(type))
            throw Invalid(what, $"a layer of a pack's media type, such as '{PackMediaTypes.Of(PackLayerKind.Workload)}'", $"'{type}'");
        var text = layer.TryGetProperty("digest", out var d) ? d.GetString() : null;
        if (!Digest.TryParse(text, out var digest))
            throw Invalid(what, "a layer digest 'sha256:<64 hex>'", $"'{text}'");
        return layer.TryGetProperty("size", out var s) && s.TryGetInt64(out var size) && size >= 0
            ? new OciManifest(type, digest, size)
            : throw Invalid(what, "a layer size in bytes", layer.TryGetProperty("size", out s) ? s.GetRawText() : "none");
    }

    private static RegistryException Invalid(string what, string expected, string found, Exception? inner = null) =>
        new(RegistryReasons.ManifestInvalid, $"{what}: expected {expected}, found {found}", inner: inner);
}
