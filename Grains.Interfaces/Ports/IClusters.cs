using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>The clusters that this silo can talk to. There is no default cluster: what cannot be reached fails.</summary>
public interface IClusters
{
    ICluster Management { get; }

    /// <summary>
    /// A connection to a tenant cluster through the kubeconfig that its Secret holds. Cheap when it exists already and the bytes are
    /// the same. Another kubeconfig gives another connection; whoever holds the old one gets a transient <c>Replaced</c> from it and
    /// has to connect again: nobody is led elsewhere without asking.
    /// </summary>
    /// <exception cref="KubeconfigException">The kubeconfig cannot be used; says what, where, expected, found.</exception>
    ICluster Connect(ClusterName name, ReadOnlyMemory<byte> kubeconfig);
}

/// <summary>One cluster's API server.</summary>
public interface ICluster
{
    ClusterName Name { get; }

    /// <summary>Answers when the API server is ready (<c>/readyz</c>).</summary>
    /// <exception cref="KubernetesException">It is not, or cannot be reached.</exception>
    Task<ServerVersion> ProbeAsync(CancellationToken cancellation);

    /// <summary>Plural and scope of a kind from API discovery, or null when this cluster does not serve it.</summary>
    Task<ResourceDescription?> DiscoverAsync(GroupVersionKind kind, CancellationToken cancellation);

    /// <summary>Everything that the cluster serves, or null when it does not say so in one answer.</summary>
    Task<IReadOnlyCollection<ResourceDescription>?> ResourcesAsync(CancellationToken cancellation);

    Task<KubeObject?> GetAsync(GroupVersionKind kind, ObjectKey key, CancellationToken cancellation);

    Task<IReadOnlyList<KubeObject>> ListAsync(GroupVersionKind kind, string? @namespace, string? labelSelector, CancellationToken cancellation);

    /// <summary>The objects as the server shows them to people, with its own columns: of a definition, its printer columns.</summary>
    Task<KubeTable> TableAsync(GroupVersionKind kind, string? @namespace, string? labelSelector, CancellationToken cancellation);

    /// <summary>Creates the object. Reviews (TokenReview, SubjectAccessReview) are creates whose answer carries the verdict in its status.</summary>
    Task<KubeObject> CreateAsync(KubeObject item, CancellationToken cancellation) => CreateAsync(item, default, cancellation);

    /// <inheritdoc cref="CreateAsync(KubeObject, CancellationToken)"/>
    Task<KubeObject> CreateAsync(KubeObject item, WriteOptions options, CancellationToken cancellation);

    /// <summary>
    /// Server-side apply. A conflict is a <see cref="KubernetesException"/> that names the owners (<see cref="KubernetesException.Owners"/>),
    /// unless forced.
    /// </summary>
    Task<KubeObject> ApplyAsync(KubeObject intent, string fieldManager, ApplyOptions options, CancellationToken cancellation);

    /// <summary>Server-side apply of <c>status</c> on the status subresource.</summary>
    Task<KubeObject> ApplyStatusAsync(GroupVersionKind kind, ObjectKey key, JsonObject status, string fieldManager, CancellationToken cancellation);

    /// <summary>JSON merge patch (RFC 7386) of the object; conditional when it carries <c>metadata.resourceVersion</c>.</summary>
    Task<KubeObject> MergePatchAsync(GroupVersionKind kind, ObjectKey key, JsonObject patch, string fieldManager, CancellationToken cancellation) =>
        MergePatchAsync(kind, key, patch, new WriteOptions(fieldManager), cancellation);

    /// <inheritdoc cref="MergePatchAsync(GroupVersionKind, ObjectKey, JsonObject, string, CancellationToken)"/>
    Task<KubeObject> MergePatchAsync(GroupVersionKind kind, ObjectKey key, JsonObject patch, WriteOptions options, CancellationToken cancellation);

    /// <summary>Deletes in the background; an object that is not there is success. The UID, where given, is a precondition.</summary>
    Task DeleteAsync(GroupVersionKind kind, ObjectKey key, string? uid, CancellationToken cancellation) =>
        DeleteAsync(kind, key, new DeleteOptions(uid), cancellation);

    /// <summary>Deletes; an object that is not there is success. A precondition that does not hold is a 409 <c>Conflict</c>.</summary>
    Task DeleteAsync(GroupVersionKind kind, ObjectKey key, DeleteOptions options, CancellationToken cancellation);

    /// <summary>
    /// List, then watch, for as long as it is enumerated: resumes, relists after 410 with a tombstone for what vanished meanwhile,
    /// and never ends by itself, except with <c>Replaced</c> when the cluster's kubeconfig was. Faults are retried inside with backoff and
    /// reported as <see cref="WatchEventType.Interrupted"/>.
    /// </summary>
    IAsyncEnumerable<WatchEvent> WatchAsync(WatchRequest request, CancellationToken cancellation);
}

public sealed record ServerVersion(string GitVersion);

/// <param name="Plural">The resource name in URLs.</param>
public sealed record ResourceDescription(GroupVersionKind Kind, string Plural, bool Namespaced, bool HasStatus);

/// <param name="Force">Take fields that other managers own.</param>
/// <param name="DryRun">Answer as if done, store nothing.</param>
public readonly record struct ApplyOptions(bool Force = false, bool DryRun = false);

/// <param name="Namespace">Null for all namespaces, and for cluster-scoped kinds.</param>
/// <param name="Name">One object only, through a field selector.</param>
/// <param name="ResourceVersion">Resume here; null or "" lists first.</param>
/// <param name="Known">What the caller believes to exist: after a list, a tombstone is sent for each that is not there any more.</param>
/// <param name="LabelSelector">Only objects with these labels. One that loses them looks as if it were gone.</param>
/// <param name="CatchUp">
/// For callers to whom <see cref="WatchEventType.Synced"/> has to mean "nothing that is there now is untold": at the beginning and after
/// every fault everything is listed, and of that only told what is newer than <see cref="ResourceVersion"/>, or than the place where
/// the stream was, or not among what is known. An ordinary resumption tells the same, but nobody could say when it has caught up.
/// </param>
public sealed record WatchRequest(
    GroupVersionKind Kind, string? Namespace = null, string? Name = null, string? ResourceVersion = null, IReadOnlyDictionary<ObjectKey, string>? Known = null,
    string? LabelSelector = null, bool CatchUp = false);

public enum WatchEventType
{
    /// <summary>The object as it is now, from a list or from the stream.</summary>
    Present,

    /// <summary>The object is gone. From a relist only its key and last known UID are certain.</summary>
    Gone,

    /// <summary>
    /// Everything that existed at <see cref="WatchEvent.ResourceVersion"/> has been sent. The version is "" when nothing can exist: the
    /// kind is not served, and no definition of it is there.
    /// </summary>
    Synced,

    /// <summary>Nothing happened; <see cref="WatchEvent.ResourceVersion"/> is a fresh place to resume from.</summary>
    Bookmark,

    /// <summary>The kind is not served (yet, or any more), or the server cannot be reached; the stream goes on trying.</summary>
    Interrupted,
}

/// <param name="Object">The object for <see cref="WatchEventType.Present"/>, and the last state where it is known for <see cref="WatchEventType.Gone"/>.</param>
/// <param name="Fault">Why, for <see cref="WatchEventType.Interrupted"/>.</param>
public sealed record WatchEvent(WatchEventType Type, ObjectKey Key, string Uid, KubeObject? Object, string ResourceVersion, string? Fault = null);

/// <summary>A Status answer of an API server, or the absence of an answer (<see cref="Code"/> 0).</summary>
public sealed class KubernetesException : Exception
{
    public KubernetesException(int code, string reason, string message, Exception? inner = null) : base(message, inner)
    {
        Code = code;
        Reason = reason;
    }

    /// <summary>HTTP status code; 0 when the server could not be reached.</summary>
    public int Code { get; }

    /// <summary>The machine-readable reason, e.g. <c>NotFound</c>, <c>Conflict</c>, <c>Invalid</c>, <c>Unreachable</c>.</summary>
    public string Reason { get; }

    /// <summary>What the server said in detail: fields that are wrong, owners in conflict. Empty where it did not.</summary>
    public ImmutableArray<StatusCause> Causes { get; init; } = [];

    /// <summary>Who stands in the way of a server-side apply: each field manager, with the fields that it owns.</summary>
    public ImmutableDictionary<string, ImmutableArray<string>> Owners => Causes
        .Where(cause => cause.Reason == "FieldManagerConflict")
        .GroupBy(cause => OwnerIn(cause.Message), StringComparer.Ordinal)
        .ToImmutableDictionary(owner => owner.Key, owner => owner.Select(cause => cause.Field).Distinct().ToImmutableArray(), StringComparer.Ordinal);

    /// <summary>Trying again unchanged may succeed: unreachable, timed out, throttled, or a fault of the server.</summary>
    public bool IsTransient => Code is 0 or 408 or 429 or >= 500;

    /// <summary>The text is <c>conflict with "name"</c>, and goes on for a manager that updates or writes another version.</summary>
    private static string OwnerIn(string message) => message.Split('"') is [_, var owner, ..] ? owner : message;
}

/// <summary>A kubeconfig that cannot be used.</summary>
public sealed class KubeconfigException(string message, Exception? inner = null) : Exception(message, inner);
