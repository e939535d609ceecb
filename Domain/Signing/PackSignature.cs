using Governor.Domain.Kinds;

namespace Governor.Domain.Signing;

/// <summary>
/// The signature of a ClusterPack: <see cref="ObjectSignature"/> over
/// <c>governor.pack.v1 LF namespace/name LF canonical JSON of the whole spec</c>.
/// </summary>
public static class PackSignature
{
    /// <summary>The annotation that carries the signature.</summary>
    public const string Annotation = "ontai.dev/pack-signature";

    /// <inheritdoc cref="ObjectSignature.Payload"/>
    public static byte[] Payload(KubeObject pack) => ObjectSignature.Payload(SignaturePurpose.Pack, pack);

    /// <inheritdoc cref="ObjectSignature.Sign"/>
    public static string Sign(KubeObject pack, SigningKey key) => ObjectSignature.Sign(SignaturePurpose.Pack, pack, key);

    /// <summary>Verifies the signature in the pack's own annotation.</summary>
    public static SignatureVerdict Verify(KubeObject pack, IReadOnlyCollection<VerifyingKey> trusted) => ObjectSignature.Verify(SignaturePurpose.Pack, pack, trusted);

    /// <summary>Verifies a signature for a pack. Never throws for what is in either.</summary>
    public static SignatureVerdict Verify(KubeObject pack, string signature, IReadOnlyCollection<VerifyingKey> trusted) =>
        ObjectSignature.Verify(SignaturePurpose.Pack, pack, signature, trusted);
}
