using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary><c>/validate-rbac</c>: Guardian owns all RBAC (CS-INV-001), nobody grants more than he was given, and nobody talks his namespace out of it.</summary>
internal static class RbacCheck
{
    private const string OwnerPath = $"metadata.annotations['{AdmissionNames.OwnerAnnotation}']";

    private static readonly GroupVersionKind[] OwnedKinds =
        [KnownKinds.Role, KnownKinds.ClusterRole, KnownKinds.RoleBinding, KnownKinds.ClusterRoleBinding, KnownKinds.ServiceAccount];

    public static IEnumerable<Objection> Judge(AdmissionRequest request, Requester who)
    {
        if (Is(request, KnownKinds.Namespace))
            return Mode(request, who);
        if (request.Subresource.Length > 0)
            return [];
        if (AdmissionPolicy.Kinds.Find(request.Kind)?.Gvk == KnownKinds.RBACProfile)
            return Ceiling(request);
        return OwnedKinds.Any(kind => Is(request, kind)) ? [.. Ownership(request, who), .. Escalation(request)] : [];
    }

    private static IEnumerable<Objection> Ownership(AdmissionRequest request, Requester who)
    {
        if (who == Requester.Operator || IsFarewell(request))
            yield break;
        if (request.Operation == AdmissionOperation.Delete)
        {
            if (IsOwned(request.Old) && who != Requester.Administrator)
                yield return new Objection(
                    "rbac.owned CS-INV-001", request.What, OwnerPath, "a delete by Guardian or an administrator of the cluster", $"one by {request.By.Name}",
                    "It follows from an RBACProfile: change or delete that; or ask an administrator.");
            yield break;
        }
        if (!IsOwned(request.Object))
            yield return new Objection(
                "rbac.ownership CS-INV-001", request.What, OwnerPath, $"'{AdmissionNames.Owner}'",
                request.Object!.Annotations.TryGetValue(AdmissionNames.OwnerAnnotation, out var found) ? $"'{found}'" : "none",
                "Guardian owns all RBAC: declare an RBACProfile instead; an administrator can have foreign RBAC adopted by this annotation.");
        else if (who != Requester.Administrator)
            yield return new Objection(
                "rbac.claim CS-INV-001", request.What, OwnerPath, "the claim of Guardian or of an administrator of the cluster", $"that of {request.By.Name}",
                "Guardian's objects are Guardian's to write: declare an RBACProfile instead, or ask an administrator.");
    }

    private static IEnumerable<Objection> Escalation(AdmissionRequest request)
    {
        if (request.Object is not { } next)
            yield break;
        var added = Escalations.Added(request.Old, next);
        if (!added.IsEmpty)
            yield return new Objection(
                "rbac.escalation", request.What, next.Kind.EndsWith("Binding", StringComparison.Ordinal) ? "roleRef, subjects" : "rules",
                "nothing by which somebody has more than he was given", string.Join(", ", added),
                "No principal of Guardian's holds these rights; name the resources, groups and verbs that are really needed.");
    }

    /// <summary>The family's own operators stand under one ceiling: CS-INV-008. A profile without declarations grants nothing.</summary>
    private static IEnumerable<Objection> Ceiling(AdmissionRequest request)
    {
        if (request.Object is not { } profile || profile.Labels.GetValueOrDefault(AdmissionNames.ProfileTypeLabel) != AdmissionNames.SeamOperatorProfile)
            yield break;
        if (profile.Find("spec", "permissionDeclarations") is not { ValueKind: JsonValueKind.Array } declarations)
            yield break;
        var index = 0;
        foreach (var declaration in declarations.EnumerateArray())
        {
            var found = FieldReader.TryFind(declaration, "permissionSetRef", out var set) && set.ValueKind == JsonValueKind.String ? set.GetString()! : "";
            if (found != AdmissionNames.ManagementMaximum)
                yield return new Objection(
                    "rbac.operator-ceiling CS-INV-008", request.What, $"spec.permissionDeclarations[{index}].permissionSetRef",
                    $"'{AdmissionNames.ManagementMaximum}', the one set of the family's own operators", $"'{found}'",
                    $"Take the label {AdmissionNames.ProfileTypeLabel} away if this is not an operator of the family.");
            index++;
        }
    }

    /// <summary>A namespace's mode decides what becomes of objections in it, so whoever loosens it has to answer for the cluster.</summary>
    private static IEnumerable<Objection> Mode(AdmissionRequest request, Requester who)
    {
        if (request.Object is not { } next || who is Requester.Operator or Requester.Administrator)
            yield break;
        var (before, after) = (ModeOf(request.Old), ModeOf(next));
        if (Strictness(after) < Strictness(before))
            yield return new Objection(
                "mode.loosened", request.What, $"metadata.labels['{AdmissionNames.ModeLabel}']", $"'{before}', or stricter", $"'{after}'",
                "Only an administrator of the cluster loosens the mode of a namespace.");
    }

    // As the selectors of the webhooks read it.
    private static string ModeOf(KubeObject? candidate) => candidate?.Labels.GetValueOrDefault(AdmissionNames.ModeLabel) switch
    {
        AdmissionNames.Exempt => AdmissionNames.Exempt,
        AdmissionNames.Observe => AdmissionNames.Observe,
        _ => AdmissionNames.Enforce,
    };

    private static int Strictness(string mode) => mode switch { AdmissionNames.Exempt => 0, AdmissionNames.Observe => 1, _ => 2 };

    private static bool IsOwned(KubeObject? candidate) => candidate?.Annotations.GetValueOrDefault(AdmissionNames.OwnerAnnotation) == AdmissionNames.Owner;

    /// <summary>What is being deleted already loses its finalizers, and nothing else about it changes.</summary>
    private static bool IsFarewell(AdmissionRequest request) =>
        request is { Operation: AdmissionOperation.Update, Old: { IsBeingDeleted: true } before, Object: { } after }
        && Content.All(field => Content.Same(before.Find(field), after.Find(field)));

    private static bool Is(AdmissionRequest request, GroupVersionKind kind) => request.Kind.Kind == kind.Kind && request.Kind.Group == kind.Group;

    private static class Content
    {
        private static readonly string[] Fields = ["rules", "aggregationRule", "roleRef", "subjects", "secrets", "imagePullSecrets", "automountServiceAccountToken"];

        public static bool All(Func<string, bool> holds) => Fields.All(holds);

        public static bool Same(JsonElement a, JsonElement b) =>
            a.ValueKind == JsonValueKind.Undefined || b.ValueKind == JsonValueKind.Undefined ? a.ValueKind == b.ValueKind : JsonElement.DeepEquals(a, b);
    }
}
