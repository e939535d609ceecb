using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

public sealed class AuditVerifierTests
{
    public static TheoryData<string> Tampered => [.. AuditMutations.All.Keys];

    [Fact]
    public void An_export_as_written_is_good()
    {
        var trail = Trail.Sample();
        var verdict = AuditVerifier.Verify(new MemoryStream(trail.Export()), AuditTrust.In(trail.Key) with { Known = [trail.Checkpoint] });

        Assert.Null(verdict.Fault);
        Assert.Equal((AuditOutcome.Ok, 12L, 3L, true), (verdict.Outcome, verdict.Leaves, verdict.Chains, verdict.KeyWasTrusted));
        Assert.Equal(trail.Checkpoint, verdict.Checkpoint);
    }

    [Theory]
    [MemberData(nameof(Tampered))]
    public void A_mutation_is_reported_with_its_class_and_place(string name)
    {
        var mutation = AuditMutations.All[name];
        var (export, trust) = mutation.Make();
        var verdict = AuditVerifier.Verify(new MemoryStream(export), trust);
        Assert.Equal((mutation.Outcome, mutation.Class, mutation.Index), (verdict.Outcome, verdict.Fault?.Class, verdict.Fault?.Index));
    }

    [Fact]
    public void No_single_changed_byte_passes()
    {
        var trail = Trail.Sample();
        var export = trail.Export();
        for (var i = 0; i < export.Length; i += 3)
        {
            var mutated = (byte[])export.Clone();
            mutated[i] ^= (byte)(1 << (i % 8));
            Assert.NotEqual(AuditOutcome.Ok, AuditVerifier.Verify(new MemoryStream(mutated)).Outcome);
        }
    }

    [Fact]
    public void Whatever_is_changed_the_verifier_neither_throws_nor_passes()
    {
        var witness = new TestWitness(21);
        var trail = Trail.Sample(witness);
        trail.Erase(2);
        trail.AppendErasure(AuditActions.PayloadErased, "2");
        trail.Rotate(new LogSigner(trail.Key.Name, 8));
        trail.Sign();
        var export = trail.Export();
        var trust = AuditTrust.In(trail.Key) with { Witnesses = [witness.Key], Quorum = 1 };
        Assert.Equal(AuditOutcome.Ok, AuditVerifier.Verify(new MemoryStream(export), trust).Outcome);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(4000),
            Prop.ForAll(Arb.From(Mutations.Of(export)), mutated =>
                mutated.AsSpan().SequenceEqual(export) || IsRefused(AuditVerifier.Verify(new MemoryStream(mutated), trust), trail)));
    }

    [Fact]
    public void Whatever_is_changed_in_one_of_two_parts_the_verifier_neither_throws_nor_passes()
    {
        var trail = Trail.Sample();
        var archive = trail.Export(AuditSpan.Archive(0), leaf => leaf < 5 || leaf == 6);
        var live = trail.Export(AuditSpan.Live(5), leaf => leaf is 5 or > 6);
        var trust = AuditTrust.In(trail.Key);
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Arb.From(Mutations.Of(live)), mutated =>
                mutated.AsSpan().SequenceEqual(live)
                || IsRefused(AuditVerifier.Verify([new MemoryStream(archive), new MemoryStream(mutated)], trust), trail)));
    }

    [Fact]
    public void Noise_is_no_export()
    {
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1000),
            Prop.ForAll<byte[]>(noise => AuditVerifier.Verify(new MemoryStream(noise)).Outcome != AuditOutcome.Ok));
    }

    /// <summary>A checkpoint fewer in between leaves another file that proves the same.</summary>
    private static bool IsRefused(AuditVerdict verdict, Trail trail) =>
        verdict.Outcome != AuditOutcome.Ok || (verdict.Checkpoint == trail.Checkpoint && verdict.Leaves == trail.Size);
}
