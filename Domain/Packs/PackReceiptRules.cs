using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Packs;

/// <summary>Whether the tenant holds a receipt of what it was given, and whether it verified there.</summary>
/// <param name="Revision">The release that the receipt is of.</param>
/// <param name="KeysSeen">Which keys were revoked when it was verified.</param>
[GenerateSerializer, Immutable]
public sealed record ReceiptStanding(int Revision, bool Verified, string Reason, string Message, int KeysSeen, bool PackRevoked);

/// <summary>
/// The tenant's own record of what it was given: digests, inventory, and the pack as it was signed. The Wrapper writes its spec; the
/// Conductor reads it back from the tenant, verifies it there, and only then says that it is verified. Pure.
/// </summary>
public static class PackReceiptRules
{
    /// <summary>On a PackReceipt: the pack as it was signed; <see cref="PackDocument"/>.</summary>
    public const string DocumentAnnotation = "ontai.dev/pack-document";

    public const string Namespace = "ont-system";

    /// <summary>Whether the receipt on the tenant is of another release, or was verified before something was revoked.</summary>
    public static bool IsOwed(InstanceState state) =>
        state is { Standing: InstanceStanding.Standing, Current: { Document.Length: > 0 } current, Keys: not null }
        && (state.Receipt is not { } receipt || receipt.Revision != current.Revision || receipt.KeysSeen != KeysSeen(state) || receipt.PackRevoked != (RevocationOf(state) is not null));

    public static int KeysSeen(InstanceState state) => state.Keys?.Revoked?.Count ?? 0;

    /// <summary>Who took back the content that stands on the target; null when nobody did.</summary>
    public static Revocation? RevocationOf(InstanceState state) =>
        state.Current is { } current && state.Declared.GetValueOrDefault(current.Pack.ToString()) is { } pack
            ? pack.RevocationOf(current.ContentDigest) ?? (pack is { Trust: PackTrust.Revoked } && pack.Uid == current.PackUid ? new Revocation("somebody unknown", pack.Message) : null)
            : null;

    /// <summary>The receipt that has to be on the tenant.</summary>
    public static KubeObject Desired(InstanceState state)
    {
        var current = state.Current!;
        return KubeObject.From(new JsonObject
        {
            ["apiVersion"] = KnownKinds.PackReceipt.ApiVersion,
            ["kind"] = KnownKinds.PackReceipt.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = state.Key.Name,
                ["namespace"] = Namespace,
                ["labels"] = new JsonObject { ["infrastructure.ontai.dev/pack"] = LineageNames.LabelValue(current.Pack.Name) },
                ["annotations"] = new JsonObject { [DocumentAnnotation] = current.Document },
            },
            ["spec"] = new JsonObject
            {
                ["clusterPackRef"] = current.Pack.Name,
                ["targetClusterRef"] = state.Cluster,
                ["packInstanceRef"] = state.Key.Name,
                ["rbacDigest"] = current.Spec.RbacDigest?.Value ?? "",
                ["workloadDigest"] = current.Spec.WorkloadDigest?.Value ?? "",
                ["deployedResources"] = new JsonArray([.. current.Inventory.Select(InstanceStatus.Render)]),
            },
        });
    }

    /// <summary>The pack that a receipt on a tenant is of, or what is wrong with it before any signature is looked at.</summary>
    public static (KubeObject? Pack, string Fault) Read(KubeObject receipt)
    {
        KubeObject pack;
        try
        {
            pack = PackDocument.Read(receipt.Annotations.GetValueOrDefault(DocumentAnnotation, ""));
        }
        catch (FormatException e)
        {
            return (null, $"annotation {DocumentAnnotation}: {e.Message}");
        }
        var (spec, failures) = PackSpec.Read(pack);
        if (spec is null)
            return (null, $"annotation {DocumentAnnotation}: {string.Join("; ", failures)}");
        foreach (var (field, expected) in ((string, string)[])
            [("clusterPackRef", pack.Name), ("rbacDigest", spec.RbacDigest?.Value ?? ""), ("workloadDigest", spec.WorkloadDigest?.Value ?? "")])
            if (receipt.FindText("spec", field) != expected)
                return (null, $"spec.{field}: expected '{expected}' as in the signed pack, found '{receipt.FindText("spec", field)}'");
        return spec.TargetClusters.Contains(receipt.FindText("spec", "targetClusterRef"))
            ? (pack, "")
            : (null, $"spec.targetClusterRef: expected one of {string.Join(", ", spec.TargetClusters)} as in the signed pack, found '{receipt.FindText("spec", "targetClusterRef")}'");
    }

    /// <summary>What the Conductor says about a receipt.</summary>
    public static ReceiptStanding Verdict(InstanceState state, SignatureVerdict verdict)
    {
        var (reason, message) = verdict switch
        {
            _ when RevocationOf(state) is { } revocation => ("PackRevoked", revocation.ToString()),
            SignatureVerdict.Valid valid => ("", $"signed by key {SigningKeyRules.Short(valid.KeyId)}"),
            SignatureVerdict.RevokedKey revoked => ("SigningKeyRevoked", $"signed by key {SigningKeyRules.Short(revoked.KeyId)}, which is revoked: {revoked.Why}"),
            _ => ("SignatureVerifyFailed", $"expected a valid signature by the management Conductor, found {verdict}"),
        };
        return new ReceiptStanding(state.Current!.Revision, reason.Length == 0, reason, message, KeysSeen(state), RevocationOf(state) is not null);
    }

    /// <summary>The status of the receipt.</summary>
    public static JsonObject Status(KubeObject receipt, ReceiptStanding standing, string document) => new()
    {
        ["observedGeneration"] = receipt.Generation,
        ["verified"] = standing.Verified,
        ["signature"] = document.Length > 0 ? PackDocument.Read(document).Annotations.GetValueOrDefault(PackSignature.Annotation, "") : "",
        ["verificationFailedReason"] = standing.Verified ? "" : $"{standing.Reason}: {standing.Message}",
    };

    internal static Decision<InstanceState> Judge(InstanceState state, ReceiptStanding standing, DateTimeOffset now) =>
        state.Receipt == standing || standing.Revision != state.Current?.Revision
            ? Decision.Of(state)
            : Decision.Of(
                state with { Receipt = standing },
                InstanceRules.Context(state).Governance(
                    now, standing.Verified ? "packreceipt.verified" : "packreceipt.refused", "status.verified", state.Receipt?.Verified.ToString(), standing.Verified.ToString(),
                    $"revision {standing.Revision} on {state.Cluster}: {standing.Message}"));
}
