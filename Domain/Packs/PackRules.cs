using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Signing;

namespace Governor.Domain.Packs;

/// <summary>How a ClusterPack is decided on. Pure.</summary>
public static class PackRules
{
    /// <summary>Reasons of rejections that another signature, or none, puts right.</summary>
    private const string SignatureRejected = "SignatureVerifyFailed", KeyRevoked = "SigningKeyRevoked";

    private const string Immutability = "ImmutabilityViolation";

    public static readonly Address SigningKeyAddress = new(Subjects.SigningKey, "management");

    public static Decision<PackState> Decide(PackState state, PackInput input, DateTimeOffset now) => input switch
    {
        PackInput.Observed(var pack) => Observe(state, pack, now),
        PackInput.Gone => state.Exists
            ? Decision.Of(
                state with { Exists = false, Trust = PackTrust.Unsigned, Reason = "PackGone", Message = "the ClusterPack was deleted" },
                Context(state).Operational(now, "pack.deleted", "metadata", state.Uid, null, "the ClusterPack was deleted from the management cluster"))
            : Decision.Of(state),
        PackInput.Told(Interest interest) => Decision.Of(
            state with { Interested = interest.Active ? state.Interested.Add(interest.From) : state.Interested.Remove(interest.From) }),
        PackInput.Told(SigningKeyFact key) => key.Supersedes(state.SigningKey) ? Rekey(state with { SigningKey = key }, now) : Decision.Of(state),
        PackInput.Told(ExecutionGone gone) => gone.Uid == state.GoneExecution ? Decision.Of(state) : Decision.Of(state with { GoneExecution = gone.Uid }),
        PackInput.Told => Decision.Of(state),
        PackInput.ExecutionRefused(var execution, var reason) => state.Refused.GetValueOrDefault(execution) == reason
            ? Decision.Of(state)
            : Decision.Of(
                Describe(state with { Refused = reason is null ? state.Refused.Remove(execution) : state.Refused.SetItem(execution, reason) }, now),
                Context(state).Operator(now, reason is null ? "pack.execution-accepted" : "pack.execution-refused", "spec.targetClusters", state.Refused.GetValueOrDefault(execution), reason, execution)),
        PackInput.Signed signed => state.IsAbout(signed.SpecDigest) ? Sign(state, signed.Signature, signed.KeyId, "signed by the management Conductor", now) : Decision.Of(state),
        PackInput.SignatureChecked found => state.IsAbout(found.SpecDigest) ? Check(state, found, now) : Decision.Of(state),
        PackInput.ContentRead(var digest, var needs) => state.SpecDigest != digest || (state.Needs is { } known && known.SequenceEqual(needs))
            ? Decision.Of(state)
            : Decision.Of(
                state with { Needs = needs },
                Context(state).Operational(now, "pack.content-read", "spec", null, $"{needs.Length} kinds and places", string.Join(", ", needs.Take(20)))),
        PackInput.ContentRejected(var digest, var reason, var message) => state.IsAbout(digest) ? Reject(state, reason, message, now) : Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>Whether the pack actor owes this pack a signature, or a check of the one it carries.</summary>
    public static bool OwesSignature(PackState state) =>
        state is { Exists: true, Spec: not null, Trust: PackTrust.Unsigned, SigningKey.IsUsable: true };

    /// <summary>Whether nobody knows yet what the delivery of a trusted pack writes.</summary>
    public static bool OwesReading(PackState state) => state is { Exists: true, Spec: not null, Trust: PackTrust.Signed, Needs: null };

    /// <summary>Whether the signature that the object carries is somebody else's, and has to be looked at before anything is signed.</summary>
    public static bool HasToBeChecked(PackState state, string carried) => carried.Length > 0 && carried != state.Signature;

    public static IEnumerable<Letter> Outbox(PackState state)
    {
        yield return new Letter(SigningKeyAddress, new Interest(state.Exists));
        var fact = state.Fact();
        foreach (var receiver in state.Interested.Union(state.Instances))
            yield return new Letter(receiver, fact);
        foreach (var letter in Descent.Root(KnownKinds.ClusterPack, state.Key, state.Uid, state.Generation, state.Declarer, "wrapper", state.Exists))
            yield return letter;
    }

    /// <summary>
    /// The PackExecutions that have to exist: one per target. They are made before the pack is trusted, so that an operator can
    /// ask them what they wait for.
    /// </summary>
    public static IEnumerable<KubeObject> Executions(PackState state)
    {
        if (state is not { Exists: true, Spec: { } spec } || state.Trust == PackTrust.Revoked || state.Reason == Immutability)
            yield break;
        var chain = SealedCausalChain.Of(KnownKinds.ClusterPack.Kind, state.Key, state.Uid, "wrapper", CreationRationale.PackExecution, 1, state.CreatorVersion);
        foreach (var cluster in spec.TargetClusters)
            yield return Descent.Seal(
                new JsonObject
                {
                    ["apiVersion"] = KnownKinds.PackExecution.ApiVersion,
                    ["kind"] = KnownKinds.PackExecution.Kind,
                    ["metadata"] = new JsonObject
                    {
                        ["name"] = ExecutionSpec.NameOf(state.Key.Name, cluster),
                        ["namespace"] = state.Key.Namespace,
                        ["labels"] = new JsonObject
                        {
                            ["infrastructure.ontai.dev/pack"] = LineageNames.LabelValue(state.Key.Name),
                            ["infrastructure.ontai.dev/pack-version"] = LineageNames.LabelValue(spec.Version),
                            ["infrastructure.ontai.dev/cluster"] = LineageNames.LabelValue(cluster),
                        },
                        ["annotations"] = new JsonObject { [LineageNames.DeclaringPrincipal] = state.Declarer },
                        ["ownerReferences"] = new JsonArray(new JsonObject
                        {
                            ["apiVersion"] = KnownKinds.ClusterPack.ApiVersion,
                            ["kind"] = KnownKinds.ClusterPack.Kind,
                            ["name"] = state.Key.Name,
                            ["uid"] = state.Uid,
                            ["controller"] = true,
                        }),
                    },
                    ["spec"] = new JsonObject
                    {
                        ["clusterPackRef"] = new JsonObject { ["name"] = state.Key.Name, ["version"] = spec.Version },
                        ["targetClusterRef"] = cluster,
                        ["admissionProfileRef"] = spec.BaseNameOr(state.Key.Name),
                    },
                },
                chain);
    }

    public static JsonObject Status(PackState state) => new()
    {
        ["observedGeneration"] = state.Generation,
        ["signed"] = state.Trust == PackTrust.Signed,
        ["packSignature"] = state.Signature,
        ["conditions"] = state.Conditions.ToJson(),
    };

    private static bool IsAbout(this PackState state, string specDigest) =>
        state is { Exists: true, Trust: PackTrust.Unsigned } && state.SpecDigest == specDigest;

    private static Decision<PackState> Observe(PackState state, KubeObject pack, DateTimeOffset now)
    {
        var specDigest = PackSpec.DigestOf(pack);
        var contentDigest = PackSpec.ContentDigestOf(pack);
        var recreated = pack.Uid != state.Uid;
        var revocations = PackRevocation.After(state, pack, contentDigest);
        var revocation = revocations.GetValueOrDefault(contentDigest);
        var carriesRevocation = PackRevocation.CarriedBy(pack) is not null;
        var carried = pack.Annotations.GetValueOrDefault(PackSignature.Annotation, "");
        var isJudgedOnSignature = state is { Trust: PackTrust.Rejected, Reason: SignatureRejected or KeyRevoked };
        if (!recreated && state.Exists && specDigest == state.SpecDigest
            && (revocation is not null) == (state.Trust == PackTrust.Revoked) && revocation == state.Revocations.GetValueOrDefault(contentDigest)
            && carriesRevocation == state.IsRevocationCarried && (carried == state.Carried || !isJudgedOnSignature))
            return SeeAgain(state, pack, carried, contentDigest, now);

        var (spec, failures) = PackSpec.Read(pack);
        var fresh = PackState.Initial(state.Key) with
        {
            Exists = true,
            Uid = pack.Uid,
            Generation = pack.Generation,
            Spec = spec,
            SpecDigest = specDigest,
            Carried = carried,
            CreatorVersion = recreated || state.CreatorVersion.Length == 0 ? CreatingOperator.CurrentVersion : state.CreatorVersion,
            GoneExecution = state.GoneExecution,
            Declarer = Descent.DeclarerOf(pack),
            SigningKey = state.SigningKey,
            Interested = state.Interested,
            Conditions = recreated ? [] : state.Conditions,
            SignedSpecDigest = recreated ? "" : state.SignedSpecDigest,
            SignedContentDigest = recreated ? "" : state.SignedContentDigest,
            Signature = recreated ? "" : state.Signature,
            KeyId = recreated ? "" : state.KeyId,
            DeclaredAt = DeclaredAtOf(pack),
            ContentDigest = contentDigest,
            Needs = contentDigest == state.ContentDigest ? state.Needs : null,
            Revocations = revocations,
            IsRevocationCarried = carriesRevocation,
            Instances = state.Instances.Union(InstancesOf(pack.Key, spec)),
        };
        var context = Context(fresh);
        if (revocation is not null)
            return Decision.Of(
                Describe(fresh with { Trust = PackTrust.Revoked, Reason = "PackRevoked", Message = revocation.ToString() }, now),
                context.Governance(now, "pack.revoked", $"metadata.annotations['{PackRevocation.Annotation}']", null, revocation.By, revocation.Why));
        if (spec is null)
            return Reject(fresh, "InvalidSpec", string.Join("; ", failures), now);
        if (fresh.SignedSpecDigest.Length > 0 && fresh.SignedSpecDigest != specDigest && fresh.SignedContentDigest != contentDigest)
            return Reject(fresh, Immutability, $"spec: expected the content {fresh.SignedSpecDigest} that was signed, found {specDigest}; deliver a change as a new pack", now);
        if (carried.Length > 0 && carried == fresh.Signature && fresh.SigningKey?.RevocationOf(fresh.KeyId) is { } stolen)
            return Reject(fresh, KeyRevoked, RevokedMessage(fresh.KeyId, stolen), now);
        return Decision.Of(
            Describe(fresh, now),
            context.Operational(now, "pack.declared", "spec", state.SpecDigest.Length > 0 && !recreated ? state.SpecDigest : null, specDigest, $"version {spec.Version} for {string.Join(", ", spec.TargetClusters)}"));
    }

    private static Decision<PackState> SeeAgain(PackState state, KubeObject pack, string carried, string contentDigest, DateTimeOffset now)
    {
        // States from before these were kept learn them here.
        var isComplete = state.ContentDigest == contentDigest && state.DeclaredAt == DeclaredAtOf(pack) && (state.SignedContentDigest.Length > 0 || state.SignedSpecDigest.Length == 0);
        var next = state.Generation == pack.Generation && state.Carried == carried && isComplete
            ? state
            : state with
            {
                Generation = pack.Generation,
                Carried = carried,
                ContentDigest = contentDigest,
                DeclaredAt = DeclaredAtOf(pack),
                SignedContentDigest = state.SignedContentDigest.Length == 0 && state.SignedSpecDigest == state.SpecDigest ? contentDigest : state.SignedContentDigest,
                Instances = state.Instances.Union(InstancesOf(state.Key, state.Spec)),
            };
        // Our own signature arriving is no news; ours vanishing or being overwritten is, and it is written again.
        return state.IsAnnounced && !next.IsAnnounced
            ? Decision.Of(next, Context(state).Governance(now, "pack.signature-altered", $"metadata.annotations['{PackSignature.Annotation}']", state.Signature, carried, "somebody changed the signature that the object carries; ours is written again"))
            : Decision.Of(next);
    }

    // What a revoked key signed is worth nothing, also what it signed in good faith: nobody can tell the two apart.
    private static Decision<PackState> Rekey(PackState state, DateTimeOffset now) =>
        state is { Exists: true, Trust: PackTrust.Signed } && state.SigningKey?.RevocationOf(state.KeyId) is { } why
            ? Reject(state, KeyRevoked, RevokedMessage(state.KeyId, why), now)
            : Decision.Of(Describe(state, now));

    private static string RevokedMessage(string keyId, string why) =>
        $"it was signed by key {Short(keyId)}, which is revoked: {why}; whoever still vouches for the pack removes the annotation {PackSignature.Annotation}, and it is signed anew";

    private static IEnumerable<Address> InstancesOf(ObjectKey pack, PackSpec? spec) =>
        spec is null ? [] : spec.TargetClusters.Select(cluster => new Address(Subjects.Instance, InstanceRules.KeyOf(pack, spec, cluster).ToString()));

    private static DateTimeOffset DeclaredAtOf(KubeObject pack) =>
        KubeTime.TryParse(pack.FindText("metadata", "creationTimestamp"), out var at) ? at : default;

    private static Decision<PackState> Check(PackState state, PackInput.SignatureChecked found, DateTimeOffset now) => found.Verdict switch
    {
        SignatureVerdict.RevokedKey revoked => Reject(state with { KeyId = revoked.KeyId, Signature = found.Signature }, KeyRevoked, RevokedMessage(revoked.KeyId, revoked.Why), now),
        SignatureVerdict.Valid valid => Sign(state, found.Signature, valid.KeyId, "the signature that the object carries verifies", now),
        SignatureVerdict.UnknownKey unknown => Reject(state, SignatureRejected, $"annotation {PackSignature.Annotation}: expected a signature by key {Short(state.SigningKey?.KeyId ?? "")}, found one by the unknown key {unknown.KeyId}", now),
        SignatureVerdict.Malformed => Reject(state, SignatureRejected, $"annotation {PackSignature.Annotation}: expected 'ed25519:<key id>:<base64>', found something else", now),
        _ => Reject(state, SignatureRejected, $"annotation {PackSignature.Annotation}: the signature is not over this pack's name and spec: forged, copied from another pack, or the spec was changed", now),
    };

    private static Decision<PackState> Sign(PackState state, string signature, string keyId, string rationale, DateTimeOffset now) =>
        Decision.Of(
            Describe(
                state with
                {
                    Trust = PackTrust.Signed,
                    Reason = "PackSigned",
                    Message = $"signed by key {Short(keyId)}",
                    KeyId = keyId,
                    Signature = signature,
                    SignedSpecDigest = state.SpecDigest,
                    SignedContentDigest = state.ContentDigest,
                },
                now),
            Context(state, "conductor").Governance(
                now, state.SignedSpecDigest.Length > 0 && state.SignedSpecDigest != state.SpecDigest ? "pack.signed-again" : "pack.signed",
                "status.signed", state.SignedSpecDigest.Length > 0 ? state.SignedSpecDigest : "false", "true", $"{rationale}; key {Short(keyId)}, spec {state.SpecDigest}"));

    private static Decision<PackState> Reject(PackState state, string reason, string message, DateTimeOffset now) =>
        Decision.Of(
            Describe(state with { Trust = PackTrust.Rejected, Reason = reason, Message = message }, now),
            Context(state).Governance(now, "pack.rejected", "status.signed", null, "false", $"{reason}: {message}"));

    private static PackState Describe(PackState state, DateTimeOffset now)
    {
        if (state is { Trust: PackTrust.Unsigned, Exists: true })
            state = state with
            {
                Reason = "SignaturePending",
                Message = state.SigningKey switch
                {
                    null => "waits for the management Conductor's signing key",
                    { IsUsable: false } key => $"waits for the management Conductor's signing key: {key.Message}",
                    _ => "the content is being verified and signed",
                },
            };
        var signed = state.Trust == PackTrust.Signed;
        var pending = state.Trust == PackTrust.Unsigned;
        var generation = state.Generation;
        var conditions = state.Conditions
            .Set("Available", signed, signed ? "PackAvailable" : state.Reason, state.Message, now, generation)
            .Set("SignaturePending", pending, pending ? "SignaturePending" : "PackSigned", state.Message, now, generation)
            .Set("ImmutabilityViolation", state.Reason == Immutability, Immutability, state.Message, now, generation)
            .Set("ExecutionsDeclared", state.Refused.IsEmpty, state.Refused.IsEmpty ? "ExecutionsDeclared" : "ExecutionRefused", string.Join("; ", state.Refused.Select(r => $"{r.Key}: {r.Value}")), now, generation)
            .Set("Revoked", state.Trust == PackTrust.Revoked, "PackRevoked", state.Trust == PackTrust.Revoked ? state.Message : "not revoked", now, generation)
            .Set(Conditions.Ready, signed, state.Reason, state.Message, now, generation)
            .Set(Conditions.Reconciling, pending, state.Reason, state.Message, now, generation)
            .Set(Conditions.Stalled, !signed && !pending, state.Reason, state.Message, now, generation);
        return state with { Conditions = conditions };
    }

    private static string Short(string keyId) => SigningKeyRules.Short(keyId);

    private static EventContext Context(PackState state, string role = "wrapper") => new(
        new EventSubject(KnownKinds.ClusterPack.Group, KnownKinds.ClusterPack.Kind, state.Key.Namespace, state.Key.Name, state.Uid, state.Generation),
        $"system:governor:{role}", role, state.Uid, "", state.Uid);
}
