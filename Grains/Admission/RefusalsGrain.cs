using System.Collections.Immutable;
using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using Governor.Grains.Approvals;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Microsoft.Extensions.Options;

namespace Governor.Grains.Admission;

/// <summary>Refusals of all silos become events here: one writer, so that what is told twice is recorded once.</summary>
public sealed class RefusalsGrain(GovernedServices services, IOptions<ApprovalOptions> options)
    : GovernedGrain<RefusalState, RefusalInput>(services, Subjects.Refusals), IRefusalsGrain
{
    private readonly ApprovalPolicy _policy = options.Value.ToPolicy();

    public Task RecordAsync(ImmutableArray<Refusal> refusals) => DecideAsync(new RefusalInput(refusals));

    protected override RefusalState Initial() => RefusalState.Initial;

    protected override Decision<RefusalState> Decide(RefusalState state, RefusalInput input, DateTimeOffset now) => RefusalRules.Decide(state, input, _policy);

    // Nobody tells it anything: it is given refusals.
    protected override RefusalInput Receive(Fact fact) => new([]);

    protected override RefusalInput? Read(Observation seen) => null;
}
