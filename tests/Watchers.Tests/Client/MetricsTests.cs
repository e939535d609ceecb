using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Client;

public sealed class MetricsTests
{
    [Fact]
    public async Task Requests_failures_and_reachability_are_measured_by_cluster()
    {
        await using var test = await TestCluster.StartAsync(o => o.FailureThreshold = 1);
        var seen = new ConcurrentBag<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == KubernetesMetrics.MeterName && instrument.Meter.Scope is IMeterFactory factory && test.IsFrom(factory))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => seen.Add($"{i.Name} {Describe(tags)} {value}"));
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => seen.Add($"{i.Name} {Describe(tags)} {value}"));
        listener.Start();
        await test.Cluster.DiscoverAsync(Widgets.Kind, default);
        var failing = test.Cluster.GetAsync(Widgets.Kind, Widgets.Key("a"), default);
        (await test.Server.NextAsync()).Cut();
        await Assert.ThrowsAsync<KubernetesException>(() => failing.Within());
        listener.RecordObservableInstruments();

        Assert.Contains("governor.kubernetes.requests cluster=dev,code=200,verb=get 1", seen);
        Assert.Contains("governor.kubernetes.requests cluster=dev,code=0,verb=get 1", seen);
        Assert.Contains("governor.kubernetes.reachable cluster=dev 0", seen);
        Assert.Contains("governor.kubernetes.concurrency.limit cluster=dev 64", seen);
    }

    private static string Describe(ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        string.Join(',', tags.ToArray().Select(t => $"{t.Key}={t.Value}").Order(StringComparer.Ordinal));
}
