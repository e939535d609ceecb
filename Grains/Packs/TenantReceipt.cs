using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>
/// The PackReceipt on a tenant. Its spec is written as the Wrapper; then it is read back from the tenant, and what stands there is
/// verified as the Conductor, which alone says <c>verified</c>.
/// </summary>
internal sealed class TenantReceipt(ICluster tenant, ISigningKeyGrain keys)
{
    /// <exception cref="KubernetesException">The tenant does not answer.</exception>
    public async Task<ReceiptStanding> WriteAsync(InstanceState state, CancellationToken cancellation)
    {
        var desired = PackReceiptRules.Desired(state);
        KubeObject stored;
        try
        {
            if (await tenant.DiscoverAsync(KnownKinds.PackReceipt, cancellation) is null)
                return new ReceiptStanding(
                    state.Current!.Revision, false, "PackReceiptNotFound", $"the tenant does not serve {KnownKinds.PackReceipt}: apply deploy/crds there",
                    PackReceiptRules.KeysSeen(state), PackReceiptRules.RevocationOf(state) is not null);
            await tenant.ApplyAsync(desired, FieldManagers.Wrapper, new ApplyOptions(Force: true), cancellation);
            stored = await tenant.GetAsync(KnownKinds.PackReceipt, desired.Key, cancellation)
                ?? throw new KubernetesException(0, "ReceiptGone", $"PackReceipt {desired.Key}: it was written, and is not there");
        }
        catch (KubernetesException e) when (!e.IsTransient)
        {
            return new ReceiptStanding(
                state.Current!.Revision, false, "PackReceiptNotFound", $"{e.Reason}: {e.Message}", PackReceiptRules.KeysSeen(state), PackReceiptRules.RevocationOf(state) is not null);
        }
        var (pack, fault) = PackReceiptRules.Read(stored);
        var standing = pack is null
            ? new ReceiptStanding(state.Current!.Revision, false, "SignatureVerifyFailed", fault, PackReceiptRules.KeysSeen(state), PackReceiptRules.RevocationOf(state) is not null)
            : PackReceiptRules.Verdict(state, await keys.VerifyAsync(pack));
        await tenant.ApplyStatusAsync(
            KnownKinds.PackReceipt, desired.Key, PackReceiptRules.Status(stored, standing, state.Current!.Document), FieldManagers.Conductor, cancellation);
        return standing;
    }
}
