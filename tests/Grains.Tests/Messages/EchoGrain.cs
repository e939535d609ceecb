using Governor.Domain.Facts;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces;
using Orleans;

namespace Governor.Grains.Tests.Messages;

/// <summary>Answers what it is sent.</summary>
public interface IEchoGrain : IGrainWithStringKey
{
    [Alias("fact")]
    Task<Fact> FactAsync(Fact fact);

    [Alias("observation")]
    Task<Observation> ObservationAsync(Observation observation);

    [Alias("signing")]
    Task<PackSigning?> SigningAsync(PackSigning? signing);

    [Alias("verdict")]
    Task<SignatureVerdict> VerdictAsync(SignatureVerdict verdict);
}

public sealed class EchoGrain : Grain, IEchoGrain
{
    public Task<Fact> FactAsync(Fact fact) => Task.FromResult(fact);

    public Task<Observation> ObservationAsync(Observation observation) => Task.FromResult(observation);

    public Task<PackSigning?> SigningAsync(PackSigning? signing) => Task.FromResult(signing);

    public Task<SignatureVerdict> VerdictAsync(SignatureVerdict verdict) => Task.FromResult(verdict);
}
