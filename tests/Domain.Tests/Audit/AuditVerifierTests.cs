using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Audit;

public sealed class AuditVerifierTests
{
    public static TheoryData<string> Mutations => [.. AuditMutations.All.Keys];

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
    [MemberData(nameof(Mutations))]
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
        var export = Trail.Sample().Export();
        var change =
            from at in Gen.Choose(0, export.Length - 1)
            from remove in Gen.Choose(0, 40)
            from insert in Gen.OneOf(
                Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(),
                Gen.Elements<byte>((byte)' ', (byte)'\n', (byte)'=', (byte)'A', (byte)'0').ArrayOf(),
                Gen.Choose(0, export.Length - 200).Select(begin => export[begin..(begin + 200)]))
            select (byte[])[.. export[..at], .. insert, .. export[Math.Min(export.Length, at + remove)..]];
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(3000),
            Prop.ForAll(Arb.From(change), mutated =>
                mutated.AsSpan().SequenceEqual(export) || AuditVerifier.Verify(new MemoryStream(mutated)).Outcome != AuditOutcome.Ok));
    }

    [Fact]
    public void Noise_is_no_export()
    {
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(1000),
            Prop.ForAll<byte[]>(noise => AuditVerifier.Verify(new MemoryStream(noise)).Outcome != AuditOutcome.Ok));
    }
}
