using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using Governor.Grains.Approvals;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Microsoft.Extensions.Options;

namespace Governor.Grains.Admission;

/// <summary>
/// The bootstrap window: committed when it opens, committed when it closes. Silos read what is committed; people see it on the Guardian
/// object.
/// </summary>
public sealed class BootstrapGrain(GovernedServices services, IOptions<ApprovalOptions> options)
    : GovernedGrain<BootstrapState, BootstrapInput>(services, Subjects.Bootstrap), IBootstrapGrain
{
    private readonly ApprovalPolicy _policy = options.Value.ToPolicy();

    public Task StartAsync(TimeSpan length, TimeSpan settling) => DecideAsync(new BootstrapInput.Started(length, settling));

    public Task CloseAsync(Caller by, string why) => DecideAsync(new BootstrapInput.Closed(by, why));

    protected override BootstrapState Initial() => BootstrapState.Initial;

    protected override Decision<BootstrapState> Decide(BootstrapState state, BootstrapInput input, DateTimeOffset now) => BootstrapRules.Decide(state, input, _policy, now);

    protected override BootstrapInput Receive(Fact fact) => new BootstrapInput.Told(fact);

    protected override BootstrapInput? Read(Observation seen) => null;

    protected override IEnumerable<Letter> Outbox(BootstrapState state) => BootstrapRules.Outbox(state);

    protected override DateTimeOffset? NextTick(BootstrapState state) => BootstrapRules.NextTick(state);

    protected override BootstrapInput Tick() => new BootstrapInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (BootstrapRules.Desired(State) is not { } shown)
            return;
        await Owned.ApplyAsync(shown, FieldManagers.Guardian, cancellation);
        await Owned.ApplyStatusAsync(shown.Gvk, shown.Key, BootstrapRules.Status(State), FieldManagers.Guardian, cancellation);
    }
}
