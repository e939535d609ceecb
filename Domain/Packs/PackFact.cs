using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Packs;

public enum PackTrust
{
    /// <summary>Nobody has signed it yet.</summary>
    Unsigned,

    /// <summary>Signed by a key that this management cluster trusts, over exactly the spec that is stored.</summary>
    Signed,

    /// <summary>It must not be delivered: forged, foreign or stale signature, altered content, invalid spec.</summary>
    Rejected,

    /// <summary>A human revoked it.</summary>
    Revoked,
}

/// <summary>What is known of a ClusterPack.</summary>
/// <param name="Reason">The condition reason that explains <paramref name="Trust"/>.</param>
/// <param name="Spec">Null where the pack is absent or its spec cannot be read.</param>
[GenerateSerializer, Immutable]
public sealed record PackFact(
    ObjectKey Pack, bool Exists, string Uid, PackSpec? Spec, PackTrust Trust, string Reason, string Message, string KeyId) : Fact;
