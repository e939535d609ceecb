using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class InstanceRulesTests
{
    [Theory]
    [InlineData(null, "v1.0.0-r1", UpgradeDirection.Initial)]
    [InlineData("v1.0.0-r1", "v1.0.0-r1", UpgradeDirection.Redeploy)]
    [InlineData("v1.0.0-r1", "v1.0.0-r2", UpgradeDirection.Upgrade)]
    [InlineData("v1.0.0-r2", "v1.0.0-r1", UpgradeDirection.Rollback)]
    [InlineData("v1.9.0", "v1.10.0", UpgradeDirection.Upgrade)]
    [InlineData("1.0.0", "v1.0.0", UpgradeDirection.Redeploy)]
    [InlineData("nightly", "tuesday", UpgradeDirection.Upgrade)]
    [InlineData("v2.0.0-r1", "tuesday", UpgradeDirection.Upgrade)]
    public void The_direction_of_a_release_follows_the_version(string? previous, string next, UpgradeDirection expected) =>
        Assert.Equal(expected, PackOrder.Direction(previous, next));

    [Fact]
    public void A_delivery_that_is_told_twice_is_one_release()
    {
        var once = InstanceRules.Decide(InstanceState.Initial, new InstanceInput.Told(Delivered("e1", "v1.0.0-r1")), Make.Now);
        var twice = InstanceRules.Decide(once.State, new InstanceInput.Told(Delivered("e1", "v1.0.0-r1")), Make.Now);

        Assert.Single(once.Events);
        Assert.Same(once.State, twice.State);
    }

    [Fact]
    public void The_release_history_outlives_attempts_and_is_bounded()
    {
        var state = InstanceState.Initial;
        for (var i = 1; i <= 15; i++)
            state = InstanceRules.Decide(state, new InstanceInput.Told(Delivered($"e{i}", $"v1.0.{i}-r1", i)), Make.Now).State;

        Assert.Equal(InstanceRules.Retention, state.Releases.Length);
        Assert.Equal(15, state.Current!.Revision);
        Assert.Equal(6, state.Releases[0].Revision);
        // After a restart every delivery that ever succeeded is told again, also those that are no longer remembered.
        Assert.Same(state, InstanceRules.Decide(state, new InstanceInput.Told(Delivered("e1", "v1.0.1-r1", 1)), Make.Now).State);
        Assert.Same(state, InstanceRules.Decide(state, new InstanceInput.Told(Delivered("e15", "v1.0.15-r1", 15)), Make.Now).State);
    }

    [Fact]
    public void Deleting_the_object_keeps_the_history_and_wants_the_object_back()
    {
        var state = InstanceRules.Decide(InstanceState.Initial, new InstanceInput.Told(Delivered("e1", "v1.0.0-r1")), Make.Now).State;
        state = InstanceRules.Decide(state, new InstanceInput.Gone(), Make.Now).State;

        Assert.NotNull(InstanceStatus.Desired(state));
        Assert.Single(state.Releases);
    }

    [Fact]
    public void Versions_of_one_base_pack_share_their_instance()
    {
        var spec = Make.Spec with { BasePackName = "web" };

        Assert.Equal(
            InstanceRules.KeyOf(new ObjectKey("n", "web-v1"), spec, "ccs-dev"),
            InstanceRules.KeyOf(new ObjectKey("n", "web-v2"), spec, "ccs-dev"));
    }

    private static DeliveredFact Delivered(string execution, string version, int minute = 0) => new(
        new ObjectKey("seam-tenant-ccs-dev", "web-ccs-dev"), execution, Make.ExecutionSpec.Pack, "pack-uid", version, "ccs-dev", Make.Spec,
        ImmutableArray.Create(new DeployedResource("v1", "ConfigMap", "web", "x")), Make.Now.AddMinutes(minute), null);
}
