using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Sandbox;

/// <summary>One mutating request that succeeded, dry runs excepted.</summary>
/// <param name="Sequence">Counts from 1 in the order of completion.</param>
/// <param name="Verb">create, update, patch, apply, delete or deletecollection.</param>
/// <param name="Resource">The plural with its group, and the subresource after a slash: <c>widgets.example.dev/status</c>.</param>
/// <param name="User">The effective user name.</param>
/// <param name="FieldManager">The field manager; empty for deletes.</param>
/// <param name="Body">The digest of the body as submitted; of an apply without its preconditions (uid, resourceVersion), which say when and not what.</param>
/// <param name="ResourceVersion">The object's resourceVersion afterwards; that of the store for deletes.</param>
/// <param name="At">When it had been stored, by the cluster's clock.</param>
public sealed record SandboxWrite(
    long Sequence,
    string Verb,
    string Resource,
    GroupVersionKind Gvk,
    ObjectKey Key,
    string User,
    string FieldManager,
    Digest Body,
    string ResourceVersion,
    DateTimeOffset At);
