using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Store;

/// <summary>An object as stored: immutable bytes, parsed on demand.</summary>
internal sealed class StoredObject
{
    /// <summary>What the connection to etcd takes, and what etcd takes, in bytes.</summary>
    private const int MessageLimit = 2 * 1024 * 1024;
    private const int RequestLimit = 3 * 1024 * 1024 / 2;

    private JsonDocument? _document;

    private StoredObject(ObjectKey key, long version, byte[] json, string uid)
    {
        Key = key;
        Version = version;
        Json = json;
        Uid = uid;
    }

    public ObjectKey Key { get; }
    public long Version { get; }
    public byte[] Json { get; }
    public string Uid { get; }

    /// <summary>The parsed object. Racing first readers parse twice and agree.</summary>
    public JsonElement Root => (_document ??= JsonDocument.Parse(Json, JsonText.DocumentOptions)).RootElement;

    public JsonElement Metadata => Root.TryGetProperty("metadata", out var found) ? found : default;

    public bool IsTerminating => Metadata.ValueKind == JsonValueKind.Object && Metadata.TryGetProperty("deletionTimestamp", out _);

    /// <summary>A private, mutable copy.</summary>
    public JsonObject ToNode() => JsonNode.Parse(Json, null, JsonText.DocumentOptions)!.AsObject();

    /// <summary>Freezes <paramref name="node"/> under a resourceVersion.</summary>
    /// <exception cref="ApiException">500 when it is larger than what etcd takes, or nested deeper than what can be read again.</exception>
    public static StoredObject Freeze(ObjectKey key, JsonObject node, long version)
    {
        var metadata = node["metadata"]!.AsObject();
        metadata["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        return new StoredObject(key, version, Written(node), metadata.Text("uid"));
    }

    /// <summary>The same object under another resourceVersion, as DELETED events show it.</summary>
    public StoredObject At(long version) => Freeze(Key, ToNode(), version);

    private static byte[] Written(JsonObject node)
    {
        byte[] json;
        try
        {
            json = JsonText.Bytes(node);
        }
        catch (InvalidOperationException)
        {
            throw ApiException.Internal("exceeded max depth"); // grown by patches, each of which was shallow enough
        }
        return json.Length switch
        {
            > MessageLimit => throw ApiException.Internal($"rpc error: code = ResourceExhausted desc = trying to send message larger than max ({json.Length} vs. {MessageLimit})"),
            > RequestLimit => throw ApiException.Internal("etcdserver: request is too large"),
            _ => json,
        };
    }

    public override string ToString() => $"{Key}@{Version}";
}
