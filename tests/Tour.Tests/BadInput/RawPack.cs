using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Registry;
using Governor.Tour.Tests.Support;

namespace Governor.Tour.Tests.BadInput;

/// <summary>A pack whose layers are pushed exactly as given, past every check of the compiler.</summary>
internal sealed class RawPack(Landscape landscape, Tenant tenant)
{
    public const string Namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n";
    public const string ConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {colour: blue}\n";

    private readonly RepositoryName _repository = RepositoryName.Parse($"{landscape.Registry.Host}/packs/{tenant.Name}");
    private Digest _blob;

    /// <returns>The ClusterPack for it, not declared yet.</returns>
    public async Task<KubeObject> PushAsync(string clusterScoped, string workload)
    {
        using var client = new OciClient(new RegistryOptions());
        var first = await PushAsync(client, PackLayerKind.ClusterScoped, clusterScoped);
        var last = await PushAsync(client, PackLayerKind.Workload, workload);
        return KubeObject.From(new JsonObject
        {
            ["apiVersion"] = KnownKinds.ClusterPack.ApiVersion,
            ["kind"] = KnownKinds.ClusterPack.Kind,
            ["metadata"] = new JsonObject { ["name"] = tenant.PackKey.Name, ["namespace"] = tenant.PackKey.Namespace },
            ["spec"] = new JsonObject
            {
                ["version"] = "v1.0.0",
                ["registryRef"] = new JsonObject { ["url"] = _repository.ToString(), ["digest"] = last.Value },
                ["checksum"] = new string('0', 64),
                ["clusterScopedDigest"] = first.Value,
                ["workloadDigest"] = last.Value,
                ["targetClusters"] = new JsonArray(tenant.Name),
            },
        });
    }

    /// <summary>Changes one byte of the last layer's blob where the registry keeps it.</summary>
    public void Alter()
    {
        var file = Path.Combine(landscape.Registry.Folder, "blobs", "docker", "registry", "v2", "blobs", "sha256", _blob.Hex[..2], _blob.Hex, "data");
        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    public static KubeObject WithSignature(KubeObject pack, string signature)
    {
        var copy = pack.ToJsonObject();
        copy["metadata"]!["annotations"] = new JsonObject { [PackSignature.Annotation] = signature };
        return KubeObject.From(copy);
    }

    private async Task<Digest> PushAsync(OciClient client, PackLayerKind kind, string text)
    {
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Ustar))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "manifests.yaml") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes($"# {tenant.Name}: no two packs share a blob\n{text}")) });
        _blob = Digest.Of(blob.ToArray());
        var manifest = new OciManifest(PackMediaTypes.Of(kind), _blob, blob.Length).ToBytes();
        return await new PackPublisher(client).PublishAsync(_repository, new PreparedLayer(kind, blob.ToArray(), manifest), tag: null, CancellationToken.None);
    }
}
