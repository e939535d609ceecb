using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Permissions;

/// <summary>One IdentityProvider: validated, told to the bindings that refer to it, and, for oidc, asked now and then whether it is there.</summary>
public sealed class IdentityProviderGrain(GovernedServices services, IIssuers issuers)
    : DeclarationGrain<IdentityProviderState>(
        services, Subjects.IdentityProvider, KnownKinds.IdentityProvider,
        new(IdentityProviderState.Initial, IdentityProviderRules.Decide, IdentityProviderRules.Outbox, state => state.Provider is null ? null : IdentityProviderRules.Status(state))),
        IIdentityProviderGrain
{
    protected override DateTimeOffset? NextTick(IdentityProviderState state) => IdentityProviderRules.NextTick(state);

    // A tick changes nothing by itself: it lets the actor ask again.
    protected override DeclarationInput Tick() => new DeclarationInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (IdentityProviderRules.OwesQuestion(State, Clock.GetUtcNow()) is { } issuer)
            await DecideAsync(new DeclarationInput.IssuerAnswered(issuer, await issuers.AskAsync(issuer, State.Provider!.Value!.CaBundle, cancellation)));
        await base.ActAsync(cancellation);
    }
}
