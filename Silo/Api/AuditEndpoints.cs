using System.Runtime.CompilerServices;
using System.Text;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Governor.Silo.Api;

/// <summary>One record of the audit trail.</summary>
/// <param name="Leaf">Its index in the log; absent for a moment after its commit.</param>
public sealed record EventView(
    long? Leaf, long Sequence, DateTimeOffset At, string Actor, string ActorRole, string Action, string Kind, string Namespace, string Name, string Cluster,
    string FieldChanged, string? PreviousValue, string? NewValue, string? Rationale, string Lineage, string Correlation)
{
    internal static EventView Of(RecordedEvent recorded)
    {
        var e = recorded.Event;
        return new EventView(
            recorded.Leaf, recorded.Sequence, e.At, e.Actor, e.ActorRole, e.Action, e.Subject.Kind, e.Subject.Namespace, e.Subject.Name, e.Cluster,
            e.FieldChanged, e.PreviousValue, e.NewValue, e.Rationale, e.Lineage, e.Correlation);
    }
}

/// <param name="Note">The C2SP signed note.</param>
public sealed record CheckpointView(long TreeSize, string RootHash, string Note, long Events, string Key);

/// <summary>The audit trail over HTTP. Reading it needs the right to list lineage indices: the same people, the same reason.</summary>
internal static class AuditEndpoints
{
    private const int MostEvents = 1000;
    private const string ProofContentType = "text/plain; charset=utf-8";

    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1/audit").WithTags("audit");

        api.MapGet("/events", async (
            IAuditReader audit, string? kind, string? ns, string? name, string? action, string? cluster, string? correlation, DateTimeOffset? since, int? limit, CancellationToken stop) =>
            (await audit.EventsAsync(new EventFilter(null, kind, ns, name, action, cluster, correlation, since, Math.Clamp(limit ?? 100, 1, MostEvents)), stop)).Select(EventView.Of))
            .Reads(KnownKinds.InfrastructureLineageIndex, "listEvents");

        api.MapGet("/checkpoint", async Task<Results<Ok<CheckpointView>, ProblemHttpResult>> (IAuditReader audit, CancellationToken stop) =>
            await audit.CheckpointAsync(stop) is { } newest ? TypedResults.Ok(await ViewAsync(audit, newest, stop)) : TypedResults.Problem("nothing has been decided yet", title: "no checkpoint yet", statusCode: StatusCodes.Status404NotFound))
            .Reads(KnownKinds.InfrastructureLineageIndex, "getCheckpoint");

        api.MapPost("/checkpoint", async (IAuditReader audit, CancellationToken stop) =>
            TypedResults.Ok(await ViewAsync(audit, await audit.WaitForCheckpointAsync(stop), stop)))
            .Reads(KnownKinds.InfrastructureLineageIndex, "awaitCheckpoint")
            .WithSummary("Answers when a checkpoint covers everything that was committed before the call. Changes nothing.");

        api.MapGet("/export", async (IAuditReader audit, HttpContext context, long? from) =>
        {
            if (from is < 0)
            {
                await TypedResults.Problem($"from: expected the index of a leaf, found {from}", statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
                return;
            }
            context.Response.ContentType = "application/octet-stream";
            await audit.ExportAsync(context.Response.Body, from ?? 0, context.RequestAborted);
        }).Reads(KnownKinds.InfrastructureLineageIndex, "exportAudit").WithSummary("The log up to its newest checkpoint, for governor audit verify.");

        api.MapGet("/proofs/{leaf:long}", async Task<Results<Utf8ContentHttpResult, ProblemHttpResult>> (ITransparencyLog log, long leaf, CancellationToken stop) =>
            await log.ProveAsync(leaf, stop) is { } proof
                ? TypedResults.Text(Encoding.UTF8.GetBytes(proof.ToString()), ProofContentType)
                : TypedResults.Problem($"leaf {leaf} is not under a checkpoint, or its month was archived", title: "no such record", statusCode: StatusCodes.Status404NotFound))
            .Reads(KnownKinds.InfrastructureLineageIndex, "proveRecord").WithSummary("One record with its inclusion proof, checkpoint and cosignatures (C2SP tlog-proof).");

        api.MapGet("/watch", (ITransparencyLog log, CancellationToken stop) => TypedResults.ServerSentEvents(NotesAsync(log, stop), "checkpoint"))
            .Reads(KnownKinds.InfrastructureLineageIndex, "watchCheckpoints").WithSummary("Every new checkpoint, as server-sent events.");
    }

    private static async IAsyncEnumerable<string> NotesAsync(ITransparencyLog log, [EnumeratorCancellation] CancellationToken stop)
    {
        await foreach (var checkpoint in log.FollowAsync(stop))
            yield return checkpoint.Note;
    }

    private static async Task<CheckpointView> ViewAsync(IAuditReader audit, LogCheckpoint checkpoint, CancellationToken stop) => new(
        (long)checkpoint.Checkpoint.Size, checkpoint.Checkpoint.Root.ToString(), checkpoint.Note, await audit.CountAsync(stop), audit.Key.ToString());
}
