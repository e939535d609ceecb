using System.Text.Json.Nodes;
using Governor.Client.Tests.Support;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Client.Tests;

/// <summary>The product's own stream of a kind, over whatever the server does to its watches.</summary>
[Collection(Server.Name)]
public sealed class StreamTests(Target target)
{
    [ReliesOn("list and watch, put together by the product")]
    public async Task A_stream_tells_what_is_there_then_that_it_is_all_then_what_changes()
    {
        var (one, two) = (target.NewName(), target.NewName());
        await target.MakeAsync(one);
        await using var stream = new Stream(target, new WatchRequest(target.Gear, target.Namespace));
        await stream.UntilAsync(e => e is { Type: WatchEventType.Present } && e.Key.Name == one);
        await stream.UntilAsync(e => e.Type == WatchEventType.Synced);

        await target.MakeAsync(two);
        await target.Cluster.DeleteAsync(target.Gear, target.Key(one), (string?)null, default);

        await stream.UntilAsync(e => e is { Type: WatchEventType.Present } && e.Key.Name == two);
        await stream.UntilAsync(e => e is { Type: WatchEventType.Gone } && e.Key.Name == one);
    }

    [ReliesOn("resuming from the last resourceVersion")]
    public async Task A_stream_resumes_where_it_was()
    {
        var (before, after) = (target.NewName(), target.NewName());
        var made = await target.MakeAsync(before);
        await target.MakeAsync(after);

        await using var stream = new Stream(target, new WatchRequest(target.Gear, target.Namespace, ResourceVersion: made.Version));

        var first = await stream.UntilAsync(e => e.Type is WatchEventType.Present or WatchEventType.Gone);
        Assert.Equal(after, first.Key.Name); // and not what was there before
    }

    [ReliesOn("after 410 the product lists again and tells what has gone meanwhile")]
    public async Task A_stream_that_was_away_too_long_tells_what_has_gone()
    {
        var (gone, left) = (target.NewName(), target.NewName());
        var vanished = await target.MakeAsync(gone);
        await target.MakeAsync(left);
        await target.Cluster.DeleteAsync(target.Gear, target.Key(gone), (string?)null, default);

        await using var stream = new Stream(target, new WatchRequest(
            target.Gear, target.Namespace, ResourceVersion: "1", Known: new Dictionary<ObjectKey, string> { [target.Key(gone)] = vanished.Uid }));

        await stream.UntilAsync(e => e.Type == WatchEventType.Present && e.Key.Name == left);
        var tombstone = await stream.UntilAsync(e => e.Type == WatchEventType.Gone);
        Assert.Equal((gone, vanished.Uid), (tombstone.Key.Name, tombstone.Uid));
        await stream.UntilAsync(e => e.Type == WatchEventType.Synced);
    }

    [ReliesOn("what is at the limits comes through a watch as it was given")]
    public async Task A_stream_carries_what_is_at_the_limits_and_tells_of_what_it_cannot_read()
    {
        await using var stream = new Stream(target, new WatchRequest(target.Gear, target.Namespace));
        await stream.UntilAsync(e => e.Type == WatchEventType.Synced);
        const string key = "conformance.governor.dev/large";
        var (value, longest) = (new string('a', (256 * 1024) - key.Length), (target.NewName() + "-" + new string('n', 253))[..253]);
        await target.MakeAsync(longest, "\"size\":1,\"big\":9007199254740993", $"\"annotations\":{{\"{key}\":\"{value}\"}}");
        var seen = await stream.UntilAsync(e => e.Type == WatchEventType.Present && e.Key.Name == longest);
        Assert.Equal((value, "9007199254740993"), (seen.Object!.Annotations[key], seen.Object.Find("spec", "big").GetRawText()));

        // Deeper than we read: it is there, is not taken for absent, and stands in nobody's way.
        var (deep, after) = (target.NewName("deep"), target.NewName());
        var made = await target.MakeAsync(deep, $"\"size\":1,\"free\":{string.Concat(Enumerable.Repeat("""{"d":""", 200))}1{new string('}', 200)}");
        try
        {
            await target.MakeAsync(after);
            Assert.Equal(made.Uid, (await stream.UntilAsync(e => e.Type == WatchEventType.Interrupted && e.Key.Name == deep)).Uid);
            await stream.UntilAsync(e => e.Type == WatchEventType.Present && e.Key.Name == after);
            var refusal = await Assert.ThrowsAsync<KubernetesException>(() => target.Cluster.ListAsync(target.Gear, target.Namespace, null, default));
            Assert.Contains(deep, refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            await target.Wire.DeleteAsync($"{target.Gears}/{deep}");
        }
        Assert.Equal(made.Uid, (await stream.UntilAsync(e => e.Type == WatchEventType.Gone && e.Key.Name == deep)).Uid);
    }

    [ReliesOn("a change of the definition ends the watches of its kind")]
    public async Task A_stream_survives_a_change_of_its_definition()
    {
        var kind = target.Gear with { Kind = "Changing" };
        await target.InstallAsync(Definitions.Passing(target.Group, target.Run, "Changing"));
        await using var stream = new Stream(target, new WatchRequest(kind, target.Namespace));
        await stream.UntilAsync(e => e.Type == WatchEventType.Synced);

        var definition = $"{Target.CustomResourceDefinitions}/changings.{target.Group}";
        var changed = (await target.Wire.GetAsync(definition)).Json;
        changed["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["spec"]!["properties"]!["more"] = new JsonObject { ["type"] = "string" };
        Assert.Equal(200, (await target.Wire.PutAsync(definition, changed)).Code);
        await target.EventuallyAsync("the new field is served", async () => (await target.Wire.PostAsync(
            $"apis/{target.Group}/v1/namespaces/{target.Namespace}/changings?dryRun=All",
            $$$"""{"apiVersion":"{{{target.Group}}}/v1","kind":"Changing","metadata":{"name":"try"},"spec":{"more":"kept"}}""")).Find("spec", "more") == "kept");
        await target.Cluster.CreateAsync(KubeObject.From(JsonNode.Parse(
            $$$"""{"apiVersion":"{{{target.Group}}}/v1","kind":"Changing","metadata":{"name":"after","namespace":"{{{target.Namespace}}}"},"spec":{"more":"kept"}}""")!), default);

        var seen = await stream.UntilAsync(e => e.Type == WatchEventType.Present && e.Key.Name == "after");
        Assert.Equal("kept", seen.Object!.FindText("spec", "more"));
    }

    [ReliesOn("a kind that is missing now and comes later")]
    public async Task A_stream_waits_for_its_definition_and_notices_when_it_goes()
    {
        var kind = target.Gear with { Kind = "Later" };
        await using var stream = new Stream(target, new WatchRequest(kind, target.Namespace));
        await stream.UntilAsync(e => e.Type == WatchEventType.Interrupted);

        await target.InstallAsync(Definitions.Passing(target.Group, target.Run, "Later"));
        await stream.UntilAsync(e => e.Type == WatchEventType.Synced);

        await target.Wire.DeleteAsync($"{Target.CustomResourceDefinitions}/laters.{target.Group}");
        await stream.UntilAsync(e => e.Type == WatchEventType.Interrupted);
    }

    private sealed class Stream : IAsyncDisposable
    {
        private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        private readonly CancellationTokenSource _stop = new();
        private readonly IAsyncEnumerator<WatchEvent> _events;

        public Stream(Target target, WatchRequest request) => _events = target.Cluster.WatchAsync(request, _stop.Token).GetAsyncEnumerator(_stop.Token);

        public async Task<WatchEvent> UntilAsync(Func<WatchEvent, bool> wanted)
        {
            while (true)
            {
                Assert.True(await _events.MoveNextAsync().AsTask().WaitAsync(Patience));
                if (wanted(_events.Current))
                    return _events.Current;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _events.DisposeAsync();
            _stop.Dispose();
        }
    }
}
