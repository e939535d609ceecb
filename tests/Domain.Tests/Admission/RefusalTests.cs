using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;

namespace Governor.Domain.Tests.Admission;

public sealed class RefusalTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 28, 5, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(1);

    private static readonly System.Collections.Immutable.ImmutableArray<string> Groups = ["developers"];

    private static Refusal One(int id, string user = "dev", string name = "r", DateTimeOffset? at = null, bool denied = true) => new(
        $"u-{id}", KnownKinds.Role, new ObjectKey("team", name), "", 0, new Caller(user, Groups), "CREATE", "rbac.ownership CS-INV-001", "metadata", "why", denied, 1, at ?? Start);

    [Fact]
    public void The_first_is_recorded_at_once_and_the_rest_as_a_number_when_the_window_is_over()
    {
        var window = new RefusalWindow(Length);

        Assert.Equal([One(0)], window.Add(One(0)).AsEnumerable());
        for (var i = 1; i < 1000; i++)
            Assert.Empty(window.Add(One(i)));
        Assert.Empty(window.Flush(Start + Length - TimeSpan.FromTicks(1)));
        Assert.Equal([One(999) with { Count = 999 }], window.Flush(Start + Length).AsEnumerable());
        Assert.Empty(window.Flush(Start + (2 * Length)));
        Assert.Equal([One(1000)], window.Add(One(1000)).AsEnumerable());
    }

    [Fact]
    public void Others_objects_and_verdicts_are_told_apart()
    {
        var window = new RefusalWindow(Length);

        foreach (var refusal in (Refusal[])[One(0), One(1, "bob"), One(2, name: "s"), One(3, denied: false)])
            Assert.Single(window.Add(refusal));
    }

    [Fact]
    public void Nobody_floods_the_trail_by_choosing_names_and_nobody_is_left_uncounted()
    {
        var window = new RefusalWindow(Length);
        var recorded = Enumerable.Range(0, 10_000).SelectMany(i => window.Add(One(i, $"u{i % 100}", $"r{i}"))).ToList();
        recorded.AddRange(window.Flush(Start + Length));

        Assert.Equal(10_000, recorded.Sum(refusal => refusal.Count));
        Assert.InRange(recorded.Count, 1, 2 * (RefusalWindow.MostInAll + 1));

        window = new RefusalWindow(Length);
        recorded = [.. Enumerable.Range(0, 10_000).SelectMany(i => window.Add(One(i, "one", $"r{i}")))];
        Assert.Equal(RefusalWindow.MostOfOneUser + 1, recorded.Count);
    }

    [Fact]
    public void A_refusal_becomes_an_event_of_whoever_asked_once_however_often_it_is_told()
    {
        var first = RefusalRules.Decide(RefusalState.Initial, new RefusalInput([One(0), One(1, denied: false)]), Asking.Policy.Approvals);
        var again = RefusalRules.Decide(first.State, new RefusalInput([One(0), One(2) with { Count = 7 }]), Asking.Policy.Approvals);

        Assert.Equal(["admission.denied", "admission.would-deny"], first.Events.Select(e => e.Action));
        Assert.All(first.Events, e => Assert.Equal(("dev", "human", "Role", "team", "r"), (e.Actor, e.ActorRole, e.Subject.Kind, e.Subject.Namespace, e.Subject.Name)));
        Assert.Contains("7 times", Assert.Single(again.Events).Rationale, StringComparison.Ordinal);
        Assert.Equal((8L, 1L), (again.State.Denied, again.State.Observed));
    }

    [Fact]
    public void A_dry_run_and_a_write_without_objection_leave_no_trace()
    {
        var request = Asking.Create(Asking.Item("""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"a","namespace":"team"}}"""), Asking.Developer);
        var verdict = Asking.Judge(AdmissionCheck.Rbac, request);

        Assert.NotNull(Refusal.Of(request, verdict, Start));
        Assert.Null(Refusal.Of(request with { IsDryRun = true }, verdict, Start));
        Assert.Null(Refusal.Of(request, AdmissionVerdict.Fine, Start));
    }
}
