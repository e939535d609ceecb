using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary><c>/validate-operator-cr</c>: what operators write, and every status, is not edited by hand (G-BL-CR-IMMUTABILITY).</summary>
internal static class OperatorObjectCheck
{
    /// <summary>Nobody but an operator changes these.</summary>
    private static readonly GroupVersionKind[] Written =
        [KnownKinds.PackInstance, KnownKinds.RunnerConfig, KnownKinds.PermissionSnapshot, KnownKinds.PackExecution];

    /// <summary>Nor makes these: a forged one would open a gate, or vouch for rights that nobody computed.</summary>
    private static readonly GroupVersionKind[] Made = [KnownKinds.RunnerConfig, KnownKinds.PermissionSnapshot];

    public static IEnumerable<Objection> Judge(AdmissionRequest request, Requester who)
    {
        if (who == Requester.Operator || AdmissionPolicy.Kinds.Find(request.Kind) is not { } kind)
            yield break;
        if (request.Subresource == "status")
            yield return Only(request, "operator.status CS-INV-005", "status", "A status is what its operator has observed; change the spec.");
        else if (request.Subresource.Length > 0)
            yield break;
        else if (request.Operation == AdmissionOperation.Create && Made.Contains(kind.Gvk))
            yield return Only(request, "operator.creation INV-009", "spec", $"{kind.Owner.Name()} makes this object where it is needed.");
        else if (request.Operation == AdmissionOperation.Update && Written.Contains(kind.Gvk) && !IsFarewell(request))
            yield return Only(request, "operator.immutability G-BL-CR-IMMUTABILITY", "spec", $"{kind.Owner.Name()} writes this object: change the declaration that it follows from.");
    }

    private static Objection Only(AdmissionRequest request, string rule, string where, string remedy) =>
        new(rule, request.What, where, "a write by an operator of the family, by its exact name", $"one by {request.By.Name}", remedy);

    // The last step of a delete is an update without the finalizer.
    private static bool IsFarewell(AdmissionRequest request) =>
        request is { Old: { IsBeingDeleted: true } before, Object: { } after }
        && (before.Spec.ValueKind == JsonValueKind.Undefined || after.Spec.ValueKind == JsonValueKind.Undefined
            ? before.Spec.ValueKind == after.Spec.ValueKind
            : JsonElement.DeepEquals(before.Spec, after.Spec));
}
