using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Registry;

/// <summary>A layer as it will be stored: what it is called is known before anything is pushed.</summary>
/// <param name="Blob">The compressed archive.</param>
/// <param name="Manifest">The OCI manifest's bytes.</param>
public sealed record PreparedLayer(PackLayerKind Kind, ReadOnlyMemory<byte> Blob, ReadOnlyMemory<byte> Manifest)
{
    /// <summary>The digest that a ClusterPack names: of the manifest.</summary>
    public Digest Digest { get; } = Digest.Of(Manifest.Span);

    public static PreparedLayer Of(PackLayerKind kind, IReadOnlyList<KubeObject> objects)
    {
        var blob = PackLayer.Pack(objects);
        return new PreparedLayer(kind, blob, new OciManifest(PackMediaTypes.Of(kind), Digest.Of(blob), blob.Length).ToBytes());
    }
}

/// <summary>Pushes pack layers: blobs first, so that a manifest is never seen without them.</summary>
public sealed class PackPublisher(OciClient client)
{
    /// <param name="tag">A name for people; content is always asked for by digest.</param>
    /// <exception cref="RegistryException">Unreachable, denied or refused.</exception>
    public async Task<Digest> PublishAsync(RepositoryName repository, PreparedLayer layer, string? tag, CancellationToken cancellation)
    {
        await client.PushBlobAsync(repository, OciManifest.EmptyConfig, cancellation).ConfigureAwait(false);
        await client.PushBlobAsync(repository, layer.Blob, cancellation).ConfigureAwait(false);
        return await client.PushManifestAsync(repository, layer.Manifest, OciManifest.MediaType, tag, cancellation).ConfigureAwait(false);
    }
}
