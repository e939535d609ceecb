using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Kubeconfig;
using Governor.Watchers.Watching;
using Microsoft.Extensions.Logging;

namespace Governor.Watchers.Client;

/// <summary>
/// One cluster's API server, through one kubeconfig for all its life. With another kubeconfig comes another object; after that, and
/// what was under way by then, whatever is asked of this one fails as <c>Replaced</c>.
/// </summary>
/// <remarks>
/// Callers are grains, each with a scheduler of its own that may stand still or end. What callers share (discovery, credentials, turns)
/// must not run there, so everything leaves the caller's scheduler first.
/// </remarks>
internal sealed class Cluster : ICluster, IDisposable
{
    private readonly KubernetesOptions _options;
    private readonly KubernetesMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Session _session;

    public Cluster(
        ClusterName name, ClusterEndpoint endpoint, KubernetesOptions options, KubernetesMetrics metrics, TimeProvider time, ILogger logger)
    {
        Name = name;
        (_options, _metrics, _time, _logger) = (options, metrics, time, logger);
        var transport = new ApiTransport(name.Value, options, metrics, time, logger);
        _metrics.Watch(name.Value, transport);
        _session = new Session(name, new Connection(endpoint, options, time), transport, time);
    }

    public ClusterName Name { get; }

    /// <summary>The connection, and what is known through it.</summary>
    internal Session Session => _session;

    public Task<ServerVersion> ProbeAsync(CancellationToken cancellation) => Task.Run(() => ProbeAsync(_session, cancellation), cancellation);

    public Task<ResourceDescription?> DiscoverAsync(GroupVersionKind kind, CancellationToken cancellation) =>
        Task.Run(() => _session.Discovery.FindAsync(kind, cancellation), cancellation);

    public Task<IReadOnlyCollection<ResourceDescription>?> ResourcesAsync(CancellationToken cancellation) =>
        Task.Run(() => _session.Discovery.AllAsync(cancellation), cancellation);

    public Task<KubeObject?> GetAsync(GroupVersionKind kind, ObjectKey key, CancellationToken cancellation) =>
        WithResourceAsync(kind, async (session, resource) =>
        {
            var request = ApiRequest.Get(ResourcePath.Of(resource, key), $"{kind.Kind} {key}");
            using var answer = await session.SendAsync(request, cancellation);
            return IsObjectMissing(answer) ? null : session.ReadObject(request, answer, kind);
        }, cancellation);

    public async Task<IReadOnlyList<KubeObject>> ListAsync(
        GroupVersionKind kind, string? @namespace, string? labelSelector, CancellationToken cancellation)
    {
        const int patience = 3;
        for (var attempt = 1; ; attempt++)
        {
            // The last attempt asks for everything at once: whoever cannot read all pages before they expire gets one that cannot.
            var pageSize = attempt < patience ? _options.PageSize : 0;
            try
            {
                return await WithResourceAsync(kind, (session, resource) =>
                    new ListPager(session, resource, @namespace, labelSelector, null, pageSize).AllAsync(_options.MaxListBytes, cancellation), cancellation);
            }
            catch (KubernetesException e) when (e.Code == 410 && attempt < patience)
            {
                // The state that the pages were taken from has been compacted: only a new list is one state again. The token that the
                // server offers to go on with would lead to pages of another state.
            }
        }
    }

    public Task<KubeTable> TableAsync(GroupVersionKind kind, string? @namespace, string? labelSelector, CancellationToken cancellation) =>
        WithResourceAsync(kind, async (session, resource) =>
        {
            var path = ResourcePath.WithQuery(ResourcePath.Collection(resource, @namespace), ("labelSelector", labelSelector));
            var request = ApiRequest.List(path, $"{resource.Plural} as a table") with { Accept = TableDocument.Accept };
            using var answer = await session.SendAsync(request, cancellation);
            if (!answer.IsSuccess)
                throw session.Refusal(request, answer);
            try
            {
                return TableDocument.Read(answer.Body);
            }
            catch (FormatException e)
            {
                throw session.Malformed(request, e.Message, e);
            }
        }, cancellation);

    public Task<KubeObject> CreateAsync(KubeObject item, WriteOptions options, CancellationToken cancellation) =>
        WithResourceAsync(item.Gvk, async (session, resource) =>
        {
            var path = options.Subresource is { Length: > 0 } ? ResourcePath.Of(resource, item.Key, options.Subresource) : ResourcePath.ForCreate(resource, item.Key);
            var request = new ApiRequest(
                "create", HttpMethod.Post, WithOptions(path, options), $"{item.Kind} {item.Key}".TrimEnd(), Idempotent: false)
            {
                Body = item.Json,
            };
            using var answer = await session.SendAsync(request, cancellation);
            return session.ReadObject(request, answer, item.Gvk);
        }, cancellation);

    public Task<KubeObject> ApplyAsync(KubeObject intent, string fieldManager, ApplyOptions options, CancellationToken cancellation) =>
        WithResourceAsync(intent.Gvk, (session, resource) => session.ApplyAsync(
            ResourcePath.Of(resource, intent.Key), intent.Gvk, intent.Key, intent.Json, fieldManager, options, cancellation), cancellation);

    /// <remarks>
    /// Forced: the fields under a subject's own manager are that subject's to say, and an older writer's claim to them (a PUT by the
    /// implementation that ran before) would otherwise stand in the way for ever.
    /// </remarks>
    public Task<KubeObject> ApplyStatusAsync(
        GroupVersionKind kind, ObjectKey key, JsonObject status, string fieldManager, CancellationToken cancellation) =>
        WithResourceAsync(kind, (session, resource) =>
        {
            if (!resource.HasStatus)
                throw new KubernetesException(
                    405, Session.NoStatus, $"cluster '{Name}': {kind.Kind} {key}: expected a status subresource, found none on this cluster");
            var path = ResourcePath.Of(resource, key) + "/status";
            var metadata = new JsonObject { ["name"] = key.Name };
            if (resource.Namespaced)
                metadata["namespace"] = key.Namespace;
            var body = new JsonObject
            {
                ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = metadata, ["status"] = status.DeepClone(),
            };
            return session.ApplyAsync(
                path, kind, key, JsonSerializer.SerializeToUtf8Bytes(body), fieldManager, new ApplyOptions(Force: true), cancellation);
        }, cancellation);

    public Task<KubeObject> MergePatchAsync(
        GroupVersionKind kind, ObjectKey key, JsonObject patch, WriteOptions options, CancellationToken cancellation) =>
        WithResourceAsync(kind, async (session, resource) =>
        {
            var path = WithOptions(ResourcePath.Of(resource, key, options.Subresource), options);
            var request = new ApiRequest("patch", HttpMethod.Patch, path, $"{kind.Kind} {key}", Idempotent: false)
            {
                Body = JsonSerializer.SerializeToUtf8Bytes(patch), ContentType = "application/merge-patch+json",
            };
            using var answer = await session.SendAsync(request, cancellation);
            return session.ReadObject(request, answer, kind);
        }, cancellation);

    public Task DeleteAsync(GroupVersionKind kind, ObjectKey key, DeleteOptions options, CancellationToken cancellation) =>
        WithResourceAsync(kind, async (session, resource) =>
        {
            var isConditional = !string.IsNullOrEmpty(options.Uid) || !string.IsNullOrEmpty(options.ResourceVersion);
            var request = new ApiRequest(
                "delete", HttpMethod.Delete, ResourcePath.Of(resource, key), $"{kind.Kind} {key}", Idempotent: isConditional || options.DryRun)
            {
                Body = DeleteBody(options),
            };
            using var answer = await session.SendAsync(request, cancellation);
            return answer.IsSuccess || IsObjectMissing(answer) ? true : throw session.Refusal(request, answer);
        }, cancellation);

    /// <summary>Everything is said in the body: with a body, the API server ignores the query, <c>dryRun</c> included.</summary>
    private static byte[] DeleteBody(DeleteOptions options)
    {
        var body = new JsonObject { ["kind"] = "DeleteOptions", ["apiVersion"] = "v1", ["propagationPolicy"] = options.Propagation.ToString() };
        var preconditions = new JsonObject();
        if (!string.IsNullOrEmpty(options.Uid))
            preconditions["uid"] = options.Uid;
        if (!string.IsNullOrEmpty(options.ResourceVersion))
            preconditions["resourceVersion"] = options.ResourceVersion;
        if (preconditions.Count > 0)
            body["preconditions"] = preconditions;
        if (options.DryRun)
            body["dryRun"] = new JsonArray("All");
        return Encoding.UTF8.GetBytes(body.ToJsonString());
    }

    public async IAsyncEnumerable<WatchEvent> WatchAsync(WatchRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var stream = new WatchStream(this, request, _options, _metrics, _time, _logger);
        while (true)
            yield return stream.TryNext(out var ready) ? ready : await Task.Run(() => stream.NextAsync(cancellation).AsTask(), cancellation);
    }

    public void Dispose()
    {
        _metrics.Forget(Name.Value, _session.Transport);
        _session.Connection.Dispose();
    }

    private static async Task<ServerVersion> ProbeAsync(Session session, CancellationToken cancellation)
    {
        var ready = ApiRequest.Get("readyz", "readyz") with { Verb = "probe", Once = true };
        using (var answer = await session.SendAsync(ready, cancellation))
            if (!answer.IsSuccess)
                throw answer.Status() is { IsStatus: true } status
                    ? status.ToException(session.Context(ready))
                    : new KubernetesException(answer.Code, "NotReady", $"{session.Context(ready)}: expected ok, found {answer.Status().Message}");
        var version = ApiRequest.Get("version", "version") with { Verb = "probe", Once = true };
        using var told = await session.SendAsync(version, cancellation);
        if (!told.IsSuccess)
            throw told.Status().ToException(session.Context(version));
        try
        {
            return new ServerVersion(JsonElement.Parse(told.Body).GetProperty("gitVersion").GetString() ?? "");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw session.Malformed(version, e.Message, e);
        }
    }

    private static string WithOptions(string path, WriteOptions options) =>
        ResourcePath.WithQuery(path, ("fieldManager", options.FieldManager), ("dryRun", options.DryRun ? "All" : null));

    /// <summary>
    /// Runs with what discovery knows of the kind; when its path turns out not to be served, once more with what discovery says then.
    /// </summary>
    private Task<T> WithResourceAsync<T>(
        GroupVersionKind kind, Func<Session, ResourceDescription, Task<T>> act, CancellationToken cancellation) =>
        Task.Run(() => WithResourceAsync(_session, kind, act, cancellation), cancellation);

    private static async Task<T> WithResourceAsync<T>(
        Session session, GroupVersionKind kind, Func<Session, ResourceDescription, Task<T>> act, CancellationToken cancellation)
    {
        var resource = await session.FindAsync(kind, cancellation);
        try
        {
            return await act(session, resource);
        }
        catch (KubernetesException e) when (e.Reason is Session.NotServed or Session.NoStatus)
        {
            session.Discovery.Forget(kind);
            var now = await session.FindAsync(kind, cancellation);
            if (now == resource)
                throw;
            return await act(session, now);
        }
    }

    /// <summary>The server knows the kind and says that this object of it does not exist.</summary>
    private static bool IsObjectMissing(ApiAnswer answer) => answer.Code == 404 && answer.Status() is { IsStatus: true, NamesObject: true };
}
