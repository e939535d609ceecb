using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Registry;

/// <summary>
/// Pack layers from OCI registries. Nothing is decompressed or parsed before its digest has been verified. What has been verified is
/// kept for a while: a digest names its content, so that pulling it again could only bring the same, or fail.
/// </summary>
public sealed class OciPackSource(OciClient client, RegistryOptions options) : IPackSource
{
    private readonly VerifiedLayers _verified = new(options.MaxCachedBytes);

    /// <inheritdoc/>
    public async Task<ImmutableArray<KubeObject>> PullLayerAsync(string repository, Digest manifest, CancellationToken cancellation)
    {
        if (_verified.Find(repository, manifest) is { } known)
            return known;
        var pulled = await PullAsync(repository, manifest, cancellation).ConfigureAwait(false);
        _verified.Keep(repository, manifest, pulled);
        return pulled;
    }

    private async Task<ImmutableArray<KubeObject>> PullAsync(string repository, Digest manifest, CancellationToken cancellation)
    {
        try
        {
            var name = RepositoryName.Parse(repository);
            var layer = OciManifest.Parse(
                await client.PullManifestAsync(name, manifest, cancellation).ConfigureAwait(false), $"manifest {name}@{manifest}");
            if (layer.LayerSize > options.MaxLayerBytes)
                throw new RegistryException(
                    RegistryReasons.LayerTooLarge, $"layer {name}@{layer.Layer}: expected at most {options.MaxLayerBytes} bytes, found {layer.LayerSize} in its manifest");
            var blob = await client.PullBlobAsync(name, layer.Layer, cancellation).ConfigureAwait(false);
            return PackLayer.Unpack(blob, options, $"layer {name}@{layer.Layer}");
        }
        catch (RegistryException e)
        {
            throw new PackSourceException(e.Reason, e.Message, e.IsTransient, e);
        }
        catch (FormatException e)
        {
            throw new PackSourceException(RegistryReasons.RegistryRefused, e.Message, transient: false, e);
        }
    }
}
