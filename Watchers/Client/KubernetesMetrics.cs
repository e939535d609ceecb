using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Governor.Watchers.Client;

/// <summary>What is measured of the conversation with API servers. Meter <see cref="MeterName"/>.</summary>
public sealed class KubernetesMetrics
{
    public const string MeterName = "Governor.Kubernetes";

    private readonly Counter<long> _requests;
    private readonly Histogram<double> _latency;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _watchEvents;
    private readonly Counter<long> _reconnects;
    private readonly Counter<long> _staleLists;
    private readonly ConcurrentDictionary<string, IMeasuredCluster> _clusters = new();

    public KubernetesMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _requests = meter.CreateCounter<long>("governor.kubernetes.requests", "{request}", "Requests by cluster, verb and code; code 0 had no answer.");
        _latency = meter.CreateHistogram<double>("governor.kubernetes.request.duration", "s", "From sending a request to the end of its answer.");
        _retries = meter.CreateCounter<long>("governor.kubernetes.retries", "{request}", "Requests repeated after 429 or 503.");
        _watchEvents = meter.CreateCounter<long>("governor.kubernetes.watch.events", "{event}", "Events received, by cluster, kind and type.");
        _reconnects = meter.CreateCounter<long>("governor.kubernetes.watch.reconnects", "{connection}", "Watches opened anew, by reason.");
        _staleLists = meter.CreateCounter<long>("governor.kubernetes.lists.stale", "{list}", "Lists that showed an older state than was seen before, and were not used.");
        meter.CreateObservableGauge("governor.kubernetes.reachable", () => Each(c => c.IsReachable ? 1 : 0), null, "1 while requests are sent, 0 while they fail at once.");
        meter.CreateObservableGauge("governor.kubernetes.concurrency.limit", () => Each(c => c.ConcurrencyLimit), "{request}", "Requests allowed in flight now.");
        meter.CreateObservableGauge("governor.kubernetes.queue", () => Each(c => c.QueuedRequests), "{request}", "Requests that wait for their turn.");
    }

    internal void Request(string cluster, string verb, int code, TimeSpan duration)
    {
        var tags = new TagList { { "cluster", cluster }, { "verb", verb }, { "code", code } };
        _requests.Add(1, tags);
        _latency.Record(duration.TotalSeconds, tags);
    }

    internal void Retry(string cluster, string verb) => _retries.Add(1, new TagList { { "cluster", cluster }, { "verb", verb } });

    internal void WatchEvent(string cluster, string kind, string type) =>
        _watchEvents.Add(1, new TagList { { "cluster", cluster }, { "kind", kind }, { "type", type } });

    internal void Reconnect(string cluster, string kind, string reason) =>
        _reconnects.Add(1, new TagList { { "cluster", cluster }, { "kind", kind }, { "reason", reason } });

    internal void StaleList(string cluster, string kind) => _staleLists.Add(1, new TagList { { "cluster", cluster }, { "kind", kind } });

    internal void Watch(string name, IMeasuredCluster cluster) => _clusters[name] = cluster;

    internal void Forget(string name, IMeasuredCluster cluster) => _clusters.TryRemove(KeyValuePair.Create(name, cluster));

    private IEnumerable<Measurement<int>> Each(Func<IMeasuredCluster, int> value) =>
        _clusters.Select(c => new Measurement<int>(value(c.Value), new KeyValuePair<string, object?>("cluster", c.Key)));
}

/// <summary>What of a cluster's connection is read when somebody collects metrics.</summary>
internal interface IMeasuredCluster
{
    bool IsReachable { get; }
    int ConcurrencyLimit { get; }
    int QueuedRequests { get; }
}
