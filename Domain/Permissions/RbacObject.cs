using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Signing;

namespace Governor.Domain.Permissions;

/// <summary>One object of Kubernetes' own RBAC as it has to be.</summary>
/// <param name="Principal">Whose rights it is about.</param>
/// <param name="Summary">What it gives, for people.</param>
/// <param name="Needs">The role that has to stand before this binding may: a binding to somebody else's role would give somebody else's rights. "" for none.</param>
public sealed record RbacObject(KubeObject Intent, string Principal, string Summary, string Needs = "")
{
    /// <summary>Whose work it is, for admission and for people.</summary>
    public const string OwnerAnnotation = "ontai.dev/rbac-owner";

    public const string Owner = "guardian";

    /// <summary>Whose rights a materialised object holds. Only this and the owner's mark together say that it was made here: what is merely wrapped carries the mark, too.</summary>
    public const string PrincipalAnnotation = "ontai.dev/rbac-principal";

    public const string ManagedByLabel = "app.kubernetes.io/managed-by";

    /// <summary>Selects what was made here.</summary>
    public const string Selector = $"{ManagedByLabel}={Owner}";

    public string Id => IdOf(Intent.Gvk, Intent.Key);

    /// <summary>What changes when the object has to.</summary>
    public string Digest => Signing.Digest.Of(Intent.Json.Span).Hex;

    /// <summary>A service account may be there already, and belong to somebody: its identity is theirs, and it is marked, not taken.</summary>
    public bool IsShared => Intent.Gvk == KnownKinds.ServiceAccount;

    public static string IdOf(GroupVersionKind kind, ObjectKey key) => $"{kind.Kind}/{key}";

    /// <summary>The owner's marks.</summary>
    internal static JsonObject Metadata(ObjectKey key, string principal)
    {
        var made = new JsonObject
        {
            ["name"] = key.Name,
            ["labels"] = new JsonObject { [ManagedByLabel] = Owner, [Descent.ManagedByLabel] = Descent.Governor },
            ["annotations"] = new JsonObject { [OwnerAnnotation] = Owner, [PrincipalAnnotation] = principal },
        };
        if (key.Namespace.Length > 0)
            made["namespace"] = key.Namespace;
        return made;
    }

    /// <summary>Whether an object says of itself that it was made here for this principal.</summary>
    internal static bool IsMarked(KubeObject live, string principal) =>
        live.Annotations.GetValueOrDefault(OwnerAnnotation) == Owner && live.Annotations.GetValueOrDefault(PrincipalAnnotation) == principal;

    /// <summary>What an object that nobody remembers was made for; null for one that was not made here under this name.</summary>
    public static RbacRecord? Stray(KubeObject live)
    {
        var principal = live.Annotations.GetValueOrDefault(PrincipalAnnotation, "");
        var name = live.Gvk == KnownKinds.ServiceAccount ? Permissions.Principal.Parse(principal).Name : Materialisation.NameOf(principal);
        return IsMarked(live, principal) && live.Name == name ? new RbacRecord(live.Gvk, live.Key, principal, live.Uid, "unknown") : null;
    }

    /// <summary>Whether what is there is what has to be: rules, role, subjects and marks; nothing that would give more.</summary>
    public bool Is(KubeObject live) =>
        Contains(live.Labels, Intent.Labels) && Contains(live.Annotations, Intent.Annotations) && SameRole(live)
        && Same(live, "rules") && Same(live, "subjects");

    /// <summary>What cannot be changed, only made anew: the role of a binding; and a role that a controller fills.</summary>
    internal bool SameRole(KubeObject live) => Same(live, "roleRef") && Same(live, "aggregationRule");

    private bool Same(KubeObject live, string field) =>
        (Intent.Find(field), live.Find(field)) is var (wanted, found)
        && (IsEmpty(wanted) ? IsEmpty(found) : !IsEmpty(found) && JsonElement.DeepEquals(wanted, found));

    private static bool IsEmpty(JsonElement value) => value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    private static bool Contains(ImmutableDictionary<string, string> found, ImmutableDictionary<string, string> wanted) =>
        wanted.All(entry => found.GetValueOrDefault(entry.Key) == entry.Value);
}
