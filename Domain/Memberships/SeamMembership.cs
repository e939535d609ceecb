using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Orleans;

namespace Governor.Domain.Memberships;

/// <summary>Where a member belongs.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<MembershipTier>))]
public enum MembershipTier
{
    Infrastructure,
    Application,
}

/// <summary>An operator's request to be admitted to the family.</summary>
[GenerateSerializer, Immutable]
public sealed record SeamMembership(
    ObjectKey Key, string Uid, long Generation, string AppIdentityRef, string DomainIdentityRef, string PrincipalRef, MembershipTier Tier)
{
    /// <summary>The snapshot that carries a member's rights: the management cluster's for infrastructure, otherwise its own.</summary>
    [JsonIgnore]
    public string SnapshotName => Tier == MembershipTier.Infrastructure ? "snapshot-management" : $"snapshot-{AppIdentityRef}";

    public static Reading<SeamMembership> Read(KubeObject source)
    {
        var reader = new FieldReader(source);
        var application = reader.Name(reader.Spec, "spec", "appIdentityRef", "AppIdentityRefNotEmpty");
        var identity = reader.Name(reader.Spec, "spec", "domainIdentityRef", "DomainIdentityRefNotEmpty");
        var principal = reader.Text(reader.Spec, "spec", "principalRef");
        var parsed = Principal.Parse(principal);
        reader.Require(
            parsed.Kind == PrincipalKind.ServiceAccount && !parsed.Name.Contains(':', StringComparison.Ordinal),
            "PrincipalRefValid", "spec.principalRef", $"expected system:serviceaccount:<namespace>:<name>, found '{principal}'");
        var tier = reader.OneOf(reader.Spec, "spec", "tier", "TierValid",
            ("infrastructure", MembershipTier.Infrastructure), ("application", MembershipTier.Application));
        return reader.Result(() => new SeamMembership(source.Key, source.Uid, source.Generation, application, identity, principal, tier));
    }
}
