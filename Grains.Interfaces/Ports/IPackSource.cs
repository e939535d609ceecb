using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>Where packs come from: an OCI registry. Everything returned has been verified against the digest asked for.</summary>
public interface IPackSource
{
    /// <summary>
    /// Pulls the OCI manifest with this digest and its layer, verifies both, and reads the objects in it, in order.
    /// </summary>
    /// <param name="repository"><c>host[:port]/path</c> as in <c>spec.registryRef.url</c>.</param>
    /// <exception cref="PackSourceException">Unreachable, absent, oversized, digest mismatch, or content that is not Kubernetes objects.</exception>
    Task<ImmutableArray<KubeObject>> PullLayerAsync(string repository, Digest manifest, CancellationToken cancellation);
}

/// <summary>A layer that cannot be used. <see cref="Reason"/> is a condition reason; the message names what, where, expected, found.</summary>
public sealed class PackSourceException(string reason, string message, bool transient, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>E.g. <c>DigestMismatch</c>, <c>LayerNotFound</c>, <c>RegistryUnreachable</c>, <c>LayerTooLarge</c>, <c>ManifestInvalid</c>.</summary>
    public string Reason { get; } = reason;

    public bool IsTransient { get; } = transient;
}
