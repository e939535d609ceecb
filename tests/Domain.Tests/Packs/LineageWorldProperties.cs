using FsCheck;
using FsCheck.Fluent;

namespace Governor.Domain.Tests.Packs;

/// <summary>Whatever is declared and taken back, in whatever order, with crashes and failures in between: the target ends with what is declared.</summary>
public sealed class LineageWorldProperties
{
    private enum Happening
    {
        Declare,
        Delete,
        Work,
        Fail,
        Remove,
        Restart,
    }

    private static Gen<(Happening What, string Pack)[]> Histories { get; } =
        from count in Gen.Choose(0, 24)
        from steps in Gen.ArrayOf(
            from what in Gen.Frequency(
                (3, Gen.Constant(Happening.Declare)), (2, Gen.Constant(Happening.Delete)), (6, Gen.Constant(Happening.Work)), (1, Gen.Constant(Happening.Fail)),
                (3, Gen.Constant(Happening.Remove)), (1, Gen.Constant(Happening.Restart)))
            from pack in Gen.Elements("1", "2", "3")
            select (what, pack), count)
        select steps;

    [Fact]
    public void Every_history_comes_to_rest_with_exactly_what_is_declared() => Check(steps =>
    {
        var world = Play(steps);
        return world.ComesToRest() && world.Breach.Length == 0
            && world.Tenant.ToDictionary(o => o.Key, o => o.Value.Content).OrderBy(o => o.Key, StringComparer.Ordinal)
                .SequenceEqual(world.Wanted.OrderBy(o => o.Key, StringComparer.Ordinal));
    });

    [Fact]
    public void Nobody_ever_writes_beside_another_writer_or_a_removal() => Check(steps => Play(steps).Breach.Length == 0);

    [Fact]
    public void A_claim_is_the_same_object_for_as_long_as_something_that_has_it_is_declared() => Check(steps =>
    {
        var world = new LineageWorld();
        world.Declare("0");
        if (!world.ComesToRest())
            return false;
        var before = world.Tenant["data"].Uid;
        foreach (var (what, pack) in steps)
            Do(world, what, pack);
        return world.ComesToRest() && world.Tenant["data"].Uid == before;
    });

    private static LineageWorld Play((Happening What, string Pack)[] steps)
    {
        var world = new LineageWorld();
        foreach (var (what, pack) in steps)
            Do(world, what, pack);
        return world;
    }

    private static void Do(LineageWorld world, Happening what, string pack)
    {
        switch (what)
        {
            case Happening.Declare:
                world.Declare(pack);
                break;
            case Happening.Delete:
                world.Delete(pack);
                break;
            case Happening.Work or Happening.Fail:
                world.Work(fails: what == Happening.Fail);
                break;
            case Happening.Remove:
                world.Remove();
                break;
            case Happening.Restart:
                world.Restart();
                break;
        }
    }

    // The seed is in the message of a failure.
    private static void Check(Func<(Happening What, string Pack)[], bool> holds) =>
        Prop.ForAll(Histories.ToArbitrary(), holds).QuickCheckThrowOnFailure();
}
