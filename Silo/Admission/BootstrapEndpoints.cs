using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Grains.Interfaces;
using Governor.Silo.Api;
using Microsoft.AspNetCore.Http.HttpResults;
using Orleans;

namespace Governor.Silo.Admission;

/// <param name="Why">Must not be empty.</param>
public sealed record ClosingBody(string Why);

/// <param name="Open">As of now.</param>
/// <param name="ClosesAt">When it closes if nothing changes.</param>
/// <param name="WaitsFor">What would close it before its end; empty when nothing is missing.</param>
public sealed record BootstrapView(
    bool Open, DateTimeOffset? OpenedAt, DateTimeOffset? Until, DateTimeOffset? ClosesAt, IReadOnlyList<string> WaitsFor, DateTimeOffset? ClosedAt, string ClosedBy);

/// <summary>The bootstrap window over HTTP: to look at, and to close before its time.</summary>
internal static class BootstrapEndpoints
{
    private const string Resource = "bootstrapwindows";
    private const string Path = "/api/v1/admission/bootstrap";

    public static void MapAdmission(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, async (BootstrapReading reading, TimeProvider clock, CancellationToken stop) => View(await reading.ReadAsync(stop), clock.GetUtcNow()))
            .WithTags("admission").Needs(new RequiredAccess("get", AdmissionNames.Group, Resource), "getBootstrapWindow")
            .WithSummary("Whether the bootstrap window is open, since when, and until when.");
        routes.MapPost($"{Path}/close", CloseAsync)
            .WithTags("admission").Needs(new RequiredAccess("update", AdmissionNames.Group, Resource), "closeBootstrapWindow").Accepts<ClosingBody>("application/json").Refuses()
            .WithSummary("Closes the bootstrap window for good. Closing it again changes nothing.");
    }

    private static async Task<Results<Ok<BootstrapView>, ProblemHttpResult>> CloseAsync(
        HttpContext context, BootstrapReading reading, ConfiguredPolicy policy, IGrainFactory grains, TimeProvider clock)
    {
        var (body, problem) = await JsonBody.ReadAsync<ClosingBody>(context.Request);
        if (body is null)
            return problem!;
        if (string.IsNullOrWhiteSpace(body.Why) || body.Why.Length > ApprovalRules.LongestWhy)
            return ApprovalEndpoints.Problem(new ApprovalRefusal(RefusalReason.Malformed, "why", $"a reason of at most {ApprovalRules.LongestWhy} characters", body.Why.Length == 0 ? "none" : $"{body.Why.Length}"));
        if (policy.Policy.Classify(context.Caller()) == Requester.Ai)
            return ApprovalEndpoints.Problem(new ApprovalRefusal(RefusalReason.NotHuman, "who closes", "a human", $"{context.Caller().Name}, labelled as AI"));
        await grains.GetGrain<IBootstrapGrain>(BootstrapRules.Key).CloseAsync(context.Caller(), body.Why);
        return TypedResults.Ok(View(await reading.ReadAsync(context.RequestAborted), clock.GetUtcNow()));
    }

    private static BootstrapView View(BootstrapState state, DateTimeOffset now) => new(
        state.IsOpen(now), state.OpenedAt, state.Until, state.ClosedAt is null ? state.End : null,
        state.IsOpen(now) ? BootstrapRules.Missing(state.Family) : [], state.ClosedAt, state.ClosedBy);
}
