using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Permissions;

/// <summary>The effective permissions of one cluster, and the snapshot that proves them fresh.</summary>
public sealed class PermissionGrain(GovernedServices services)
    : GovernedGrain<PermissionState, DeclarationInput>(services, Subjects.Permission), IPermissionGrain
{
    protected override PermissionState Initial() => PermissionState.Initial(new ClusterName(Key));

    protected override Decision<PermissionState> Decide(PermissionState state, DeclarationInput input, DateTimeOffset now) => ClusterPermissionRules.Decide(state, input, now);

    protected override DeclarationInput Receive(Fact fact) => Declarations.Receive(fact);

    protected override DeclarationInput? Read(Observation seen) => null;

    protected override IEnumerable<Letter> Outbox(PermissionState state) => ClusterPermissionRules.Outbox(state);

    protected override DateTimeOffset? NextTick(PermissionState state) => ClusterPermissionRules.NextTick(state);

    protected override DeclarationInput Tick() => new DeclarationInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        var management = Clusters.Management.Name;
        if (ClusterPermissionRules.Desired(State, management) is not { } desired)
            return;
        await Owned.ApplyAsync(desired, FieldManagers.Guardian, cancellation);
        await Owned.ApplyStatusAsync(desired.Gvk, desired.Key, ClusterPermissionRules.Status(State), FieldManagers.Guardian, cancellation);
    }
}
