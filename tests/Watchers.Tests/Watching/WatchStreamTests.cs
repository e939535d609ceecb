using System.Text;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Watching;

public sealed class WatchStreamTests
{
    private const string Watch = "GET " + Widgets.All + "?watch=true&allowWatchBookmarks=true&resourceVersion=";
    private const string List = "GET " + Widgets.All + "?limit=500";

    [Fact]
    public async Task What_exists_is_listed_then_what_changes_is_watched()
    {
        await using var watch = await Watching.BeginAsync();
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("508", "", Widgets.One("one"), Widgets.One("two")));
        var stream = await watch.NextAsync(Watch + "508&timeoutSeconds=300");
        await stream.OpenAsync();
        await stream.SendAsync(Fixture.Text("watch-from-list.jsonl"));

        await watch.ExpectAsync("Present ns/one", "Present ns/two", "Synced 508");
        await watch.ExpectAsync("Present fx-watch/three@509", "Present fx-watch/three@510", "Present fx-watch/three@511", "Present fx-watch/three@512");
        var gone = await watch.ReadAsync();
        Assert.Equal(("Gone", "513", "7905fede-cd98-4529-80a8-171ec214f5d9"), (gone.Type.ToString(), gone.ResourceVersion, gone.Uid));
        Assert.Equal("b", gone.Object!.Annotations["a"]);
    }

    [Fact]
    public async Task Pages_are_told_as_they_come_and_synced_when_all_have_come()
    {
        await using var watch = await Watching.BeginAsync();
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("5", "t", Widgets.One("a")));
        await watch.ExpectAsync("Present ns/a");
        await (await watch.NextAsync(List + "&continue=t")).AnswerAsync(200, Widgets.List("5", "", Widgets.One("b")));
        await watch.ExpectAsync("Present ns/b", "Synced 5");
    }

    [Fact]
    public async Task A_list_that_expires_begins_anew_and_nothing_of_it_is_forgotten()
    {
        await using var watch = await Watching.BeginAsync();
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("5", "t", Widgets.One("a")));
        await (await watch.NextAsync("continue=t")).AnswerAsync(410, Fixture.Text("list-expired-continue.json"));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("b")));

        await watch.ExpectAsync("Present ns/a", "Present ns/b", "Gone ns/a", "Synced 9");
    }

    [Fact]
    public async Task What_the_reader_knew_and_the_list_lacks_is_gone()
    {
        var known = new Dictionary<ObjectKey, string> { [Widgets.Key("a")] = "a-uid", [Widgets.Key("b")] = "old", [Widgets.Key("c")] = "c-uid" };
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, Known: known));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("5", "", Widgets.One("a"), Widgets.One("b", uid: "new")));

        await watch.ExpectAsync("Present ns/a", "Gone ns/b", "Present ns/b");
        var gone = await watch.ReadAsync();
        Assert.Equal((WatchEventType.Gone, Widgets.Key("c"), "c-uid"), (gone.Type, gone.Key, gone.Uid));
        await watch.ExpectAsync("Synced 5");
    }

    [Fact]
    public async Task A_watch_that_ended_goes_on_from_its_last_bookmark()
    {
        await using var watch = await Watching.SyncedAsync("522");
        await watch.Stream.SendAsync(Fixture.Text("watch-bookmarks.jsonl"));
        await watch.Stream.SendAsync(Fixture.Text("watch-bookmarks-deployment.jsonl")); // what a bookmark carries besides differs by kind
        await watch.ExpectAsync("Bookmark 523", "Bookmark 523", "Bookmark 525", "Bookmark 526");
        watch.Stream.End();

        await watch.NextAsync(Watch + "526");
    }

    [Fact]
    public async Task A_watch_that_is_too_old_lists_again_with_tombstones()
    {
        await using var watch = await Watching.SyncedAsync("5", "a", "b");
        await watch.Stream.SendAsync(Fixture.Text("watch-too-old.jsonl"));

        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("b")));
        await watch.ExpectAsync("Present ns/b", "Gone ns/a", "Synced 9");
        await watch.NextAsync(Watch + "9");
    }

    [Fact]
    public async Task An_object_deleted_in_the_stream_is_not_gone_twice()
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        await watch.Stream.SendAsync(Widgets.Event("DELETED", Widgets.One("a", "6")));
        await watch.ExpectAsync("Gone ns/a");
        await watch.Stream.SendAsync(Fixture.Text("watch-too-old.jsonl"));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", ""));

        await watch.ExpectAsync("Synced 9");
    }

    [Fact]
    public async Task A_given_resource_version_is_resumed_without_a_list_of_everything()
    {
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, ResourceVersion: "7"));
        await (await watch.NextAsync("GET " + Widgets.All + "?limit=1")).AnswerAsync(200, Widgets.List("9", "t", Widgets.One("a")));
        var stream = await watch.NextAsync(Watch + "7");
        await stream.OpenAsync();
        await stream.SendAsync(Widgets.Event("MODIFIED", Widgets.One("a", "8")));

        await watch.ExpectAsync("Synced 7", "Present ns/a@8");
    }

    [Theory]
    [InlineData("70")]
    [InlineData("abc")]
    public async Task A_resource_version_that_the_server_has_not_reached_is_not_waited_for(string version)
    {
        var known = new Dictionary<ObjectKey, string> { [Widgets.Key("c")] = "c-uid" };
        await using var watch = await Watching.BeginAsync(
            new WatchRequest(Widgets.Kind, ResourceVersion: version, Known: known), options => options.StalePatience = TimeSpan.Zero);
        await (await watch.NextAsync("GET " + Widgets.All + "?limit=1")).AnswerAsync(200, Widgets.List("9", ""));

        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a")));
        await watch.ExpectAsync("Present ns/a", "Gone ns/c", "Synced 9");
    }

    [Fact]
    public async Task A_server_that_restarts_under_the_watch_is_resumed()
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        watch.Time.Advance(TimeSpan.FromMinutes(1));
        watch.Stream.Cut();
        await (await watch.NextAsync("GET " + Widgets.All + "?limit=1")).AnswerAsync(200, Widgets.List("5", ""));
        var stream = await watch.NextAsync(Watch + "5");
        await stream.OpenAsync();
        await stream.SendAsync(Widgets.Event("MODIFIED", Widgets.One("a", "6")));

        await watch.ExpectAsync("Present ns/a@6");
    }

    [Fact]
    public async Task While_the_server_is_away_the_reader_knows_and_is_told_once_when_it_is_back()
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        watch.Time.Advance(TimeSpan.FromMinutes(1));
        watch.Stream.Cut();
        await (await watch.NextAsync("limit=1")).AnswerAsync(500, "down");
        await watch.ExpectAsync("Interrupted");
        watch.Time.Advance(await watch.BackoffAsync(0));
        await (await watch.NextAsync("limit=1")).AnswerAsync(500, "down");
        watch.Time.Advance(await watch.BackoffAsync(1));
        await (await watch.NextAsync("limit=1")).AnswerAsync(200, Widgets.List("5", ""));
        await (await watch.NextAsync(Watch + "5")).OpenAsync();

        await watch.ExpectAsync("Synced 5");
    }

    [Fact]
    public async Task A_stream_that_waits_is_woken_when_somebody_else_finds_the_cluster_back()
    {
        await using var watch = await Watching.SyncedAsync("5", o => o.FailureThreshold = 1, "a");
        await watch.Stream.SendAsync(Widgets.Bookmark("6"));
        await watch.ExpectAsync("Bookmark 6");
        var sentBefore = watch.Cluster.GetAsync(Widgets.Kind, Widgets.Key("a"), default);
        var asked = await watch.NextAsync(Widgets.Path("ns", "a"));
        watch.Stream.Cut();
        (await watch.NextAsync("limit=1")).Cut();
        await watch.ExpectAsync("Interrupted");
        await watch.BackoffAsync(0);
        Assert.Equal("Unreachable", (await Assert.ThrowsAsync<KubernetesException>(() => watch.Cluster.ProbeAsync(default))).Reason);

        await asked.AnswerAsync(200, Widgets.One("a")); // any answer says that the cluster is there
        await sentBefore.Within();

        await (await watch.NextAsync("limit=1")).AnswerAsync(200, Widgets.List("6", ""));
        await (await watch.NextAsync(Watch + "6")).OpenAsync();
        await watch.ExpectAsync("Synced 6");
    }

    [Fact]
    public async Task A_silent_watch_is_opened_anew()
    {
        await using var watch = await Watching.SyncedAsync("5");
        await watch.Stream.SendAsync(Widgets.Bookmark("6"));
        await watch.ExpectAsync("Bookmark 6");
        var next = watch.ReadAsync();
        await watch.Time.ArmedAsync(TimeSpan.FromSeconds(90));

        watch.Time.Advance(TimeSpan.FromSeconds(90));

        await watch.Stream.Gone.Within();
        await (await watch.NextAsync("limit=1")).AnswerAsync(200, Widgets.List("6", ""));
        var stream = await watch.NextAsync(Watch + "6");
        await stream.OpenAsync();
        await stream.SendAsync(Widgets.Bookmark("7"));
        Assert.Equal("7", (await next.Within()).ResourceVersion);
    }

    [Theory]
    [InlineData("{\"type\":\"ADDED\",\"obj\n")]
    [InlineData("null\n")]
    [InlineData("{\"type\":\"ADDED\"}\n")]
    [InlineData("{\"type\":\"ADDED\",\"object\":[]}\n")]
    [InlineData("{\"type\":\"RENAMED\",\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"6\"}}}\n")]
    [InlineData("{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n")]
    [InlineData("{\"type\":\"ERROR\",\"object\":null}\n")]
    public async Task A_line_that_cannot_be_understood_interrupts_and_everything_is_listed(string line)
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        await watch.Stream.SendAsync(line);

        await watch.ExpectAsync("Interrupted");
        watch.Time.Advance(await watch.BackoffAsync(0));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", ""));
        await watch.ExpectAsync("Gone ns/a", "Synced 9");
    }

    [Fact]
    public async Task Invalid_UTF8_interrupts()
    {
        await using var watch = await Watching.SyncedAsync("5");
        var bytes = Encoding.UTF8.GetBytes(Widgets.Event("ADDED", Widgets.One("a", extra: ""","spec":"?" """)));
        bytes[Array.LastIndexOf(bytes, (byte)'?')] = 0xff;
        await watch.Stream.SendBytesAsync(bytes);

        Assert.Contains("expected UTF-8", (await watch.ExpectAsync("Interrupted")).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_beyond_the_bound_interrupts()
    {
        await using var watch = await Watching.SyncedAsync("5", o => o.MaxWatchLineBytes = 64 * 1024);
        await watch.Stream.SendAsync(Widgets.Event("ADDED", Widgets.One("fits", extra: $",\"spec\":\"{new string('x', 60_000)}\"")));
        await watch.ExpectAsync("Present ns/fits");
        await watch.Stream.SendAsync("{\"type\":\"ADDED\",\"object\":{\"spec\":\"" + new string('x', 200_000));

        Assert.Contains("at most 65536 bytes", (await watch.ExpectAsync("Interrupted")).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_unreadable_object_does_not_blind_the_watch_for_the_others()
    {
        await using var watch = await Watching.SyncedAsync("5", "hostile");
        var deep = string.Concat(Enumerable.Repeat("[", 5_000)) + string.Concat(Enumerable.Repeat("]", 5_000));
        await watch.Stream.SendAsync(Widgets.Event("MODIFIED", Widgets.One("hostile", "6", extra: $",\"spec\":{deep}")));
        await watch.Stream.SendAsync(Widgets.Event("ADDED", Widgets.One("twice", "7", extra: ",\"spec\":{\"x\":1,\"x\":2}")));
        await watch.Stream.SendAsync(Widgets.Event("ADDED", Widgets.One("good", "8")));

        Assert.Equal(Widgets.Key("hostile"), (await watch.ExpectAsync("Interrupted")).Key);
        Assert.Equal(Widgets.Key("twice"), (await watch.ExpectAsync("Interrupted")).Key);
        await watch.ExpectAsync("Present ns/good");

        await watch.Stream.SendAsync(Fixture.Text("watch-too-old.jsonl"));
        await (await watch.NextAsync(List)).AnswerAsync(
            200, Widgets.List("9", "", Widgets.One("hostile", "6", extra: $",\"spec\":{deep}"), Widgets.One("good", "8")));
        await watch.ExpectAsync("Interrupted", "Present ns/good", "Gone ns/twice", "Synced 9"); // the hostile object exists: no tombstone
    }

    [Fact]
    public async Task Events_are_cut_by_lines_whatever_the_frames_are()
    {
        await using var watch = await Watching.SyncedAsync("5");
        var all = string.Concat(Enumerable.Range(6, 5).Select(v => Widgets.Event("MODIFIED", Widgets.One("a", $"{v}")))) + "\n\r\n" + Widgets.Bookmark("11");
        foreach (var part in all.Chunk(7))
            await watch.Stream.SendAsync(new string(part));

        await watch.ExpectAsync(
            "Present ns/a@6", "Present ns/a@7", "Present ns/a@8", "Present ns/a@9", "Present ns/a@10", "Bookmark 11");
    }

    [Fact]
    public async Task A_kind_that_is_not_served_is_waited_for_and_found_when_it_appears()
    {
        await using var watch = await Watching.BeginAsync(served: false);
        Assert.Contains("not served", (await watch.ExpectAsync("Interrupted")).Fault, StringComparison.Ordinal);
        watch.Time.Advance(await watch.BackoffAsync(0));
        await watch.BackoffAsync(1); // looked again in vain, and said nothing new

        watch.Server.ServesWidgets();
        await watch.Cluster.DiscoverAsync(Widgets.Kind, default); // somebody else finds it: that is enough

        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("5", "", Widgets.One("a")));
        await watch.ExpectAsync("Present ns/a", "Synced 5");
    }

    [Fact]
    public async Task A_kind_that_vanishes_is_noticed_and_its_objects_are_gone_when_it_returns_without_them()
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        watch.Time.Advance(TimeSpan.FromMinutes(1));
        watch.Server.Always("/apis/fixtures.governor.dev/v1", 404, Fixture.Text("plain-404.txt"));
        watch.Stream.End();
        await (await watch.NextAsync(Watch + "5")).AnswerAsync(404, Fixture.Text("plain-404.txt"));
        await watch.ExpectAsync("Interrupted");
        watch.Time.Advance(await watch.BackoffAsync(0));
        await watch.ExpectAsync("Interrupted"); // another cause: discovery says so too
        watch.Server.ServesWidgets();
        watch.Time.Advance(await watch.BackoffAsync(1));

        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", ""));
        await watch.ExpectAsync("Gone ns/a", "Synced 9");
    }

    [Fact]
    public async Task A_kind_that_lost_its_definition_takes_its_objects_along()
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        watch.Time.Advance(TimeSpan.FromMinutes(1));
        watch.Server.Always("/apis/fixtures.governor.dev/v1", 404, Fixture.Text("plain-404.txt")).Defines(false);
        watch.Stream.End();
        await (await watch.NextAsync(Watch + "5")).AnswerAsync(404, Fixture.Text("plain-404.txt"));

        await watch.ExpectAsync("Interrupted", "Gone ns/a", "Synced ");
        watch.Server.ServesWidgets();
        await watch.Cluster.DiscoverAsync(Widgets.Kind, default);
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a", "8")));
        await watch.ExpectAsync("Present ns/a", "Synced 9");
    }

    [Theory]
    [InlineData("/apis/apiextensions.k8s.io/v1", 404)]
    [InlineData(Widgets.Definitions, 403)]
    [InlineData(Widgets.Definitions, 500)]
    public async Task Who_cannot_say_whether_there_is_a_definition_takes_nothing_along(string path, int code)
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        watch.Time.Advance(TimeSpan.FromMinutes(1));
        watch.Server.Always("/apis/fixtures.governor.dev/v1", 404, Fixture.Text("plain-404.txt")).Always(path, code, "no");
        watch.Stream.End();
        await (await watch.NextAsync(Watch + "5")).AnswerAsync(404, Fixture.Text("plain-404.txt"));
        await watch.ExpectAsync("Interrupted");
        watch.Time.Advance(await watch.BackoffAsync(0));
        await watch.ExpectAsync("Interrupted"); // another cause: discovery says so too
        watch.Server.ServesWidgets();
        watch.Time.Advance(await watch.BackoffAsync(1));

        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a", "8")));
        await watch.ExpectAsync("Present ns/a", "Synced 9");
    }

    [Fact]
    public async Task Who_catches_up_is_told_of_a_list_only_what_he_has_not_been_told()
    {
        var known = new Dictionary<ObjectKey, string>
        {
            [Widgets.Key("old")] = "old-uid", [Widgets.Key("changed")] = "", [Widgets.Key("again")] = "first-uid", [Widgets.Key("gone")] = "gone-uid",
        };
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, ResourceVersion: "7", Known: known, CatchUp: true));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List(
            "9", "", Widgets.One("old", "7"), Widgets.One("changed", "8"), Widgets.One("again", "5", "second-uid"), Widgets.One("unknown", "3")));

        await watch.ExpectAsync("Present ns/changed", "Gone ns/again", "Present ns/again", "Present ns/unknown", "Gone ns/gone", "Synced 9");
        var stream = await watch.NextAsync(Watch + "9");
        await stream.OpenAsync();
        await stream.SendAsync(Widgets.Event("MODIFIED", Widgets.One("old", "10")));
        await watch.ExpectAsync("Present ns/old@10");
    }

    [Theory]
    [InlineData("70")]
    [InlineData("abc")]
    public async Task Who_was_told_more_than_the_server_knows_is_told_everything(string version)
    {
        var known = new Dictionary<ObjectKey, string> { [Widgets.Key("a")] = "a-uid" };
        await using var watch = await Watching.BeginAsync(
            new WatchRequest(Widgets.Kind, ResourceVersion: version, Known: known, CatchUp: true), options => options.StalePatience = TimeSpan.Zero);
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a", "7")));

        await watch.ExpectAsync("Present ns/a", "Synced 9");
    }

    [Fact]
    public async Task Who_catches_up_after_a_fault_gets_a_list_and_knows_when_he_has()
    {
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, CatchUp: true));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("5", "", Widgets.One("a"), Widgets.One("b")));
        var stream = await watch.NextAsync(Watch + "5");
        await stream.OpenAsync();
        await watch.ExpectAsync("Present ns/a", "Present ns/b", "Synced 5");
        await watch.Time.ArmedAsync(TimeSpan.FromSeconds(90));
        watch.Time.Advance(TimeSpan.FromMinutes(1));
        stream.Cut();
        await (await watch.NextAsync("limit=1")).AnswerAsync(500, "down");
        await watch.ExpectAsync("Interrupted");
        watch.Time.Advance(await watch.BackoffAsync(0));

        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a"), Widgets.One("c", "8")));
        await watch.ExpectAsync("Present ns/c", "Gone ns/b", "Synced 9");
    }

    [Fact]
    public async Task Objects_are_selected_by_their_labels()
    {
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, LabelSelector: "a=b"));
        await (await watch.NextAsync("labelSelector=a%3Db")).AnswerAsync(200, Widgets.List("5", ""));
        await watch.NextAsync("labelSelector=a%3Db");
        await watch.ExpectAsync("Synced 5");
    }

    [Fact]
    public async Task One_object_is_watched_through_its_collection()
    {
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, "ns", "a"));
        await (await watch.NextAsync("/namespaces/ns/widgets?limit=500&fieldSelector=metadata.name%3Da")).AnswerAsync(200, Widgets.List("5", ""));

        await watch.NextAsync("&fieldSelector=metadata.name%3Da");
    }

    [Fact]
    public async Task Another_kubeconfig_ends_the_watch_and_leads_it_nowhere_else()
    {
        await using var watch = await Watching.SyncedAsync("5", "a");
        watch.ReplaceKubeconfig();

        await watch.Stream.Gone.Within();
        Assert.Equal("Replaced", (await watch.EndAsync<KubernetesException>()).Reason);
        Assert.True(watch.Server.HasNoMoreRequests);
    }

    [Fact]
    public async Task A_watch_that_ends_at_once_again_and_again_is_not_opened_in_a_tight_loop()
    {
        await using var watch = await Watching.SyncedAsync("5");
        watch.Stream.End();

        var pause = await watch.BackoffAsync(0);
        Assert.True(watch.Server.HasNoMoreRequests);
        watch.Time.Advance(pause);
        await watch.NextAsync(Watch + "5");
    }

    [Fact]
    public async Task A_reader_that_stops_reading_closes_the_watch()
    {
        var watch = await Watching.SyncedAsync("5");
        var gone = watch.Stream.Gone;
        await watch.StopReadingAsync();

        await gone.Within();
        await watch.DisposeAsync();
    }
}
