using Governor.Domain.Kinds;
using Governor.Domain.Memberships;

namespace Governor.Domain.Admission;

/// <summary>
/// <c>/validate-membership</c>: a SeamMembership says from the beginning whose it is, and never another's; only whoever answers for the
/// cluster makes a member of the infrastructure. Whether it is admitted is decided by its actor, from what it follows.
/// </summary>
internal static class MembershipCheck
{
    private static readonly string[] Fixed = ["appIdentityRef", "domainIdentityRef", "principalRef"];

    public static IEnumerable<Objection> Judge(AdmissionRequest request, Requester who)
    {
        if (request.Subresource.Length > 0 || request.Object is not { IsBeingDeleted: false } membership
            || AdmissionPolicy.Kinds.Find(request.Kind)?.Gvk != KnownKinds.SeamMembership)
            yield break;
        foreach (var failure in SeamMembership.Read(membership).Failures)
            yield return new Objection($"membership.{failure.Check}", request.What, failure.Path, Expected(failure), Found(failure), "Correct the field.");
        foreach (var field in Fixed)
            if (request.Old is { } before && before.FindText("spec", field) is var was && membership.FindText("spec", field) is var now && was != now)
                yield return new Objection(
                    "membership.identity", request.What, $"spec.{field}", $"'{was}', as it was declared", $"'{now}'", "A membership is one principal's: delete it and declare another.");
        if (TierOf(membership) == "infrastructure" && TierOf(request.Old) != "infrastructure" && who is not (Requester.Operator or Requester.Administrator))
            yield return new Objection(
                "membership.tier", request.What, "spec.tier", "'application', or a write by an administrator of the cluster", $"'infrastructure' by {request.By.Name}",
                "Members of the infrastructure stand under the management cluster's snapshot: ask an administrator.");
    }

    private static string TierOf(KubeObject? membership) => membership?.FindText("spec", "tier") ?? "";

    // A failure says both in one sentence.
    private static string Expected(Failure failure) => failure.Message.Split(", found ") is [var expected, ..] && expected.StartsWith("expected ", StringComparison.Ordinal) ? expected[9..] : failure.Message;

    private static string Found(Failure failure) => failure.Message.Split(", found ", 2) is [_, var found] ? found : "something else";
}
