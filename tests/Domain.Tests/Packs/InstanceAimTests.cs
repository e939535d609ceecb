using Governor.Domain.Facts;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class InstanceAimTests
{
    private readonly LineageOnTarget _web = new();

    [Fact]
    public void The_first_declaration_gets_its_turn_at_once()
    {
        _web.Declare("web-v1", "v1.0.0-r1");

        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn);
        Assert.Equal("", _web.Turn("web-v1-ccs-dev").SupersededBy);
    }

    [Fact]
    public void A_newer_version_supersedes_an_attempt_that_waits_and_gets_the_turn_when_that_has_stepped_aside()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Waiting);
        _web.Declare("web-v2", "v1.1.0-r1");

        Assert.Equal("ClusterPack web-v2 v1.1.0-r1", _web.Turn("web-v1-ccs-dev").SupersededBy);
        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn); // it may be about to write
        Assert.Equal("PackExecution seam-tenant-ccs-dev/web-v1-ccs-dev", _web.Turn("web-v2-ccs-dev").WaitsFor);

        _web.Say("web-v1-ccs-dev", AttemptStanding.Superseded);

        Assert.Equal("seam-tenant-ccs-dev/web-v2-ccs-dev", _web.State.Turn);
    }

    [Fact]
    public void What_an_attempt_said_before_it_heard_of_the_change_frees_nothing()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Superseded); // of an earlier time
        var heard = _web.State.TurnNumber;
        _web.Declare("web-v2", "v1.1.0-r1");

        Assert.True(_web.State.TurnNumber > heard);
        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn);
    }

    [Fact]
    public void An_attempt_that_writes_is_left_to_finish()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Writing);
        _web.Declare("web-v2", "v1.1.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Writing);

        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn);

        _web.Say("web-v1-ccs-dev", AttemptStanding.Failed);

        Assert.Equal("seam-tenant-ccs-dev/web-v2-ccs-dev", _web.State.Turn);
    }

    [Fact]
    public void A_superseded_attempt_is_wanted_again_when_the_newer_pack_is_taken_back()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Declare("web-v2", "v1.1.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Superseded);
        _web.Delete("web-v2");
        _web.Say("web-v2-ccs-dev", AttemptStanding.Waiting, exists: false);

        Assert.Equal("", _web.Turn("web-v1-ccs-dev").SupersededBy);
        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn);
    }

    [Theory]
    [InlineData("v1.2.0-r1", "v1.10.0-r1")]
    [InlineData("v1.0.0-r9", "v1.0.0-r10")]
    [InlineData("v1.0.0", "v1.0.0-r1")]
    public void Versions_count_by_their_numbers_whatever_the_order_of_declaration(string older, string newer)
    {
        _web.Declare("web-b", newer, declared: 1);
        _web.Declare("web-a", older, declared: 2);

        Assert.Equal("seam-tenant-ccs-dev/web-b-ccs-dev", _web.State.Aim);
    }

    [Fact]
    public void Versions_that_cannot_be_compared_count_by_the_order_of_declaration_and_never_as_equal()
    {
        _web.Declare("web-b", "tuesday", declared: 2);
        _web.Declare("web-a", "v9.0.0", declared: 1);

        Assert.Equal("seam-tenant-ccs-dev/web-b-ccs-dev", _web.State.Aim);
        Assert.Equal(UpgradeDirection.Rollback, PackOrder.Direction("tuesday", "monday", Make.Now, Make.Now.AddMinutes(-1)));
        Assert.Equal(UpgradeDirection.Upgrade, PackOrder.Direction("monday", "tuesday", Make.Now.AddMinutes(-1), Make.Now));
    }

    [Fact]
    public void A_rollback_restores_the_retained_release_by_its_content_as_a_new_revision()
    {
        Upgraded();
        _web.Declare("web-v2", "v1.1.0-r1", rollback: 1);
        Settle("web-v2-ccs-dev", AttemptStanding.Succeeded);

        var restoration = InstanceStatus.Restoration(_web.State with { Exists = true, Uid = "pi" })!;
        Assert.Equal("web-ccs-dev-restore-1", restoration.Name);
        Assert.Equal("v1.0.0-r1", restoration.FindText("spec", "clusterPackRef", "version"));
        var handed = InstanceRules.Outbox(_web.State).Select(l => l.Fact).OfType<ReleaseFact>().Single();
        Assert.Equal(1, handed.Release!.Revision);
        Assert.Equal("the restoration of revision 1", _web.Turn("web-v2-ccs-dev").SupersededBy);

        _web.Deliver("web-v1", "v1.0.0-r1", LineageOnTarget.Config("a"));
        _web.RemoveAll();

        var current = _web.State.Current!;
        Assert.Equal((3, UpgradeDirection.Rollback, 1, "v1.0.0-r1"), (current.Revision, current.Direction, current.RestoredFrom, current.Version));
        Assert.Null(_web.State.Restoration);
        Assert.Equal("", _web.State.Aim);
    }

    [Fact]
    public void A_rollback_that_was_done_is_not_done_again_and_taking_it_back_returns()
    {
        A_rollback_restores_the_retained_release_by_its_content_as_a_new_revision();
        _web.Declare("web-v2", "v1.1.0-r1", rollback: 1);
        Assert.Null(_web.State.Restoration);

        _web.Declare("web-v2", "v1.1.0-r1");
        Settle("web-ccs-dev-restore-1", AttemptStanding.Succeeded);

        Assert.Equal(2, _web.State.Restoration!.Revision);
        Assert.Equal("seam-tenant-ccs-dev/web-ccs-dev-restore-2", _web.State.Turn);
        _web.Deliver("web-v2", "v1.1.0-r1", LineageOnTarget.Config("b"));
        Assert.Equal((4, UpgradeDirection.Upgrade), (_web.State.Current!.Revision, _web.State.Current.Direction));
    }

    [Fact]
    public void A_rollback_to_a_revision_that_is_not_retained_says_so_and_moves_nothing()
    {
        Upgraded();
        _web.Declare("web-v2", "v1.1.0-r1", rollback: 7);

        Assert.Null(_web.State.Restoration);
        Assert.Equal("RevisionNotRetained", _web.State.Conditions.Single(c => c.Type == "Ready").Reason);
        Assert.Contains("expected a retained revision (1, 2), found 7", _web.State.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_pack_that_is_left_when_the_newer_one_is_deleted_is_brought_back()
    {
        Upgraded();
        _web.Delete("web-v2");
        Settle("web-v2-ccs-dev", AttemptStanding.Succeeded, exists: false);

        Assert.Equal(1, _web.State.Restoration!.Revision);
        _web.Deliver("web-v1", "v1.0.0-r1", LineageOnTarget.Config("a"));
        Assert.Equal((3, UpgradeDirection.Rollback, "v1.0.0-r1"), (_web.State.Current!.Revision, _web.State.Current.Direction, _web.State.Current.Version));
    }

    [Fact]
    public void An_attempt_made_anew_for_the_same_pack_is_a_redeployment()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Deliver("web-v1", "v1.0.0-r1", LineageOnTarget.Config("a"));

        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn); // whoever deletes the execution gets another attempt
        Assert.Equal("", _web.Turn("web-v1-ccs-dev").SupersededBy);
    }

    [Fact]
    public void A_success_whose_release_is_not_recorded_yet_frees_nothing()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Declare("web-v2", "v1.1.0-r1");
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded);

        Assert.Equal("seam-tenant-ccs-dev/web-v1-ccs-dev", _web.State.Turn);
        Assert.Null(_web.State.Restoration);
    }

    [Fact]
    public void A_pack_that_must_not_be_delivered_says_nothing_about_where_it_goes()
    {
        _web.Declare("web-v1", "v1.0.0-r1", retain: false);
        _web.Deliver("web-v1", "v1.0.0-r1", LineageOnTarget.Config("a"));
        var broken = _web.Fact("web-v1", "v1.0.0-r1", trust: PackTrust.Rejected) with { Spec = null };

        _web.Tell(broken);

        Assert.Equal(InstanceStanding.Standing, _web.State.Standing);
        Assert.Single(_web.State.Declared);
    }

    private void Upgraded()
    {
        _web.Declare("web-v1", "v1.0.0-r1");
        _web.Deliver("web-v1", "v1.0.0-r1", LineageOnTarget.Config("a"));
        _web.Declare("web-v2", "v1.1.0-r1", declared: 1);
        _web.Say("web-v1-ccs-dev", AttemptStanding.Succeeded);
        _web.Deliver("web-v2", "v1.1.0-r1", LineageOnTarget.Config("b"));
        _web.RemoveAll();
    }

    // The attempt that has the turn hears that it is another's.
    private void Settle(string execution, AttemptStanding standing, bool exists = true) => _web.Say(execution, standing, exists);
}
