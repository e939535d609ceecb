using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces;
using Microsoft.AspNetCore.Http.HttpResults;
using Orleans;

namespace Governor.Silo.Api;

/// <summary>What cannot be reached shall be left where it is.</summary>
/// <param name="Reason">Stays readable in the trail for good.</param>
public sealed record AbandonmentBody(string Reason);

/// <summary>Giving up a removal over HTTP: asking for it makes a request that another human decides on.</summary>
internal static class AbandonmentEndpoints
{
    private static readonly RequiredAccess Asking = new("create", ApprovalActions.Group, AbandonPlan.Resource);

    public static void MapAbandonments(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/instances/{ns}/{name}/abandon", RequestAsync)
            .WithTags("governance").Needs(Asking, "requestAbandonment").Accepts<AbandonmentBody>("application/json").Refuses()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("Asks that what a removal cannot reach be left on its cluster for good. Nothing changes before another human has approved exactly the plan that this answers.");

    private static async Task<Results<Accepted<ApprovalView>, ProblemHttpResult>> RequestAsync(
        string ns, string name, HttpContext context, IGrainFactory grains, CommittedStates states, TimeProvider clock)
    {
        var stop = context.RequestAborted;
        var (body, problem) = await JsonBody.ReadAsync<AbandonmentBody>(context.Request);
        if (body is null)
            return problem!;
        if (await states.FindAsync<InstanceState>(Subjects.Instance, $"{ns}/{name}", stop) is not { } instance)
            return ApprovalEndpoints.Problem(new ApprovalRefusal(RefusalReason.Unknown, "instance", "one that was observed", $"'{ns}/{name}'"));
        if (instance is not { Standing: InstanceStanding.Removing, Removal: { } order })
            return ApprovalEndpoints.Problem(new ApprovalRefusal(RefusalReason.Malformed, $"instance {ns}/{name}", "a removal under way", $"{instance.Standing}"));
        var plan = AbandonPlan.Of(instance.Key, instance.Cluster, order, body.Reason);
        var id = $"abandonment-{Guid.CreateVersion7(clock.GetUtcNow()):n}";
        var refusal = await grains.GetGrain<IApprovalGrain>(id).RequestAsync(new ApprovalDraft(AbandonPlan.Action, plan.ToJson(), context.Caller(), body.Reason));
        return refusal is null
            ? TypedResults.Accepted($"/api/v1/approvals/{id}", (await ApprovalEndpoints.FindAsync(id, states, clock, stop))!)
            : ApprovalEndpoints.Problem(refusal);
    }
}
