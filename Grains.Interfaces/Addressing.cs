using Governor.Domain.Facts;
using Orleans;

namespace Governor.Grains.Interfaces;

/// <summary>From the address of an actor to a reference to it.</summary>
public static class Addressing
{
    public static IGoverned GetGoverned(this IGrainFactory grains, Address address) => address.Subject switch
    {
        Subjects.Approval => grains.GetGrain<IApprovalGrain>(address.Key),
        Subjects.Bootstrap => grains.GetGrain<IBootstrapGrain>(address.Key),
        Subjects.Cluster => grains.GetGrain<IClusterGrain>(address.Key),
        Subjects.Erasure => grains.GetGrain<IErasureGrain>(address.Key),
        Subjects.Execution => grains.GetGrain<IPackExecutionGrain>(address.Key),
        Subjects.Instance => grains.GetGrain<IPackInstanceGrain>(address.Key),
        Subjects.IdentityBinding => grains.GetGrain<IIdentityBindingGrain>(address.Key),
        Subjects.IdentityProvider => grains.GetGrain<IIdentityProviderGrain>(address.Key),
        Subjects.Lineage => grains.GetGrain<ILineageGrain>(address.Key),
        Subjects.Membership => grains.GetGrain<IMembershipGrain>(address.Key),
        Subjects.Pack => grains.GetGrain<IPackGrain>(address.Key),
        Subjects.Permission => grains.GetGrain<IPermissionGrain>(address.Key),
        Subjects.PermissionSet => grains.GetGrain<IPermissionSetGrain>(address.Key),
        Subjects.Policy => grains.GetGrain<IPolicyGrain>(address.Key),
        Subjects.Profile => grains.GetGrain<IProfileGrain>(address.Key),
        Subjects.Rbac => grains.GetGrain<IMaterialisationGrain>(address.Key),
        Subjects.Receipt => grains.GetGrain<IReceiptGrain>(address.Key),
        Subjects.Refusals => grains.GetGrain<IRefusalsGrain>(address.Key),
        Subjects.Roster => grains.GetGrain<IRosterGrain>(address.Key),
        Subjects.SigningKey => grains.GetGrain<ISigningKeyGrain>(address.Key),
        _ => throw new ArgumentOutOfRangeException(nameof(address), address, "expected the address of a governed actor"),
    };
}
