using Governor.Domain.Admission;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Admission;

/// <summary>The bootstrap window of a management cluster on which the family really arrives.</summary>
[Collection(nameof(Ground))]
public sealed class BootstrapGrainTests(Ground ground) : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private Bed _bed = null!;

    private IBootstrapGrain Window => _bed.Grains.GetGrain<IBootstrapGrain>(BootstrapRules.Key);

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground);
        await WatchAsync();
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task It_closes_for_good_when_the_family_is_complete_and_no_restart_and_no_loss_opens_it_again()
    {
        await Window.StartAsync(Long, TimeSpan.Zero);
        await ShownAsync("Initialising", ConditionStatus.False, "BootstrapProfilesPending");
        await _bed.DeclareAsync(Family);

        await ShownAsync("Enforcing", ConditionStatus.True, "BootstrapProfilesReady");
        var closed = Newest();
        Assert.Equal("system:governor:guardian", closed.ClosedBy);
        Assert.Single(_bed.Commits.Events(), e => e.Action == "admission.bootstrap-closed");

        await _bed.StopSiloAsync();
        await _bed.DeleteAsync(KnownKinds.RBACProfile, new("seam-system", "web"));
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();
        await WatchAsync();
        await Window.StartAsync(Long, TimeSpan.Zero);
        await _bed.Commits.UntilAsync<Domain.Memberships.MembershipState>(Subjects.Membership, "seam-system/web", m => m.Verdict is { Admitted: false }, "fallen apart");
        await _bed.Commits.QuietAsync();
        Assert.Equal(closed.ClosedAt, Newest().ClosedAt);
        Assert.Single(_bed.Commits.Events(), e => e.Action == "admission.bootstrap-closed");
    }

    [Fact]
    public async Task A_family_that_falls_apart_before_its_time_has_to_be_complete_again_and_a_restart_does_not_begin_the_wait_anew()
    {
        await Window.StartAsync(Long, Long);
        await _bed.DeclareAsync(Family);
        await Until(state => state.CompleteSince is not null, "complete");
        var since = Newest().CompleteSince;

        await _bed.StopSiloAsync();
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();
        await WatchAsync();
        await Window.StartAsync(Long, TimeSpan.Zero); // another configuration does not move what is committed
        await _bed.Commits.QuietAsync();
        Assert.Equal((since, Long), (Newest().CompleteSince, Newest().Settling));

        await _bed.DeleteAsync(KnownKinds.SeamMembership, new("seam-system", "web"));
        await Until(state => state.CompleteSince is null, "fallen apart");
        await _bed.SeenAsync(
            KnownKinds.Guardian, BootstrapRules.Guardian, g => Conditions.Of(g).Find(BootstrapRules.Condition)!.Message.StartsWith("waits for RBACProfile seam-system/web to be provisioned", StringComparison.Ordinal), "says what it waits for");
        Assert.Null(Newest().ClosedAt);
    }

    private static string Family => Declared.Text("dev").Replace("seam-tenant-dev", "seam-system", StringComparison.Ordinal).Replace("tier: application", "tier: infrastructure", StringComparison.Ordinal);

    private Task WatchAsync() => _bed.WatchAsync(KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership);

    private BootstrapState Newest() => _bed.Commits.Of(Subjects.Bootstrap, BootstrapRules.Key)[^1].As<BootstrapState>();

    private Task<Committed> Until(Func<BootstrapState, bool> holds, string what) => _bed.Commits.UntilAsync(Subjects.Bootstrap, BootstrapRules.Key, holds, what);

    private Task<KubeObject> ShownAsync(string mode, ConditionStatus complete, string reason) => _bed.SeenAsync(
        KnownKinds.Guardian, BootstrapRules.Guardian,
        g => g.FindText("status", "webhookMode") == mode && Conditions.Of(g).Find(BootstrapRules.Condition) is { } said && said.Status == complete && said.Reason == reason, $"{mode}, {reason}");
}
