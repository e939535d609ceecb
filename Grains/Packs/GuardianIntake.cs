using System.Collections.Immutable;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>The intake as far as the objects of a claim decide it themselves.</summary>
public sealed class RbacIntake : IRbacIntake
{
    public Task<ImmutableArray<DeliveryFailure>> JudgeAsync(RbacClaim claim, CancellationToken cancellation) => Task.FromResult(claim.Faults());
}
