using System.Globalization;
using Governor.Client.Tests.Support;

namespace Governor.Client.Tests;

/// <summary>What a watch promises, looked at line by line. What the product makes of it is in <see cref="StreamTests"/>.</summary>
[Collection(Server.Name)]
public sealed class WatchTests(Target target)
{
    [ReliesOn("list, then watch from its resourceVersion: nothing is missed and nothing doubled")]
    public async Task Every_change_after_the_list_comes_once_and_in_order()
    {
        var name = target.NewName();
        var list = await target.Wire.GetAsync(target.Gears);
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&{Only(name)}");

        var made = await target.MakeAsync(name);
        var changed = await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":4}}""");
        var status = await target.Wire.MergeAsync($"{target.Gears}/{name}/status", """{"status":{"phase":"Turning"}}""");
        await target.Wire.DeleteAsync($"{target.Gears}/{name}");

        await ExpectAsync(watch, "ADDED", made.Version);
        await ExpectAsync(watch, "MODIFIED", changed.Version);
        await ExpectAsync(watch, "MODIFIED", status.Version);
        var gone = await watch.EventAsync();
        Assert.Equal(("DELETED", name, "Turning"), (gone.Type, gone.Object.Name, gone.Object.Find("status", "phase")));
        Assert.True(Number(gone.Object.Version) > Number(status.Version)); // of the deletion, not of the last state
    }

    [ReliesOn("a watch loses nothing, however many write")]
    public async Task Of_concurrent_writers_no_write_is_lost_and_versions_only_rise()
    {
        const int writers = 6, writes = 12;
        var label = target.NewName("many");
        var list = await target.Wire.GetAsync($"{target.Gears}?labelSelector=set%3D{label}");
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?labelSelector=set%3D{label}&resourceVersion={list.Version}");

        var written = await Task.WhenAll(Enumerable.Range(0, writers).Select(WriteAsync));

        var expected = written.SelectMany(versions => versions).ToHashSet();
        var last = Number(list.Version);
        while (expected.Count > 0)
        {
            var next = await watch.EventAsync();
            Assert.True(Number(next.Object.Version) > last, $"{next} came with {next.Object.Version} after {last}");
            Assert.True(expected.Remove(next.Object.Version), $"{next} at {next.Object.Version} is nobody's write");
            last = Number(next.Object.Version);
        }

        async Task<List<string>> WriteAsync(int writer)
        {
            var name = $"{label}-{writer}";
            var versions = new List<string> { (await target.MakeAsync(name, metadata: $"\"labels\":{{\"set\":\"{label}\"}}")).Version };
            for (var write = 1; write < writes; write++)
            {
                var patched = await target.Wire.MergeAsync($"{target.Gears}/{name}", $$$$"""{"spec":{"free":{"n":{{{{write}}}}}}}""");
                Assert.True(patched.Code == 200, patched.ToString());
                versions.Add(patched.Version);
            }
            return versions;
        }
    }

    [ReliesOn("a watch from an older resourceVersion replays what has happened since")]
    public async Task What_happened_meanwhile_is_replayed_one_by_one()
    {
        var name = target.NewName();
        var list = await target.Wire.GetAsync(target.Gears);
        var made = await target.MakeAsync(name);
        var changed = await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":4}}""");
        var again = await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":5}}""");

        using (var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&{Only(name)}"))
        {
            await ExpectAsync(watch, "ADDED", made.Version);
            await ExpectAsync(watch, "MODIFIED", changed.Version);
            await ExpectAsync(watch, "MODIFIED", again.Version);
        }
        using var resumed = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={changed.Version}&{Only(name)}");
        await ExpectAsync(resumed, "MODIFIED", again.Version);
    }

    [ReliesOn("allowWatchBookmarks: a place to resume from before the server ends the watch")]
    public async Task A_bookmark_comes_before_the_end()
    {
        var name = target.NewName();
        var list = await target.Wire.GetAsync(target.Gears);
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&allowWatchBookmarks=true&timeoutSeconds=8&labelSelector=nothing%3Dat-all");
        var made = await target.MakeAsync(name);

        var bookmarks = new List<WatchLine>();
        while (await watch.NextAsync() is { } next)
            bookmarks.Add(next);

        Assert.NotEmpty(bookmarks);
        Assert.All(bookmarks, line => Assert.Equal(("BOOKMARK", "Gear", ""), (line.Type, line.Object.Kind, line.Object.Name)));
        Assert.True(Number(bookmarks[^1].Object.Version) >= Number(made.Version));
    }

    [ReliesOn("timeoutSeconds: the stream ends in good order")]
    public async Task A_watch_that_has_lasted_as_long_as_asked_ends_without_an_event()
    {
        var list = await target.Wire.GetAsync(target.Gears);
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&timeoutSeconds=1&{Only(target.NewName())}");

        Assert.Null(await watch.NextAsync());
    }

    [ReliesOn("410 Gone as an ERROR event: too old a resourceVersion")]
    public async Task A_place_that_is_too_old_is_an_error_event()
    {
        await target.MakeAsync(target.NewName());
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion=1");

        var refusal = await watch.EventAsync();

        Assert.Equal(("ERROR", "Status"), (refusal.Type, refusal.Object.Kind));
        Assert.Equal(410, refusal.Object.At("code")!.GetValue<int>());
        Assert.Contains(refusal.Object.Reason, (string[])["Expired", "Gone"]);
        Assert.Null(await watch.NextAsync());
    }

    [ReliesOn("a watch by label: what enters the selection is ADDED, what leaves it DELETED")]
    public async Task Entering_and_leaving_a_selection_are_events()
    {
        var (name, label) = (target.NewName(), target.NewName("in"));
        await target.MakeAsync(name);
        var list = await target.Wire.GetAsync(target.Gears);
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&labelSelector=set%3D{label}");

        var entered = await target.Wire.MergeAsync($"{target.Gears}/{name}", $$$$"""{"metadata":{"labels":{"set":"{{{{label}}}}"}}}""");
        var changed = await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":4}}""");
        var left = await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"metadata":{"labels":{"set":null}}}""");
        await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":5}}""");
        var back = await target.Wire.MergeAsync($"{target.Gears}/{name}", $$$$"""{"metadata":{"labels":{"set":"{{{{label}}}}"}}}""");

        await ExpectAsync(watch, "ADDED", entered.Version);
        await ExpectAsync(watch, "MODIFIED", changed.Version);
        await ExpectAsync(watch, "DELETED", left.Version);
        await ExpectAsync(watch, "ADDED", back.Version);
    }

    [ReliesOn("a watch of one object: fieldSelector metadata.name")]
    public async Task One_object_is_watched_by_its_name()
    {
        var (name, other) = (target.NewName(), target.NewName());
        var list = await target.Wire.GetAsync(target.Gears);
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&{Only(name)}");
        await target.MakeAsync(other);
        var made = await target.MakeAsync(name);

        await ExpectAsync(watch, "ADDED", made.Version);
    }

    [ReliesOn("no event without a change")]
    public async Task Writes_that_change_nothing_are_not_seen()
    {
        var name = target.NewName();
        var made = await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", target.GearJson(name));
        var list = await target.Wire.GetAsync(target.Gears);
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&{Only(name)}");

        await target.Wire.ApplyAsync($"{target.Gears}/{name}", "one", target.GearJson(name));
        await target.Wire.PutAsync($"{target.Gears}/{name}", made.Json);
        await target.Wire.MergeAsync($"{target.Gears}/{name}?dryRun=All", """{"spec":{"size":9}}""");
        var changed = await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"spec":{"size":4}}""");

        await ExpectAsync(watch, "MODIFIED", changed.Version);
    }

    [ReliesOn("a deletion with finalizers: MODIFIED when it begins, DELETED when the last has gone")]
    public async Task The_two_steps_of_a_deletion_are_seen()
    {
        var name = target.NewName();
        await target.MakeAsync(name, metadata: "\"finalizers\":[\"conformance.governor.dev/a\"]");
        var list = await target.Wire.GetAsync(target.Gears);
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?resourceVersion={list.Version}&{Only(name)}");

        await target.Wire.DeleteAsync($"{target.Gears}/{name}");
        await target.Wire.MergeAsync($"{target.Gears}/{name}", """{"metadata":{"finalizers":null}}""");

        var marked = await watch.EventAsync();
        Assert.Equal(("MODIFIED", true), (marked.Type, marked.Object.IsBeingDeleted));
        Assert.Equal("DELETED", (await watch.EventAsync()).Type);
    }

    [ReliesOn("watch without a resourceVersion: begins with what there is")]
    public async Task A_watch_from_nowhere_begins_with_everything()
    {
        var label = target.NewName("all");
        foreach (var name in (string[])["a", "b"])
            await target.MakeAsync($"{label}-{name}", metadata: $"\"labels\":{{\"set\":\"{label}\"}}");
        using var watch = await target.Wire.WatchAsync($"{target.Gears}?labelSelector=set%3D{label}");

        string[] seen = [(await watch.EventAsync()).ToString(), (await watch.EventAsync()).ToString()];
        Assert.Equal([$"ADDED {label}-a", $"ADDED {label}-b"], seen.Order(StringComparer.Ordinal));
    }

    [ReliesOn("a watch of a built-in kind")]
    public async Task ConfigMaps_are_watched_too()
    {
        var name = target.NewName();
        var list = await target.Wire.GetAsync(target.ConfigMaps);
        using var watch = await target.Wire.WatchAsync($"{target.ConfigMaps}?resourceVersion={list.Version}&{Only(name)}");
        var made = await target.Wire.PostAsync(target.ConfigMaps, Target.ConfigMapJson(name));

        var seen = await watch.EventAsync();
        Assert.Equal(("ADDED", "ConfigMap", "v1", made.Version), (seen.Type, seen.Object.Kind, seen.Object.Find("apiVersion"), seen.Object.Version));
    }

    /// <summary>What the controllers of a real cluster still do to the objects of other tests is not looked at.</summary>
    private static string Only(string name) => $"fieldSelector=metadata.name%3D{name}";

    private static async Task ExpectAsync(WatchReader watch, string type, string version)
    {
        var seen = await watch.EventAsync();
        Assert.Equal((type, version), (seen.Type, seen.Object.Version));
    }

    private static ulong Number(string version) => ulong.Parse(version, CultureInfo.InvariantCulture);
}
