using Governor.Domain.Approvals;
using Governor.Domain.Permissions;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Governor.Silo.Api;

/// <summary>
/// The PermissionService over HTTP: may somebody, what may somebody, who may, and why. Answers from committed state, and says how old
/// it is. Whoever may create permissionqueries asks about everybody, everybody else about himself.
/// </summary>
internal static class PermissionEndpoints
{
    private static readonly RequiredAccess Asking = new("create", PermissionQueries.Group, PermissionQueries.Resource);
    private static readonly RequiredAccess AskingOrOneself = Asking with { OrAboutOneself = true };

    public static void MapPermissions(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1/permissions").WithTags("permissions");

        api.MapPost("/check", (HttpContext context, PermissionService service) => service.CheckAsync(context))
            .Needs(AskingOrOneself, "checkPermission").Asks<CheckPermissionBody>()
            .WithSummary("Whether a principal may do something on a cluster.");
        api.MapPost("/list", (HttpContext context, PermissionService service) => service.ListAsync(context))
            .Needs(AskingOrOneself, "listPermissions").Asks<ListPermissionsBody>()
            .WithSummary("All that a principal may do on a cluster.");
        api.MapPost("/who-can", (HttpContext context, PermissionService service) => service.WhoCanAsync(context))
            .Needs(Asking, "whoCanDo").Asks<WhoCanDoBody>()
            .WithSummary("Who may do something on a cluster.");
        api.MapPost("/explain", (HttpContext context, PermissionService service) => service.ExplainAsync(context))
            .Needs(AskingOrOneself, "explainDecision").Asks<CheckPermissionBody>()
            .WithSummary("Why a principal may or may not do something: which profile, declaration and ceiling.");
    }

    private static RouteHandlerBuilder Asks<TBody>(this RouteHandlerBuilder endpoint)
        where TBody : notnull => endpoint
        .Accepts<TBody>("application/json")
        .ProducesProblem(StatusCodes.Status400BadRequest)
        .ProducesProblem(StatusCodes.Status404NotFound)
        .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
        .ProducesProblem(StatusCodes.Status415UnsupportedMediaType);
}

/// <summary>Reads a question, sees to it that the caller may ask it, and answers from what is committed.</summary>
internal sealed class PermissionService(PermissionKnowledge knowledge, ObservationGate gate, TimeProvider clock)
{
    public async Task<Results<JsonOk<CheckPermissionView>, ProblemHttpResult>> CheckAsync(HttpContext context)
    {
        var (question, known, refusal) = await ReadAsync(context);
        if (known is null)
            return refusal!;
        var answer = PermissionQueries.Check(known.State, question!);
        return new JsonOk<CheckPermissionView>(new(answer.Allowed, answer.Reason, View(known)));
    }

    public async Task<Results<Ok<ListPermissionsView>, ProblemHttpResult>> ListAsync(HttpContext context)
    {
        var (body, problem) = await JsonBody.ReadAsync<ListPermissionsBody>(context.Request);
        if (body is null)
            return problem!;
        var about = About(context, body.Principal, body.Groups);
        var (known, refusal) = await FindAsync(context, body.Cluster, about, PermissionQuestion.FaultsOfGroups(about.Groups));
        if (known is null)
            return refusal!;
        return TypedResults.Ok(new ListPermissionsView([.. PermissionQueries.List(known.State, about.Name, about.Groups).Select(RuleView.Of)], View(known)));
    }

    public async Task<Results<Ok<WhoCanDoView>, ProblemHttpResult>> WhoCanAsync(HttpContext context)
    {
        var (body, problem) = await JsonBody.ReadAsync<WhoCanDoBody>(context.Request);
        if (body is null)
            return problem!;
        var question = body.Question();
        var (known, refusal) = await FindAsync(context, body.Cluster, null, question.Faults());
        if (known is null)
            return refusal!;
        return TypedResults.Ok(new WhoCanDoView([.. PermissionQueries.WhoCan(known.State, question)], View(known)));
    }

    public async Task<Results<Ok<ExplainDecisionView>, ProblemHttpResult>> ExplainAsync(HttpContext context)
    {
        var (question, known, refusal) = await ReadAsync(context);
        if (known is null)
            return refusal!;
        var explained = DecisionExplanation.Of(known.State, question!);
        return TypedResults.Ok(new ExplainDecisionView(
            explained.Answer.Allowed, explained.Answer.Reason, explained.Answer.MatchedRule is { } rule ? RuleView.Of(rule) : null,
            [.. explained.Evidence.Select(EvidenceView.Of)],
            // Whose profiles these are is not known any more: nobody's who may ask about himself only.
            context.MayAskAboutOthers() ? [.. explained.Withheld.Select(withheld => new WithheldView(withheld.Profile.ToString(), withheld.Why))] : [],
            View(known)));
    }

    /// <summary>Whether, and why, is the same question.</summary>
    private async Task<(PermissionQuestion? Question, KnownPermissions? Known, ProblemHttpResult? Refusal)> ReadAsync(HttpContext context)
    {
        var (body, problem) = await JsonBody.ReadAsync<CheckPermissionBody>(context.Request);
        if (body is null)
            return (null, null, problem);
        var about = About(context, body.Principal, body.Groups);
        var question = body.Question(about);
        var (known, refusal) = await FindAsync(context, body.Cluster, about, question.Faults());
        return (question, known, refusal);
    }

    // Who asks about himself asks with the groups that the management cluster knows him in.
    private static Caller About(HttpContext context, string? principal, IReadOnlyList<string>? groups)
    {
        var caller = context.Caller();
        var name = principal ?? caller.Name;
        return new Caller(name, groups is not null ? [.. groups] : name == caller.Name ? caller.Groups : []);
    }

    /// <param name="about">Null where it is asked who.</param>
    private async Task<(KnownPermissions? Known, ProblemHttpResult? Refusal)> FindAsync(
        HttpContext context, string? cluster, Caller? about, IEnumerable<QuestionFault> faults)
    {
        // Before anything is said about what was sent: an answer about somebody else is none of the caller's business.
        if (about is not null && !context.MayAskAbout(about))
            return (null, TypedResults.Problem(
                $"{Refusal(context)}: asked about '{about.Name}'{(about.Name == context.Caller().Name ? " in other groups" : "")}, expected the right, or a question about {context.Caller().Name} himself", statusCode: StatusCodes.Status403Forbidden));
        QuestionFault?[] all = [about is null ? null : PermissionQuestion.FaultOf(about.Name), PermissionQuestion.FaultOfCluster(cluster ?? ""), .. faults];
        if (all.Any(fault => fault is not null))
            return (null, TypedResults.Problem(
                string.Join("; ", all.OfType<QuestionFault>().Select(fault => $"body.{fault}")), statusCode: StatusCodes.Status400BadRequest));
        try
        {
            return await knowledge.FindAsync(cluster!, context.RequestAborted) is { } known
                ? (known, null)
                : (null, TypedResults.Problem(
                    $"no permissions of cluster '{cluster}' are committed: no RBACProfile has targeted it", title: "cluster not found", statusCode: StatusCodes.Status404NotFound));
        }
        catch (JournalUnavailableException)
        {
            return (null, TypedResults.Problem("the journal does not confirm what is known; nothing is answered from memory alone", statusCode: StatusCodes.Status503ServiceUnavailable));
        }
    }

    private KnowledgeView View(KnownPermissions known) => KnowledgeView.Of(known, clock.GetUtcNow(), gate.IsOpen);

    private static string Refusal(HttpContext context) =>
        context.GetEndpoint()!.Metadata.GetRequiredMetadata<RequiredAccess>().Refusal(context.Caller().Name);
}
