using System.Collections.Immutable;
using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class InstanceRemovalTests
{
    private readonly LineageOnTarget _web = new();

    [Fact]
    public void What_an_upgrade_no_longer_has_is_removed_last_come_first_gone()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Deliver("web-v1", "v1.0.0-r1", LineageOnTarget.Config("a"), LineageOnTarget.Config("b"), LineageOnTarget.Config("c"));
        _web.Declare("web-v2", "v1.1.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded);
        _web.Deliver("web-v2", "v1.1.0-r1", LineageOnTarget.Config("b"));

        Assert.Equal(["c", "a"], _web.State.Removal!.Pending.Select(entry => entry.Name));
        Assert.Equal("", _web.State.Turn); // nobody writes while something goes

        _web.RemoveAll();

        Assert.Null(_web.State.Removal);
        Assert.Equal(_web.State.Aim, _web.State.Turn);
        Assert.Contains("packinstance.pruned", _web.Actions);
    }

    [Fact]
    public void What_a_failed_attempt_put_there_goes_with_the_next_success()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Failed, true, LineageOnTarget.Config("a"), LineageOnTarget.Config("half"));
        _web.Declare("web-v2", "v1.1.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Failed);
        _web.Deliver("web-v2", "v1.1.0-r1", LineageOnTarget.Config("a"));

        Assert.Equal(["half"], _web.State.Removal!.Pending.Select(entry => entry.Name));
    }

    [Fact]
    public void That_we_made_an_object_is_remembered_for_as_long_as_it_is_the_same()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Deliver("web-v1", "v1.0.0-r1", LineageOnTarget.Config("a"), LineageOnTarget.Config("b"));
        _web.Declare("web-v2", "v1.1.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded);
        _web.Deliver("web-v2", "v1.1.0-r1", LineageOnTarget.Config("a", created: false), LineageOnTarget.Config("b", "another", created: false));

        Assert.Equal([true, false], _web.State.Current!.Inventory.Select(entry => entry.Created));
    }

    [Fact]
    public void What_was_delivered_is_kept_when_its_pack_is_deleted_unless_that_said_otherwise()
    {
        Delivered(retain: true);
        _web.Delete("web-v1");

        Assert.Equal(InstanceStanding.Retained, _web.State.Standing);
        Assert.Null(_web.State.Removal);
        Assert.True(_web.State.Conditions.Single(c => c.Type == "Ready").Status == Domain.Kinds.ConditionStatus.True);
    }

    [Fact]
    public void A_pack_that_keeps_nothing_takes_its_inventory_along_in_reverse_and_namespaces_last()
    {
        Delivered(retain: false);
        _web.Delete("web-v1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded, exists: false);

        Assert.Equal(InstanceStanding.Removing, _web.State.Standing);
        Assert.Equal(["b", "a", "web"], _web.State.Removal!.Pending.Select(entry => entry.Name));

        _web.RemoveAll();

        Assert.Equal(InstanceStanding.Removed, _web.State.Standing);
        Assert.Null(InstanceStatus.Desired(_web.State));
        Assert.Single(_web.State.Releases);
    }

    [Fact]
    public void Nothing_is_removed_while_an_attempt_may_still_write()
    {
        Delivered(retain: false);
        _web.Delete("web-v1"); // the execution has not said anything since

        Assert.Null(_web.State.Removal);
    }

    [Fact]
    public void A_target_that_is_no_longer_meant_loses_what_was_delivered_as_with_a_deleted_pack()
    {
        Delivered(retain: false);
        _web.Tell(_web.Fact("web-v1", "v1.0.0-r1", retain: false) with { Spec = Make.Spec with { BasePackName = "web", RetainOnDeletion = false, TargetClusters = ["ccs-prod"] } });
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded);

        Assert.Equal(InstanceStanding.Removing, _web.State.Standing);
    }

    [Fact]
    public void A_pack_that_is_declared_again_calls_the_removal_off_and_is_delivered_again()
    {
        Delivered(retain: false);
        _web.Delete("web-v1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded, exists: false);
        var order = _web.State.Removal!;
        _web.Do(new InstanceInput.ObjectDone(order.Id, order.Pending[0], RemovalOutcome.Removed, "", ""));
        _web.Declare("web-v1", "v1.0.0-r1", retain: false);

        Assert.True(_web.State.Removal!.IsCancelled);
        Assert.Equal("", _web.State.Turn);

        _web.Do(new InstanceInput.RemovalStopped(order.Id));

        Assert.Null(_web.State.Removal);
        Assert.Equal(["web", "a"], _web.State.Strays.Select(entry => entry.Name));
        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn);
    }

    [Fact]
    public void Giving_up_a_removal_needs_the_approval_of_exactly_what_is_pending()
    {
        Unreachable();
        var plan = Plan();

        _web.Tell(Approved(plan with { Objects = [] }));

        Assert.Equal(InstanceStanding.Removing, _web.State.Standing);
        Assert.Contains("expected the plan of what is pending now", Assert.Single(_web.State.Answers).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_approves_what_they_asked_for_and_nobody_but_an_approval_says_that_something_is_approved()
    {
        Unreachable();

        _web.Tell(Approved(Plan(), by: "ann"));
        _web.Tell(Approved(Plan()) with { From = new Address(Subjects.Pack, "x") });

        Assert.Equal(InstanceStanding.Removing, _web.State.Standing);
        Assert.Empty(_web.State.Answers);
    }

    [Fact]
    public void What_was_given_up_is_never_touched_again_and_found_again_when_its_cluster_returns()
    {
        Unreachable();
        _web.Tell(Approved(Plan()));

        Assert.Equal(InstanceStanding.Abandoned, _web.State.Standing);
        Assert.Null(_web.State.Removal);
        var given = _web.Events.Single(e => e.Action == "packinstance.abandoned");
        Assert.Equal(("ann", "bob"), (given.Actor, given.Reviewer));

        _web.Do(new InstanceInput.AbandonedSeen("api-uid", [_web.State.Abandonment!.Objects[0]]));

        Assert.Null(_web.State.Removal);
        Assert.Contains("1 of them still there, which are left alone", _web.State.Conditions.Single(c => c.Type == "Ready").Message, StringComparison.Ordinal);
        Assert.Contains("packinstance.abandoned-found", _web.Actions);
    }

    [Fact]
    public void A_plan_is_read_as_it_is_written_and_in_no_other_spelling()
    {
        Unreachable();
        var text = Plan().ToJson();

        Assert.True(AbandonPlan.TryParse(text, out var read, out _));
        Assert.Equal(Plan(), read);
        Assert.False(AbandonPlan.TryParse(text.Replace("{\"action\"", "{ \"action\"", StringComparison.Ordinal), out _, out var fault));
        Assert.Contains("canonical", fault, StringComparison.Ordinal);
    }

    private AbandonPlan Plan() => AbandonPlan.Of(_web.State.Key, "ccs-dev", _web.State.Removal!, "the cluster burnt down");

    private static PlanApproved Approved(AbandonPlan plan, string by = "bob") =>
        new("ab-1", AbandonPlan.Action, plan.ToJson(), Plans.DigestOf(plan.ToJson()), "ann", by, "seen it", Make.Now) { From = ApprovalRules.AddressOf("ab-1"), Version = 3 };

    private void Unreachable()
    {
        Delivered(retain: false);
        _web.Delete("web-v1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded, exists: false);
    }

    private void Delivered(bool retain)
    {
        _web.Declare("web-v1", "v1.0.0-r1", retain: retain);
        _web.Deliver("web-v1", "v1.0.0-r1", new DeployedResource("v1", "Namespace", "", "web", "ns-uid", true), LineageOnTarget.Config("a"), LineageOnTarget.Config("b"));
    }
}
