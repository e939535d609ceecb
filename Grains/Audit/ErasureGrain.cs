using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Audit;

/// <summary>
/// The erasure of one record's payload: looks whether it is the record that was meant, commits that it was approved, waits until that
/// stands under a signed checkpoint, erases, and commits that it is gone. Each step is taken up again where it was interrupted.
/// </summary>
public sealed class ErasureGrain(GovernedServices services, IErasures erasures, IAuditReader audit)
    : GovernedGrain<ErasureState, ErasureInput>(services, Subjects.Erasure), IErasureGrain
{
    /// <summary>The trail is there whether the management cluster is or not.</summary>
    protected override bool DependsOnObservation => false;

    protected override ErasureState Initial() => ErasureState.Initial(ErasureRules.LeafOf(Key));

    protected override Decision<ErasureState> Decide(ErasureState state, ErasureInput input, DateTimeOffset now) => ErasureRules.Decide(state, input, now);

    protected override ErasureInput Receive(Fact fact) => new ErasureInput.Told(fact);

    protected override ErasureInput? Read(Observation seen) => null;

    protected override IEnumerable<Letter> Outbox(ErasureState state) => ErasureRules.Outbox(state);

    // One step; what it decides brings the next.
    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (State.Stage == ErasureStage.Asked)
            await DecideAsync(new ErasureInput.Found(await erasures.FindAsync(State.Leaf, cancellation)));
        else if (State.Stage == ErasureStage.Approved)
            await DecideAsync(await EraseAsync(State.Grounds!.Approval, cancellation));
    }

    private async Task<ErasureInput> EraseAsync(string approval, CancellationToken cancellation)
    {
        await audit.WaitForCheckpointAsync(cancellation);
        var commit = await ApprovedByAsync(approval, cancellation);
        try
        {
            await erasures.EraseAsync(State.Leaf, commit, cancellation);
            return new ErasureInput.Erased(approval);
        }
        catch (ErasureRefusedException e)
        {
            return new ErasureInput.Impossible(approval, e.Message);
        }
    }

    /// <summary>The commit of the event that this actor wrote when it found the record.</summary>
    private async Task<Guid> ApprovedByAsync(string approval, CancellationToken cancellation)
    {
        var events = await audit.EventsAsync(
            new EventFilter(AuditActions.Group, AuditActions.RecordKind, "", Key, AuditActions.ErasureApproved, Correlation: approval, Limit: 1), cancellation);
        return events is [var approved] ? approved.Commit : throw new InvalidOperationException($"the journal holds no {AuditActions.ErasureApproved} of leaf {Key} for approval {approval}, although this state says so: was the database restored?");
    }
}
