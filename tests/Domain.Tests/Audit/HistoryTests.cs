using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

/// <summary>Histories that are as they should be, although keys changed, payloads are gone, or witnesses came later.</summary>
public sealed class HistoryTests
{
    private static readonly LogSigner Second = new("governor.test/log", 8);
    private static readonly LogSigner Third = new("governor.test/log", 9);

    [Fact]
    public void Keys_change_and_the_first_or_the_last_one_suffices_to_verify()
    {
        var trail = Rotated();
        foreach (var pinned in (VerifierKey[])[trail.Key, Third.Key])
        {
            var verdict = Verify(trail.Export(), AuditTrust.In(pinned));
            Assert.Equal((AuditOutcome.Ok, null, 9L), (verdict.Outcome, verdict.Fault, verdict.Leaves));
            Assert.Equal((trail.Key, Third.Key), (verdict.Key!, Assert.Single(verdict.CurrentKeys)));
        }
        Assert.Equal(AuditFaultClass.WrongKey, Verify(trail.Export(), AuditTrust.In(Second.Key)).Fault!.Class);
    }

    [Fact]
    public void A_key_that_is_valid_and_did_not_sign_the_end_vouches_for_nothing()
    {
        var trail = new Trail();
        trail.Append(LogKeyChange.Add, Second, trail.Signer);
        trail.Sign();
        Assert.Equal((AuditOutcome.Tampered, AuditFaultClass.WrongKey), Found(Verify(trail.Export(), AuditTrust.In(Second.Key))));

        trail.Append("pack-0", "value");
        trail.Publish(trail.Sign(trail.Checkpoint.Text).With(Second.Sign(trail.Checkpoint.Text).Signatures));
        Assert.Equal(AuditOutcome.Ok, Verify(trail.Export(), AuditTrust.In(Second.Key)).Outcome);
    }

    [Fact]
    public void A_checkpoint_may_carry_the_signatures_of_all_that_are_valid_but_none_of_them_false()
    {
        var trail = new Trail();
        trail.Append(LogKeyChange.Add, Second, trail.Signer);
        trail.Publish(trail.Sign(trail.Checkpoint.Text).With(Second.Sign("another text\n").Signatures));
        Assert.Equal((AuditOutcome.Tampered, AuditFaultClass.BadSignature), Found(Verify(trail.Export(), AuditTrust.In(trail.Key))));
    }

    [Fact]
    public void A_rotated_key_on_a_checkpoint_beside_the_new_one_is_of_no_account()
    {
        var trail = new Trail();
        trail.Rotate(Second);
        trail.Publish(trail.Sign(trail.Checkpoint.Text).With(trail.Genesis.Sign(trail.Checkpoint.Text).Signatures));
        Assert.Equal(AuditOutcome.Ok, Verify(trail.Export(), AuditTrust.In(trail.Key)).Outcome);
    }

    [Fact]
    public void An_erasure_that_a_later_event_reports_keeps_every_proof()
    {
        var trail = Trail.Sample();
        trail.Erase(5);
        trail.Erase(7);
        trail.AppendErasure(AuditActions.ErasureApproved, "5");
        trail.AppendErasure(AuditActions.PayloadErased, "5");
        trail.AppendErasure(AuditActions.PayloadErased, "7");
        trail.Sign();
        var verdict = Verify(trail.Export(), AuditTrust.In(trail.Key));
        Assert.Equal((AuditOutcome.Ok, null, 2L), (verdict.Outcome, verdict.Fault, verdict.Erased));
    }

    [Fact]
    public void An_erasure_is_no_fault_of_a_copy_that_was_made_before()
    {
        var trail = Trail.Sample();
        trail.AppendErasure(AuditActions.PayloadErased, "5");
        trail.Sign();
        Assert.Equal((AuditOutcome.Ok, 0L), Verify(trail.Export(), AuditTrust.In(trail.Key)) is var verdict ? (verdict.Outcome, verdict.Erased) : default);
    }

    [Fact]
    public void A_cut_file_does_not_say_that_erasures_are_unexplained()
    {
        var trail = Trail.Sample();
        trail.Erase(2);
        var lines = trail.Lines();
        Assert.Equal((AuditOutcome.Incomplete, AuditFaultClass.Truncated), Found(Verify(lines.Take(lines.Count - 1).ToBytes(), AuditTrust.In(trail.Key))));
    }

    [Fact]
    public void Enough_witnesses_suffice_and_are_named()
    {
        TestWitness[] witnesses = [new(21), new(22), new(23)];
        var trail = Trail.Sample(witnesses[0], witnesses[2]);
        var trust = AuditTrust.In(trail.Key) with { Witnesses = [.. witnesses.Select(w => w.Key)], Quorum = 2 };

        var verdict = Verify(trail.Export(), trust);
        Assert.Equal(AuditOutcome.Ok, verdict.Outcome);
        Assert.Equal([witnesses[0].Key.Name, witnesses[2].Key.Name], verdict.Cosigners.Select(key => key.Name));

        var missing = Verify(trail.Export(), trust with { Quorum = 3 });
        Assert.Equal((AuditOutcome.Incomplete, AuditFaultClass.NotWitnessed), Found(missing));
        Assert.Equal((0, 12), (missing.Fault!.Index, missing.Fault.Until));
    }

    [Fact]
    public void The_cosignatures_of_several_copies_of_the_last_checkpoint_count_together()
    {
        var (one, other) = (new TestWitness(21), new TestWitness(22));
        var trail = Trail.Sample(one);
        var first = trail.Export();
        var lines = trail.Lines();
        var second = lines.WithNote(trail.Genesis.Sign(trail.Checkpoint.Text).With([other.Cosign(trail.Checkpoint.Text)]));
        var trust = AuditTrust.In(trail.Key) with { Witnesses = [one.Key, other.Key], Quorum = 2 };

        Assert.Equal(AuditOutcome.Ok, AuditVerifier.Verify([new MemoryStream(first), new MemoryStream(second)], trust).Outcome);
        Assert.Equal(AuditFaultClass.NotWitnessed, Verify(first, trust).Fault!.Class);
        Assert.Equal(AuditFaultClass.NotWitnessed, Verify(second, trust).Fault!.Class);
    }

    /// <summary>Three leaves under each of three keys, the change of the key being the first.</summary>
    private static Trail Rotated()
    {
        var trail = new Trail();
        foreach (var signer in (LogSigner?[])[null, Second, Third])
        {
            if (signer is null)
                trail.Append("pack-0", "first");
            else
                trail.Rotate(signer);
            trail.Append("pack-0", "value");
            trail.Append("pack-1", "value");
            trail.Sign();
        }
        return trail;
    }

    private static (AuditOutcome, AuditFaultClass?) Found(AuditVerdict verdict) => (verdict.Outcome, verdict.Fault?.Class);

    private static AuditVerdict Verify(byte[] export, AuditTrust trust) => AuditVerifier.Verify(new MemoryStream(export), trust);
}
