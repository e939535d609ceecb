using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Watching;

/// <summary>A watch of Widgets under way, with both its ends in the hands of the test.</summary>
internal sealed class Watching : IAsyncDisposable
{
    private readonly TestCluster _test;
    private readonly CancellationTokenSource _stop = new();
    private readonly System.Threading.Channels.Channel<WatchEvent> _events = System.Threading.Channels.Channel.CreateUnbounded<WatchEvent>();
    private readonly Task _reading;

    private Watching(TestCluster test, WatchRequest request)
    {
        _test = test;
        _reading = ReadAllAsync(request);
    }

    public FakeApiServer Server => _test.Server;
    public ManualTime Time => _test.Time;
    public ICluster Cluster => _test.Cluster;

    /// <summary>The open watch, where the test has got that far.</summary>
    public Exchange Stream { get; private set; } = null!;

    public static async Task<Watching> BeginAsync(
        WatchRequest? request = null, Action<KubernetesOptions>? configure = null, bool served = true)
    {
        var test = await TestCluster.StartAsync(configure);
        if (!served)
            test.Server.Always("/apis/fixtures.governor.dev/v1", 404, Fixture.Text("plain-404.txt"));
        return new Watching(test, request ?? new WatchRequest(Widgets.Kind));
    }

    /// <summary>With a list of these objects told, and the watch open.</summary>
    public static Task<Watching> SyncedAsync(string version, params string[] names) => SyncedAsync(version, null, names);

    public static async Task<Watching> SyncedAsync(string version, Action<KubernetesOptions>? configure, params string[] names)
    {
        var watch = await BeginAsync(configure: configure);
        await (await watch.NextAsync("limit=500")).AnswerAsync(200, Widgets.List(version, "", [.. names.Select(n => Widgets.One(n))]));
        watch.Stream = await watch.NextAsync($"resourceVersion={version}");
        await watch.Stream.OpenAsync();
        await watch.ExpectAsync([.. names.Select(n => $"Present ns/{n}"), $"Synced {version}"]);
        await watch.Time.ArmedAsync(TimeSpan.FromSeconds(90)); // the client waits for the first line
        return watch;
    }

    public Task<Exchange> NextAsync(string containing) => Server.NextAsync(containing);

    public Task<WatchEvent> ReadAsync() => _events.Reader.ReadAsync().AsTask().Within("a watch event");

    /// <summary>Reads as many events; each is described by type, key or version, and, where asked for, <c>@version</c>. The last one is returned.</summary>
    public async Task<WatchEvent> ExpectAsync(params string[] expected)
    {
        WatchEvent seen = null!;
        foreach (var one in expected)
        {
            seen = await ReadAsync();
            var said = seen.Type switch
            {
                WatchEventType.Present or WatchEventType.Gone => $"{seen.Type} {seen.Key}{(one.Contains('@', StringComparison.Ordinal) ? "@" + seen.ResourceVersion : "")}",
                WatchEventType.Interrupted => $"{seen.Type}",
                _ => $"{seen.Type} {seen.ResourceVersion}",
            };
            Assert.True(one == said, $"expected {one}, found {said}{(seen.Fault is null ? "" : $": {seen.Fault}")}");
        }
        return seen;
    }

    /// <summary>Waits until the stream has begun its pause of this round.</summary>
    public Task<TimeSpan> BackoffAsync(int round) => Time.ArmedAsync(TimeSpan.FromSeconds(Math.Pow(2, round) / 2), TimeSpan.FromSeconds(Math.Pow(2, round)));

    public void ReplaceKubeconfig() => _test.Connect(Kubeconfigs.WithToken(Server.Url, "another"));

    /// <summary>The stream ends by itself, with this fault.</summary>
    public Task<T> EndAsync<T>() where T : Exception => Assert.ThrowsAsync<T>(() => _reading.Within());

    public async Task StopReadingAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _reading.Within());
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _test.DisposeAsync();
        _stop.Dispose();
    }

    private async Task ReadAllAsync(WatchRequest request)
    {
        await foreach (var one in Cluster.WatchAsync(request, _stop.Token))
            await _events.Writer.WriteAsync(one);
    }
}
