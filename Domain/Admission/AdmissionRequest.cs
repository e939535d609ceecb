using Governor.Domain.Approvals;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary>What a request does to an object. CONNECT reaches no object and is not judged.</summary>
public enum AdmissionOperation
{
    Create,
    Update,
    Delete,
    Connect,
}

/// <summary>One write, as the API server asks about it (admission.k8s.io/v1).</summary>
/// <param name="Uid">Has to be answered with.</param>
/// <param name="Kind">Under the version that the webhook's rule names.</param>
/// <param name="Resource">The plural, as in URLs.</param>
/// <param name="Subresource">"" for the object itself.</param>
/// <param name="Name">"" where the server has not given it one yet.</param>
/// <param name="Namespace">"" for cluster-scoped kinds.</param>
/// <param name="By">Who writes, as the API server has authenticated and, where somebody impersonates, allowed him.</param>
/// <param name="Object">What is to be stored; null on DELETE.</param>
/// <param name="Old">What is stored; null on CREATE.</param>
/// <param name="IsDryRun">Nothing will be stored, so nothing may be remembered.</param>
public sealed record AdmissionRequest(
    string Uid, GroupVersionKind Kind, string Resource, string Subresource, string Name, string Namespace, AdmissionOperation Operation,
    Caller By, KubeObject? Object, KubeObject? Old, bool IsDryRun)
{
    /// <summary>What the write is about: the new object, or on DELETE the one that goes.</summary>
    public KubeObject? Subject => Object ?? Old;

    /// <summary>A name for messages: <c>Role ns/name</c>.</summary>
    public string What => $"{Kind.Kind}{(Subresource.Length > 0 ? $"/{Subresource}" : "")} {new ObjectKey(Namespace, Name)}";
}
