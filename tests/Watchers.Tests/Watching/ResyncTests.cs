using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Watching;

/// <summary>What a server never sent is found by a list, and what a server that lags shows is not believed.</summary>
public sealed class ResyncTests
{
    private const string List = "GET " + Widgets.All + "?limit=500";

    /// <summary>Shorter than a watch may be silent, and longer than a request may take, so that the waits can be told apart.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_the_server_never_sent_is_found_and_nothing_else_is_told_again()
    {
        await using var watch = await SyncedAsync("7", "changed", "gone", "same");
        await ResyncAsync(watch);
        await (await watch.NextAsync(List)).AnswerAsync(
            200, Widgets.List("9", "", Widgets.One("changed", "8"), Widgets.One("made", "9"), Widgets.One("same")));

        await watch.ExpectAsync("Present ns/changed@9", "Present ns/made@9", "Gone ns/gone", "Bookmark 9");
        await watch.NextAsync("resourceVersion=9");
    }

    [Fact]
    public async Task An_object_that_was_replaced_unnoticed_is_told_as_gone_and_there()
    {
        await using var watch = await SyncedAsync("7", "a");
        await ResyncAsync(watch);
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a", "9", "another-uid")));

        var gone = (await watch.ReadAsync(), await watch.ReadAsync());
        Assert.Equal((WatchEventType.Gone, "a-uid"), (gone.Item1.Type, gone.Item1.Uid));
        Assert.Equal((WatchEventType.Present, "another-uid"), (gone.Item2.Type, gone.Item2.Uid));
    }

    [Fact]
    public async Task A_list_that_is_older_than_what_was_seen_changes_nothing_and_the_watch_goes_on()
    {
        await using var watch = await SyncedAsync("7", "kept");
        await watch.Stream.SendAsync(Widgets.Event("ADDED", Widgets.One("made", "8")) + Widgets.Event("DELETED", Widgets.One("gone", "9")));
        await watch.ExpectAsync("Present ns/made@8", "Gone ns/gone@9");
        await ResyncAsync(watch);
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("7", "", Widgets.One("kept"), Widgets.One("gone")));

        var stream = await watch.NextAsync("resourceVersion=9"); // from where it was
        await stream.OpenAsync();
        await stream.SendAsync(Widgets.Event("MODIFIED", Widgets.One("made", "10")));
        await watch.ExpectAsync("Present ns/made@10");

        await watch.BackoffAsync(0);
        watch.Time.Advance(TimeSpan.FromSeconds(1));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("10", "", Widgets.One("kept"), Widgets.One("made", "10")));
        await watch.ExpectAsync("Bookmark 10");
    }

    [Fact]
    public async Task After_410_a_list_that_is_older_than_what_was_seen_is_not_believed_either()
    {
        await using var watch = await SyncedAsync("7", "kept");
        await watch.Stream.SendAsync(Widgets.Event("ADDED", Widgets.One("made", "8")) + Fixture.Text("watch-too-old.jsonl"));
        await watch.ExpectAsync("Present ns/made@8");
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("7", "", Widgets.One("kept")));

        var interrupted = await watch.ExpectAsync("Interrupted");
        Assert.Contains("expected the state of resource version 8 or a newer one, found that of 7", interrupted.Fault, StringComparison.Ordinal);
        await watch.BackoffAsync(0);
        watch.Time.Advance(TimeSpan.FromSeconds(1));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("8", "", Widgets.One("kept"), Widgets.One("made", "8")));
        await watch.ExpectAsync("Present ns/kept", "Present ns/made@8", "Synced 8");
    }

    [Fact]
    public async Task A_cluster_that_stays_behind_was_restored_and_what_it_shows_is_the_truth()
    {
        await using var watch = await Watching.SyncedAsync(
            "7", options => (options.ResyncEvery, options.StalePatience) = (Every, TimeSpan.FromSeconds(1)), "kept", "lost");
        await ResyncAsync(watch);
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("3", "", Widgets.One("kept")));
        await (await watch.NextAsync("resourceVersion=7")).OpenAsync();
        await watch.BackoffAsync(0);
        watch.Time.Advance(TimeSpan.FromSeconds(1));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("3", "", Widgets.One("kept")));

        await watch.ExpectAsync("Present ns/kept", "Gone ns/lost", "Synced 3");
        var stream = await watch.NextAsync("resourceVersion=3");
        await stream.OpenAsync();
        await stream.SendAsync(Widgets.Event("MODIFIED", Widgets.One("kept", "4")));
        await watch.ExpectAsync("Present ns/kept@4");
    }

    [Fact]
    public async Task A_place_that_a_lagging_server_has_not_reached_is_kept_until_it_has()
    {
        var known = new Dictionary<ObjectKey, string> { [Widgets.Key("c")] = "c-uid" };
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, ResourceVersion: "70", Known: known));
        await (await watch.NextAsync("GET " + Widgets.All + "?limit=1")).AnswerAsync(200, Widgets.List("9", ""));
        await watch.ExpectAsync("Interrupted");
        await watch.BackoffAsync(0);
        watch.Time.Advance(TimeSpan.FromSeconds(1));
        await (await watch.NextAsync("GET " + Widgets.All + "?limit=1")).AnswerAsync(200, Widgets.List("71", ""));

        await (await watch.NextAsync("resourceVersion=70")).OpenAsync();
        await watch.ExpectAsync("Synced 70");
    }

    [Fact]
    public async Task An_object_does_not_go_back_to_a_state_before_the_one_that_was_told()
    {
        await using var watch = await SyncedAsync("7");
        await watch.Stream.SendAsync(
            Widgets.Event("ADDED", Widgets.One("a", "9", "second")) + Widgets.Event("DELETED", Widgets.One("a", "8", "first"))
            + Widgets.Event("ADDED", Widgets.One("a", "5", "first")) + Widgets.Event("ADDED", Widgets.One("b", "10")));

        await watch.ExpectAsync("Present ns/a@9", "Present ns/b@10");
    }

    [Fact]
    public async Task Who_catches_up_does_not_believe_a_list_that_is_older_than_what_he_was_told()
    {
        var known = new Dictionary<ObjectKey, string> { [Widgets.Key("a")] = "a-uid" };
        await using var watch = await Watching.BeginAsync(new WatchRequest(Widgets.Kind, ResourceVersion: "70", Known: known, CatchUp: true));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "")); // the object is not there yet
        await watch.ExpectAsync("Interrupted");
        await watch.BackoffAsync(0);
        watch.Time.Advance(TimeSpan.FromSeconds(1));
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("71", "", Widgets.One("a", "60")));

        await watch.ExpectAsync("Synced 71");
    }

    [Fact]
    public async Task What_was_taken_on_trust_when_catching_up_is_told_by_the_first_resync()
    {
        var known = new Dictionary<ObjectKey, string> { [Widgets.Key("a")] = "a-uid" };
        await using var watch = await Watching.BeginAsync(
            new WatchRequest(Widgets.Kind, ResourceVersion: "7", Known: known, CatchUp: true), options => options.ResyncEvery = Every);
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a", "5")));
        await (await watch.NextAsync("resourceVersion=9")).OpenAsync();
        await watch.ExpectAsync("Synced 9");
        await watch.Time.ArmedAsync(TimeSpan.FromSeconds(90)); // the client waits for the first line
        await ResyncAsync(watch);
        await (await watch.NextAsync(List)).AnswerAsync(200, Widgets.List("9", "", Widgets.One("a", "5")));

        await watch.ExpectAsync("Present ns/a", "Bookmark 9");
    }

    private static Task<Watching> SyncedAsync(string version, params string[] names) =>
        Watching.SyncedAsync(version, options => options.ResyncEvery = Every, names);

    private static async Task ResyncAsync(Watching watch)
    {
        await watch.Time.ArmedAsync(Every * 0.75, Every);
        watch.Time.Advance(Every);
    }
}
