using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>One ClusterPack: its content is fetched and verified, then it is signed, then its deliveries are made.</summary>
public sealed class PackGrain(GovernedServices services, IPackSource source)
    : GovernedGrain<PackState, PackInput>(services, Subjects.Pack), IPackGrain
{
    private string _verified = "";

    protected override PackState Initial() => PackState.Initial(ObjectKey.Parse(Key));

    protected override Decision<PackState> Decide(PackState state, PackInput input, DateTimeOffset now)
    {
        // As long as the pack is there each target has an execution: deleting one asks for a new attempt.
        if (input is PackInput.Told { Fact: ExecutionGone gone })
            Owned.Forget(KnownKinds.PackExecution, gone.Execution);
        return PackRules.Decide(state, input, now);
    }

    protected override PackInput Receive(Fact fact) => new PackInput.Told(fact);

    protected override PackInput? Read(Observation seen) => seen.Object is { } pack ? new PackInput.Observed(pack) : new PackInput.Gone();

    protected override IEnumerable<Letter> Outbox(PackState state) => PackRules.Outbox(state);

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (!State.Exists)
            return;
        foreach (var execution in PackRules.Executions(State).ToList())
            await DeclareAsync(execution, cancellation);
        var trust = State.Trust;
        if (PackRules.OwesSignature(State))
            await EstablishTrustAsync(cancellation);
        if (State is { Trust: PackTrust.Signed, IsAnnounced: false })
        {
            Owned.Forget(KnownKinds.ClusterPack, State.Key);
            await Owned.ApplyAsync(Annotation(State), FieldManagers.Conductor, cancellation);
        }
        if (State.Trust != trust)
            return; // whoever waits for it is told first; the status is written right after
        await Owned.ApplyStatusAsync(KnownKinds.ClusterPack, State.Key, PackRules.Status(State), FieldManagers.Wrapper, cancellation);
        if (PackRules.OwesReading(State))
            await VerifyContentAsync(cancellation);
        // While the key is awaited the content is verified already: when the key comes, many packs wait for it.
        if (State is { Trust: PackTrust.Unsigned, Spec: not null } && !PackRules.OwesSignature(State))
            await VerifyContentAsync(cancellation);
    }

    // One target that the API server refuses does not keep the others waiting.
    private async Task DeclareAsync(KubeObject execution, CancellationToken cancellation)
    {
        string? refusal = null;
        try
        {
            await Owned.ApplyAsync(execution, FieldManagers.Wrapper, cancellation);
        }
        catch (KubernetesException e) when (!e.IsTransient)
        {
            refusal = $"{e.Reason}: {e.Message}";
        }
        await DecideAsync(new PackInput.ExecutionRefused(execution.Key.ToString(), refusal));
    }

    private async Task EstablishTrustAsync(CancellationToken cancellation)
    {
        var digest = State.SpecDigest;
        var pack = await Clusters.Management.GetAsync(KnownKinds.ClusterPack, State.Key, cancellation);
        if (pack is null || PackSpec.DigestOf(pack) != digest)
            return;
        var signer = GrainFactory.GetGrain<ISigningKeyGrain>(PackRules.SigningKeyAddress.Key);
        if (pack.Annotations.TryGetValue(PackSignature.Annotation, out var carried) && PackRules.HasToBeChecked(State, carried))
        {
            await DecideAsync(new PackInput.SignatureChecked(digest, carried, await signer.VerifyAsync(pack)));
            return;
        }
        if (await VerifyContentAsync(cancellation) && await signer.SignAsync(pack) is { } signing)
            await DecideAsync(new PackInput.Signed(digest, signing.Signature, signing.KeyId));
    }

    /// <summary>Fetches every layer and verifies it against its digest, once per activation; what does not match rejects the pack.</summary>
    private async Task<bool> VerifyContentAsync(CancellationToken cancellation)
    {
        var (digest, spec) = (State.SpecDigest, State.Spec!);
        if (_verified == digest)
            return true;
        try
        {
            var layers = await Task.WhenAll(spec.Layers().Select(layer => source.PullLayerAsync(spec.Repository, layer.Digest, cancellation)));
            await DecideAsync(new PackInput.ContentRead(digest, PackNeed.Of([.. layers.SelectMany(objects => objects)])));
        }
        catch (PackSourceException e) when (!e.IsTransient)
        {
            await DecideAsync(new PackInput.ContentRejected(digest, e.Reason, e.Message));
            return false;
        }
        _verified = digest;
        return true;
    }

    private static KubeObject Annotation(PackState state) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = KnownKinds.ClusterPack.ApiVersion,
        ["kind"] = KnownKinds.ClusterPack.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = state.Key.Name,
            ["namespace"] = state.Key.Namespace,
            ["uid"] = state.Uid, // without it, applying to a pack that was deleted meanwhile would make it again
            ["annotations"] = new JsonObject { [PackSignature.Annotation] = state.Signature },
        },
    });
}
