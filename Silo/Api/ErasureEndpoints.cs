using System.Globalization;
using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Microsoft.AspNetCore.Http.HttpResults;
using Orleans;

namespace Governor.Silo.Api;

/// <summary>The payloads of these records shall be erased.</summary>
/// <param name="Leaves">Indices in the log.</param>
/// <param name="Reason">Stays readable in the trail for good: nothing personal.</param>
public sealed record ErasureBody(long[] Leaves, string Reason);

/// <summary>Erasures over HTTP: asking for one makes a request that another human decides on.</summary>
internal static class ErasureEndpoints
{
    private static readonly RequiredAccess Asking = new("create", ApprovalActions.Group, ApprovalActions.ErasureResource);

    public static void MapErasures(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/v1/audit/erasures", RequestAsync)
            .WithTags("audit").Needs(Asking, "requestErasure").Accepts<ErasureBody>("application/json").Refuses()
            .WithSummary("Asks that payloads be erased. Nothing happens before another human has approved exactly the plan that this answers.");

    private static async Task<Results<Accepted<ApprovalView>, ProblemHttpResult>> RequestAsync(
        HttpContext context, IErasures erasures, IGrainFactory grains, CommittedStates states, TimeProvider clock)
    {
        var stop = context.RequestAborted;
        var (body, problem) = await JsonBody.ReadAsync<ErasureBody>(context.Request);
        if (body is null)
            return problem!;
        if (body.Leaves.Length is 0 or > ErasurePlan.MostLeaves)
            return Malformed("leaves", $"one to {ErasurePlan.MostLeaves}", $"{body.Leaves.Length}");
        var targets = new List<ErasureTarget>();
        foreach (var leaf in body.Leaves.Distinct().Order())
        {
            var found = leaf < 0 ? null : await erasures.FindAsync(leaf, stop);
            if (found is null)
                return Malformed(string.Create(CultureInfo.InvariantCulture, $"leaf {leaf}"), "a record of the log", "none");
            if (!AuditActions.MayBeErased(found.Event))
                return Malformed(string.Create(CultureInfo.InvariantCulture, $"leaf {leaf}"), "a record that may lose its payload", $"one of '{found.Event}'");
            targets.Add(found);
        }
        var plan = new ErasurePlan([.. targets], body.Reason);
        var id = $"erasure-{Guid.CreateVersion7(clock.GetUtcNow()):n}";
        var refusal = await grains.GetGrain<IApprovalGrain>(id).RequestAsync(new ApprovalDraft(ErasurePlan.Action, plan.ToJson(), context.Caller(), body.Reason));
        return refusal is null
            ? TypedResults.Accepted($"/api/v1/approvals/{id}", (await ApprovalEndpoints.FindAsync(id, states, clock, stop))!)
            : ApprovalEndpoints.Problem(refusal);
    }

    private static ProblemHttpResult Malformed(string what, string expected, string found) =>
        ApprovalEndpoints.Problem(new ApprovalRefusal(RefusalReason.Malformed, what, expected, found));
}
