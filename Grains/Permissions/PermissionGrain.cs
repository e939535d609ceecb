using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>The effective permissions of one cluster, and the signed snapshot that proves them fresh.</summary>
public sealed class PermissionGrain(GovernedServices services)
    : GovernedGrain<PermissionState, PermissionInput>(services, Subjects.Permission), IPermissionGrain
{
    // The object may have been changed while nobody watched.
    private bool _unsure = true;

    protected override PermissionState Initial() => PermissionState.Initial(new ClusterName(Key));

    protected override Decision<PermissionState> Decide(PermissionState state, PermissionInput input, DateTimeOffset now) => ClusterPermissionRules.Decide(state, input, now);

    protected override PermissionInput Receive(Fact fact)
    {
        // The object itself may be at fault.
        _unsure |= fact is ReceiptFact { Sync: SnapshotSync.DegradedSecurityState };
        return new PermissionInput.Told(fact);
    }

    protected override PermissionInput? Read(Observation seen)
    {
        if (State.Published is not { } published)
            return null;
        var digest = seen.Object is { } there ? ClusterPermissionRules.SpecDigestOf(there) : "nothing";
        var signature = seen.Object?.Annotations.GetValueOrDefault(SignaturePurpose.PermissionSnapshot.Annotation, "") ?? "";
        if (digest == published.SpecDigest && signature == published.Signature)
            return null;
        if (!State.Intended.Contains(digest))
            return new PermissionInput.Altered(digest);
        _unsure = true;
        _ = ResumeAsync();
        return null;
    }

    protected override IEnumerable<Letter> Outbox(PermissionState state) => ClusterPermissionRules.Outbox(state);

    protected override DateTimeOffset? NextTick(PermissionState state) => ClusterPermissionRules.NextTick(state);

    protected override PermissionInput Tick() => new PermissionInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (ClusterPermissionRules.Desired(State, Clusters.Management.Name) is not { } plain)
            return;
        if (ClusterPermissionRules.OwesWriting(State) is { } keyId)
            await WriteAsync(keyId, cancellation);
        else if (_unsure && State.Published is { } published)
            await PutAsync(ClusterPermissionRules.Desired(State, Clusters.Management.Name, published.KeyId, published.Signature)!, cancellation);
        _unsure = false;
        await Owned.ApplyStatusAsync(plain.Gvk, plain.Key, ClusterPermissionRules.Status(State), FieldManagers.Guardian, cancellation);
    }

    private async Task WriteAsync(string keyId, CancellationToken cancellation)
    {
        var (state, management) = (State, Clusters.Management.Name);
        var signature = "";
        if (keyId.Length > 0)
        {
            var signer = GrainFactory.GetGrain<ISigningKeyGrain>(PackRules.SigningKeyAddress.Key);
            var signing = await signer.SignAsync(ClusterPermissionRules.Desired(state, management, keyId)!);
            // Another key than we heard of: we are about to hear of it.
            (keyId, signature) = signing is { } signed && signed.KeyId == keyId ? (keyId, signed.Signature) : ("", "");
        }
        var item = ClusterPermissionRules.Desired(state, management, keyId, signature)!;
        await PutAsync(item, cancellation);
        await DecideAsync(new PermissionInput.Written(new SnapshotPublication(
            state.Snapshot!.Version, state.Snapshot.GeneratedAt, keyId, ClusterPermissionRules.SpecDigestOf(item), signature)));
    }

    private async Task PutAsync(KubeObject item, CancellationToken cancellation)
    {
        // First said, then done: whoever dies in between, or sees it late, knows it for his own.
        await DecideAsync(new PermissionInput.Writing(ClusterPermissionRules.SpecDigestOf(item)));
        await ExactObject.ApplyAsync(Clusters.Management, item, FieldManagers.Guardian, cancellation);
        Owned.Forget(item.Gvk, item.Key); // an object that was made anew has no status
    }
}
