using System.Collections.Immutable;
using Governor.Domain.Packs;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>Guardian's intake: whatever a pack wants to be allowed to on its target passes here before anything is written.</summary>
public interface IRbacIntake
{
    /// <summary>Judges and writes nothing: the same claim against the same ceiling has the same answer, so it may be asked again after a crash.</summary>
    /// <returns>Why the claim is refused, object by object; empty when it is taken in.</returns>
    /// <exception cref="IntakeUndecidedException">The ceiling is not known: nothing is taken in, and it has to be asked again.</exception>
    Task<ImmutableArray<DeliveryFailure>> JudgeAsync(RbacClaim claim, CancellationToken cancellation);
}

/// <summary>What a claim has to be judged by is not known (yet).</summary>
public sealed class IntakeUndecidedException(string unknown) : Exception(unknown);
