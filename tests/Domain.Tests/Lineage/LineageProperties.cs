using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Outcome = Governor.Domain.Lineage.Outcome;

namespace Governor.Domain.Tests.Lineage;

public sealed class LineageProperties
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A step: register or conclude one of a few objects, now and then one of another root.</summary>
    private sealed record Step(bool Registers, string Uid, OutcomeType Outcome, bool OtherRoot, int Minute);

    private static Gen<Step[]> Steps { get; } =
        from count in Gen.Choose(0, 30)
        from steps in Gen.ArrayOf(
            from registers in Gen.Elements(true, false)
            from uid in Gen.Elements("a", "b", "c", "d")
            from outcome in Gen.Elements(Enum.GetValues<OutcomeType>())
            from other in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
            from minute in Gen.Choose(0, 60)
            select new Step(registers, uid, outcome, other, minute), count)
        select steps;

    [Fact]
    public void The_index_only_ever_grows_and_what_is_there_never_changes() => Check(steps =>
    {
        var index = LineageTests.Bind(LineageTests.Pack());
        foreach (var step in steps)
        {
            var next = Apply(index, step).Index;
            if (next.Root != index.Root
                || index.DescendantsByUid.Any(entry => next.DescendantsByUid.GetValueOrDefault(entry.Key) != entry.Value)
                || index.OutcomesByUid.Any(entry => next.OutcomesByUid.GetValueOrDefault(entry.Key) != entry.Value))
                return false;
            index = next;
        }
        return index.Descendants.Select(descendant => descendant.Sequence).SequenceEqual(Enumerable.Range(0, index.DescendantsByUid.Count));
    });

    [Fact]
    public void Hearing_everything_twice_changes_nothing() => Check(steps =>
    {
        var once = steps.Aggregate(LineageTests.Bind(LineageTests.Pack()), (index, step) => Apply(index, step).Index);
        var registrations = steps.Where(step => step.Registers).Aggregate(once, (index, step) => Apply(index, step).Index);
        return Text(registrations) == Text(once)
            && once.OutcomesByUid.Values.All(outcome => !once.Conclude(outcome with { Type = OutcomeType.Superseded }).Changed);
    });

    [Fact]
    public void Only_descendants_of_this_root_are_ever_in_it() => Check(steps =>
    {
        var index = steps.Aggregate(LineageTests.Bind(LineageTests.Pack()), (index, step) => Apply(index, step).Index);
        var own = steps.Where(step => step is { Registers: true, OtherRoot: false }).Select(step => step.Uid).ToHashSet();
        return index.DescendantsByUid.Keys.ToHashSet().SetEquals(own) && index.OutcomesByUid.Keys.All(own.Contains);
    });

    [Fact]
    public void An_index_survives_JSON() => Check(steps =>
    {
        var index = steps.Aggregate(LineageTests.Bind(LineageTests.Pack()), (index, step) => Apply(index, step).Index);
        var back = JsonSerializer.Deserialize<LineageIndex>(JsonSerializer.Serialize(index))!;
        return Text(back) == Text(index) && back.Root == index.Root;
    });

    private static LineageChange Apply(LineageIndex index, Step step) => step.Registers
        ? index.Register(KnownKinds.PackExecution, LineageTests.Derived(step.Uid), LineageTests.Chain(LineageTests.Pack(step.OtherRoot ? "root-2" : "root-1")), Noon.AddMinutes(step.Minute))
        : index.Conclude(new Outcome(step.Uid, step.Outcome, Noon.AddMinutes(step.Minute), "Reason", "detail"));

    private static string Text(LineageIndex index) => index.ToSpec().ToJsonString();

    private static void Check(Func<Step[], bool> holds) =>
        FsCheck.Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Steps.ToArbitrary(), holds));
}
