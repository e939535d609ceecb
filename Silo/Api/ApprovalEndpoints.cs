using Governor.Domain.Approvals;
using Governor.Domain.Facts;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces;
using Microsoft.AspNetCore.Http.HttpResults;
using Orleans;

namespace Governor.Silo.Api;

/// <summary>What one of those who carry a plan out has answered.</summary>
/// <param name="Fault">Empty when its part is done.</param>
public sealed record OutcomeView(string Executor, string Fault);

/// <summary>One request for a human decision.</summary>
/// <param name="Plan">Exactly the text whose SHA-256 is <paramref name="PlanDigest"/>: what is read is what is approved.</param>
public sealed record ApprovalView(
    string Id, string Action, string Phase, string Plan, string PlanDigest, string RequestedBy, string RequesterRole, string Why, DateTimeOffset RequestedAt,
    DateTimeOffset ExpiresAt, string? DecidedBy, string? DecidedWhy, DateTimeOffset? DecidedAt, IReadOnlyList<OutcomeView> Outcomes)
{
    internal static ApprovalView? Of(ApprovalState state, DateTimeOffset now) => state.Request is not { } request
        ? null
        : new ApprovalView(
            state.Id, request.Action, state.PhaseAt(now).ToString(), request.Plan, request.Digest.Value, request.RequestedBy, request.RequesterRole, request.Why,
            request.At, request.Expires, state.Record?.By, state.Record?.Why, state.Record?.At,
            [.. state.Outcomes.Select(outcome => new OutcomeView(outcome.Executor.ToString(), outcome.Fault))]);
}

/// <summary>A decision.</summary>
/// <param name="PlanDigest">The digest of the plan that was read.</param>
public sealed record RulingBody(string PlanDigest, string Why);

/// <summary>Approvals over HTTP: whoever may list them reads, whoever may approve decides, and never on what they asked for themselves.</summary>
internal static class ApprovalEndpoints
{
    private static readonly RequiredAccess Listing = new("list", ApprovalActions.Group, ApprovalActions.Resource);
    private static readonly RequiredAccess Deciding = new("approve", ApprovalActions.Group, ApprovalActions.Resource);

    public static void MapApprovals(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1/approvals").WithTags("approvals");

        api.MapGet("", async (CommittedStates states, TimeProvider clock, string? phase, CancellationToken stop) =>
            (await states.ListAsync<ApprovalState>(Subjects.Approval, stop)).Select(state => ApprovalView.Of(state, clock.GetUtcNow())).OfType<ApprovalView>()
                .Where(view => phase is null || view.Phase.Equals(phase, StringComparison.OrdinalIgnoreCase)))
            .Needs(Listing, "listApprovals");

        api.MapGet("/{id}", async Task<Results<Ok<ApprovalView>, ProblemHttpResult>> (string id, CommittedStates states, TimeProvider clock, CancellationToken stop) =>
            await FindAsync(id, states, clock, stop) is { } found ? TypedResults.Ok(found) : Missing(id))
            .Needs(Listing, "getApproval");

        api.MapPost("/{id}/approve", (string id, HttpContext context, IGrainFactory grains, CommittedStates states, TimeProvider clock) =>
            RuleAsync(id, ApprovalVerdict.Approve, context, grains, states, clock))
            .Needs(Deciding, "approve").Accepts<RulingBody>("application/json").Refuses();

        api.MapPost("/{id}/reject", (string id, HttpContext context, IGrainFactory grains, CommittedStates states, TimeProvider clock) =>
            RuleAsync(id, ApprovalVerdict.Reject, context, grains, states, clock))
            .Needs(Deciding, "reject").Accepts<RulingBody>("application/json").Refuses();
    }

    /// <summary>The answers of whatever changes something.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint) => endpoint
        .ProducesProblem(StatusCodes.Status400BadRequest)
        .ProducesProblem(StatusCodes.Status409Conflict)
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
        .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
        .ProducesProblem(StatusCodes.Status422UnprocessableEntity);

    public static ProblemHttpResult Problem(ApprovalRefusal refusal) => TypedResults.Problem(refusal.ToString(), statusCode: refusal.Reason switch
    {
        RefusalReason.Unknown => StatusCodes.Status404NotFound,
        RefusalReason.Malformed => StatusCodes.Status422UnprocessableEntity,
        RefusalReason.NotHuman or RefusalReason.SamePerson => StatusCodes.Status403Forbidden,
        RefusalReason.OtherPlan or RefusalReason.Expired or RefusalReason.Decided or RefusalReason.Taken => StatusCodes.Status409Conflict,
        _ => throw new ArgumentOutOfRangeException(nameof(refusal)),
    });

    public static async Task<ApprovalView?> FindAsync(string id, CommittedStates states, TimeProvider clock, CancellationToken stop) =>
        await states.FindAsync<ApprovalState>(Subjects.Approval, id, stop) is { } state ? ApprovalView.Of(state, clock.GetUtcNow()) : null;

    private static async Task<Results<Ok<ApprovalView>, ProblemHttpResult>> RuleAsync(
        string id, ApprovalVerdict verdict, HttpContext context, IGrainFactory grains, CommittedStates states, TimeProvider clock)
    {
        var (body, problem) = await JsonBody.ReadAsync<RulingBody>(context.Request);
        if (body is null)
            return problem!;
        if (!Digest.TryParse(body.PlanDigest, out var digest))
            return Problem(new ApprovalRefusal(RefusalReason.Malformed, "planDigest", "sha256:<64 lower-case hexadecimal digits>", $"'{body.PlanDigest}'"));
        // An actor is not made for whatever name somebody types.
        if (await FindAsync(id, states, clock, context.RequestAborted) is null)
            return Missing(id);
        var refusal = await grains.GetGrain<IApprovalGrain>(id).RuleAsync(new ApprovalRuling(verdict, context.Caller(), body.Why, digest));
        return refusal is null ? TypedResults.Ok((await FindAsync(id, states, clock, context.RequestAborted))!) : Problem(refusal);
    }

    private static ProblemHttpResult Missing(string id) => TypedResults.Problem(
        $"nobody has asked for approval '{id}'", title: "approval not found", statusCode: StatusCodes.Status404NotFound);
}
