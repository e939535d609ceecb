using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>The intake by what Guardian has committed: the ceilings of the cluster and of the platform, as they hold for the profile that a pack comes under.</summary>
public sealed class GuardianIntake(IJournal journal) : IRbacIntake
{
    public async Task<ImmutableArray<DeliveryFailure>> JudgeAsync(RbacClaim claim, CancellationToken cancellation)
    {
        var stored = await journal.LoadAsync(new GrainKey(Subjects.Permission, claim.Cluster.Value), cancellation);
        var known = stored is null ? null : JsonSerializer.Deserialize<PermissionState>(stored.State.Span, StateJson.Options);
        return claim.Judge(known, out var unknown) ?? throw new IntakeUndecidedException(unknown);
    }
}
