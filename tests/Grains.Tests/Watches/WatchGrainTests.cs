using System.Globalization;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Watches;

[Collection(nameof(Ground))]
public sealed class WatchGrainTests(Ground ground) : IAsyncLifetime
{
    private const string Ns = "seam-system";

    private Bed _bed = null!;

    public async Task InitializeAsync() => _bed = await Bed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task It_tells_what_exists_what_changes_and_what_goes()
    {
        await DeclareAsync("old", "thing");
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        await CommittedAsync("old", s => s.Set is not null, "seen");

        await DeclareAsync("new", "thing");
        await CommittedAsync("new", s => s.Set is not null, "seen");
        await DeclareAsync("old", "other");
        await CommittedAsync("old", s => s.Set?.Value?.Rules[0].Resources[0] == "other", "changed");
        await _bed.DeleteAsync(KnownKinds.PermissionSet, new(Ns, "old"));
        await CommittedAsync("old", s => s.Set is null, "gone");
    }

    [Fact]
    public async Task What_vanished_while_no_silo_was_there_is_told_as_gone_afterwards()
    {
        await DeclareAsync("stays", "thing");
        await DeclareAsync("goes", "thing");
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        await CommittedAsync("stays", s => s.Set is not null, "seen");
        await CommittedAsync("goes", s => s.Set is not null, "seen");

        await _bed.StopSiloAsync();
        await _bed.DeleteAsync(KnownKinds.PermissionSet, new(Ns, "goes"));
        await _bed.StartSiloAsync();
        await _bed.WatchAsync(KnownKinds.PermissionSet);

        await CommittedAsync("goes", s => s.Set is null, "gone");
        Assert.DoesNotContain(_bed.Showings.Of(new(Ns, "stays")), o => o.Object is null);
    }

    [Fact]
    public async Task What_was_made_again_under_its_name_while_no_silo_was_there_is_told_with_its_new_uid()
    {
        await DeclareAsync("again", "thing");
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        var first = await CommittedAsync("again", s => s.Set is not null, "seen");

        await _bed.StopSiloAsync();
        await _bed.DeleteAsync(KnownKinds.PermissionSet, new(Ns, "again"));
        await DeclareAsync("again", "thing");
        await _bed.StartSiloAsync();
        await _bed.WatchAsync(KnownKinds.PermissionSet);

        await CommittedAsync("again", s => s.Uid != first.Uid && s.Set is not null, "the new one");
    }

    [Fact]
    public async Task A_receiver_that_fails_is_told_again()
    {
        var failures = 0;
        _bed.Showings.Before = seen =>
            seen.Key.Name == "once" && Interlocked.Increment(ref failures) == 1 ? Task.FromException(new InvalidOperationException("not now")) : Task.CompletedTask;
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        await DeclareAsync("once", "thing");

        await CommittedAsync("once", s => s.Set is not null, "seen");

        Assert.Equal(2, _bed.Showings.Of(new(Ns, "once")).Count(o => o.Object!.Generation == 1 && o.Object.Status.ValueKind == System.Text.Json.JsonValueKind.Undefined));
    }

    [Fact]
    public async Task A_hot_object_is_told_once_for_many_changes_and_its_last_state_wins()
    {
        const int Changes = 40;
        var hot = new ObjectKey(Ns, "hot");
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _bed.Showings.Before = seen => seen.Key == hot ? open.Task : Task.CompletedTask;
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        await DeclareAsync("hot", "thing0");
        await _bed.Showings.UntilAsync(hot, seen => seen.Count == 1, "the first showing");
        for (var n = 1; n <= Changes; n++)
            await DeclareAsync("hot", $"thing{n}");
        // The stream is in order: when it has come to the marker, it has seen all changes.
        await DeclareAsync("marker", "thing");
        await CommittedAsync("marker", s => s.Set is not null, "seen");
        Assert.Single(_bed.Showings.Of(hot));
        open.SetResult();

        await CommittedAsync("hot", s => s.Set?.Value?.Rules[0].Resources[0] == $"thing{Changes}", "the last state");
        Assert.True(_bed.Showings.Of(hot).Count < 6, $"{_bed.Showings.Of(hot).Count} showings for {Changes} changes");
    }

    [Fact]
    public async Task The_news_of_one_object_are_told_in_their_order_and_one_at_a_time()
    {
        var running = new System.Collections.Concurrent.ConcurrentDictionary<ObjectKey, int>();
        var overlaps = 0;
        _bed.Showings.Before = async seen =>
        {
            if (running.AddOrUpdate(seen.Key, 1, (_, n) => n + 1) > 1)
                Interlocked.Increment(ref overlaps);
            await Task.Yield();
            running.AddOrUpdate(seen.Key, 0, (_, n) => n - 1);
        };
        string[] names = [.. Enumerable.Range(0, 10).Select(i => $"set{i}")];
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        await Task.WhenAll(names.Select(async name =>
        {
            for (var n = 0; n < 20; n++)
                await DeclareAsync(name, $"thing{n}");
        }));
        foreach (var name in names)
            await CommittedAsync(name, s => s.Set?.Value?.Rules[0].Resources[0] == "thing19", "the last state");

        Assert.Equal(0, overlaps);
        foreach (var name in names)
        {
            var versions = _bed.Showings.Of(new(Ns, name)).Select(o => long.Parse(o.Object!.ResourceVersion, CultureInfo.InvariantCulture)).ToArray();
            Assert.Equal(versions.Order(), versions);
        }
    }

    [Fact]
    public async Task A_management_cluster_that_goes_away_and_comes_back_is_caught_up_with()
    {
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        await DeclareAsync("before", "thing");
        await DeclareAsync("goes", "thing");
        await CommittedAsync("before", s => s.Set is not null, "seen");
        await CommittedAsync("goes", s => s.Set is not null, "seen");

        _bed.Management.Faults.DropWatches();
        await _bed.DeleteAsync(KnownKinds.PermissionSet, new(Ns, "goes"));
        _bed.Management.Faults.ExpireHistory();
        await DeclareAsync("after", "thing");

        await CommittedAsync("after", s => s.Set is not null, "seen");
        await CommittedAsync("goes", s => s.Set is null, "gone");
    }

    private Task DeclareAsync(string name, string resource) => _bed.DeclareAsync($$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: { name: {{name}}, namespace: {{Ns}} }
        spec:
          permissions:
          - resources: [{{resource}}]
            verbs: [get]
        """);

    private async Task<PermissionSetState> CommittedAsync(string name, Func<PermissionSetState, bool> holds, string what) =>
        (await _bed.Commits.UntilAsync(Subjects.PermissionSet, $"{Ns}/{name}", holds, what)).As<PermissionSetState>();
}
