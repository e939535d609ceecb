using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>One endpoint in use: its connections, its failure state, and what was discovered through it.</summary>
internal sealed class Session
{
    /// <summary>The reason of a 404 for a kind, as opposed to an object of it.</summary>
    public const string NotServed = "KindNotServed";

    /// <summary>The reason when a kind has no status subresource as far as discovery knows.</summary>
    public const string NoStatus = "StatusNotServed";

    private readonly ClusterName _cluster;

    public Session(ClusterName cluster, Connection connection, ApiTransport transport, TimeProvider time)
    {
        _cluster = cluster;
        (Connection, Transport) = (connection, transport);
        Discovery = new Discovery(SendAsync, transport.Context, time);
    }

    /// <summary>How often an apply may find that somebody else was faster in making the object.</summary>
    private const int MostRaces = 3;

    public Connection Connection { get; }
    public ApiTransport Transport { get; }
    public Discovery Discovery { get; }

    public Task<ApiAnswer> SendAsync(ApiRequest request, CancellationToken cancellation) => Transport.SendAsync(Connection, request, cancellation);

    public string Context(ApiRequest request) => Transport.Context(request);

    /// <exception cref="KubernetesException">The cluster does not serve the kind (reason <see cref="NotServed"/>).</exception>
    public async Task<ResourceDescription> FindAsync(GroupVersionKind kind, CancellationToken cancellation) =>
        await Discovery.FindAsync(kind, cancellation)
        ?? throw new KubernetesException(404, NotServed, $"cluster '{_cluster}': {kind} is not served: its CustomResourceDefinition is not installed or not established");

    public async Task<KubeObject> ApplyAsync(
        string path, GroupVersionKind kind, ObjectKey key, ReadOnlyMemory<byte> body, string fieldManager, ApplyOptions options,
        CancellationToken cancellation)
    {
        var query = ResourcePath.WithQuery(
            path, ("fieldManager", fieldManager), ("force", options.Force ? "true" : null), ("dryRun", options.DryRun ? "All" : null));
        var request = new ApiRequest("apply", HttpMethod.Patch, query, $"{kind.Kind} {key}")
        {
            Body = YamlSafeJson.Rewrite(body), ContentType = "application/apply-patch+yaml",
        };
        for (var attempt = 1; ; attempt++)
        {
            using var answer = await SendAsync(request, cancellation);
            // Somebody else made it between the server's look and its write: now there is something to apply to.
            if (attempt == MostRaces || answer.IsSuccess || answer.Status() is not { Code: 409, Reason: "AlreadyExists" })
                return ReadObject(request, answer, kind);
        }
    }

    /// <summary>The object in a successful answer.</summary>
    public KubeObject ReadObject(ApiRequest request, ApiAnswer answer, GroupVersionKind kind)
    {
        if (!answer.IsSuccess)
            throw Refusal(request, answer);
        try
        {
            var read = KubeObject.Parse(answer.Body);
            return read.Gvk == kind ? read : throw new FormatException($"expected a {kind}, found a {read.Gvk}");
        }
        catch (FormatException e)
        {
            throw Malformed(request, e.Message, e);
        }
    }

    public KubernetesException Refusal(ApiRequest request, ApiAnswer answer)
    {
        var status = answer.Status();
        return status.Code == 404 && !status.NamesObject && status.IsFromApiServer
            ? new KubernetesException(404, NotServed, $"{Context(request)}: {status.Message}")
            : status.ToException(Context(request));
    }

    public KubernetesException Malformed(ApiRequest request, string found, Exception? inner) =>
        new(502, "Malformed", $"{Context(request)}: the answer: {found}", inner);
}
