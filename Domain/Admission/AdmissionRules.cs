using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Governor.Domain.Admission;

/// <summary>What is said of one write.</summary>
/// <param name="Allowed">Also where there are objections, when the namespace is only observed.</param>
/// <param name="Objections">Every one, not the first.</param>
/// <param name="Patch">What has to be changed on the object; null for nothing.</param>
public sealed record AdmissionVerdict(bool Allowed, ImmutableArray<Objection> Objections, JsonArray? Patch)
{
    public static AdmissionVerdict Fine { get; } = new(true, [], null);

    /// <summary>All objections in one text.</summary>
    public string Message => string.Join("; ", Objections.Select(objection => objection.Message));
}

/// <summary>How a write is judged. Pure, and from the review alone: nothing has to be looked up while the API server waits.</summary>
public static class AdmissionRules
{
    /// <param name="isBootstrapping">The bootstrap window is open: RBAC and operators' objects may still be put in place by hand.</param>
    public static AdmissionVerdict Judge(AdmissionCall call, AdmissionRequest request, AdmissionPolicy policy, bool isBootstrapping)
    {
        if (request.Operation == AdmissionOperation.Connect)
            return AdmissionVerdict.Fine;
        var who = policy.Classify(request.By);
        if (call.Check == AdmissionCheck.DeclaringPrincipal)
            return isBootstrapping ? AdmissionVerdict.Fine : AdmissionVerdict.Fine with { Patch = DeclaringPrincipal.Patch(request) };
        var objections = Objections(call.Check, request, who, isBootstrapping).ToImmutableArray();
        return new AdmissionVerdict(objections.IsEmpty || (call.Mode == AdmissionMode.Observe && !objections.Any(o => o.IsBoundary)), objections, null);
    }

    /// <summary>Whether the answer can depend on the window: others need not know it.</summary>
    public static bool DependsOnBootstrap(AdmissionCall call) =>
        call.Check is AdmissionCheck.Rbac or AdmissionCheck.OperatorObject or AdmissionCheck.DeclaringPrincipal;

    private static IEnumerable<Objection> Objections(AdmissionCheck check, AdmissionRequest request, Requester who, bool isBootstrapping)
    {
        // A dry run is a draft, and drafting is what an AI is for.
        if (who == Requester.Ai)
            return request.IsDryRun ? [] : [Boundary(request)];
        // Garbage collection, emptied namespaces, default roles: what the cluster does itself is not for us to refuse.
        if (who == Requester.ClusterComponent || (isBootstrapping && check is AdmissionCheck.Rbac or AdmissionCheck.OperatorObject))
            return check == AdmissionCheck.Lineage ? LineageCheck.Judge(request, who) : [];
        return check switch
        {
            AdmissionCheck.Rbac => RbacCheck.Judge(request, who),
            AdmissionCheck.Lineage => LineageCheck.Judge(request, who),
            AdmissionCheck.OperatorObject => OperatorObjectCheck.Judge(request, who),
            AdmissionCheck.Membership => MembershipCheck.Judge(request, who),
            _ => throw new ArgumentOutOfRangeException(nameof(check), check, "expected a check that validates"),
        };
    }

    private static Objection Boundary(AdmissionRequest request) => new(
        "boundary.ai", request.What, "userInfo.groups", "a human, or an operator of the family", $"{request.By.Name}, labelled as AI",
        "An AI drafts and reads: let it make a dry run, and a human apply what came out.", IsBoundary: true);
}
