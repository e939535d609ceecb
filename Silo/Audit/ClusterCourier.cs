using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Clusters;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Audit;

/// <summary>
/// Keeps the newest checkpoint in one managed cluster, and asks the witness there through the mailbox. What the witness has accepted is
/// followed; nothing is asked while an answer is due.
/// </summary>
internal sealed class ClusterCourier(
    ClusterName cluster, TenantClusters tenants, IReadOnlyList<VerifierKey> logKeys, WitnessRequests requests, Newest<LogCheckpoint> newest,
    WitnessBoard board, AuditOptions options, TimeProvider clock)
    : Courier($"cluster {cluster}", newest, board, options, clock)
{
    private readonly VerifierKey? _pinned =
        VerifierKey.TryParse(options.ClusterWitnesses.Find(witness => witness.Cluster == cluster.Value)?.Key ?? "", out var key) ? key : null;

    /// <summary>Which API server the cluster is known by.</summary>
    public required string ApiUid { get; set; }

    protected override async Task GoAsync(Action delivered, CancellationToken stopping)
    {
        var connection = await tenants.ConnectAsync(cluster, ApiUid, stopping);
        using var session = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var answers = new Newest<MailboxAnswer>();
        var following = FollowAsync(connection.Cluster, answers, session.Token);
        try
        {
            await (await Task.WhenAny(following, TellAsync(connection.Cluster, answers, delivered, session.Token)));
        }
        finally
        {
            await session.CancelAsync();
            await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(ICluster tenant, Newest<MailboxAnswer> answers, CancellationToken stopping)
    {
        var found = (KubeObject?)null;
        await foreach (var seen in tenant.WatchAsync(new WatchRequest(KnownKinds.ConfigMap, Options.Namespace, CheckpointMailbox.AnswerName), stopping))
        {
            if (seen.Type is WatchEventType.Present or WatchEventType.Gone)
                found = seen.Type == WatchEventType.Present ? seen.Object : null;
            // A list of nothing is an answer, too: there is no witness, or it has seen nothing yet.
            if (seen.Type is WatchEventType.Present or WatchEventType.Gone or WatchEventType.Synced)
                answers.Set(MailboxAnswer.Of(found));
            else if (seen.Type == WatchEventType.Interrupted && answers.Value is null)
                throw new IOException($"what its witness says cannot be followed: {seen.Fault}");
        }
    }

    private async Task TellAsync(ICluster tenant, Newest<MailboxAnswer> answers, Action delivered, CancellationToken stopping)
    {
        var posted = (WitnessRequest?)null;
        while (true)
        {
            var (told, answered) = (Newest.Changed, answers.Changed);
            if (Newest.Value is { } shown && answers.Value is { } answer)
            {
                await ExamineAsync(answer, posted, shown, stopping);
                if (await RequestAsync(answer, posted, shown, stopping) is { } request)
                {
                    await tenant.ApplyAsync(CheckpointMailbox.Post(Options.Namespace, shown.Note, request), ManagementCourier.FieldManager, new ApplyOptions(Force: true), stopping);
                    posted = request;
                    Board.Has(Place, shown.Checkpoint.Size);
                    delivered();
                    await AnsweredAsync(answered, stopping);
                    continue;
                }
            }
            await Task.WhenAny(told, answered).WaitAsync(stopping);
            if (told.IsCompleted && posted is not null)
                await Task.Delay(Options.PublishInterval, Clock, stopping);
        }
    }

    // A cluster without a witness gets its checkpoints, too, at this pace.
    private async Task AnsweredAsync(Task answered, CancellationToken stopping)
    {
        try
        {
            await answered.WaitAsync(Options.AnswerTimeout, Clock, stopping);
        }
        catch (TimeoutException)
        {
            // Whatever it answers later is followed.
        }
    }

    /// <summary>What is to be asked now; null when it has been asked, or answered, already.</summary>
    private async Task<WitnessRequest?> RequestAsync(MailboxAnswer answer, WitnessRequest? posted, LogCheckpoint shown, CancellationToken stopping)
    {
        var seen = answer.Seen?.Size ?? 0;
        if (answer.Seen == shown.Checkpoint || seen > shown.Checkpoint.Size)
            return null;
        if (posted is not null && posted.Checkpoint == shown.Checkpoint && posted.OldSize == seen)
            return null;
        return await requests.MakeAsync(seen, shown, stopping);
    }

    private async Task ExamineAsync(MailboxAnswer answer, WitnessRequest? posted, LogCheckpoint shown, CancellationToken stopping)
    {
        if (answer.Seen is { } seen && answer.Note is { } note)
        {
            await CompareAsync(seen, note, shown, stopping);
            if (_pinned is not null && (seen == shown.Checkpoint || seen == posted?.Checkpoint) && note.Verify(_pinned) == NoteVerdict.Good
                && Board.Standings.FirstOrDefault(s => s.Place == Place)?.Cosigned != seen.Size)
            {
                await requests.CosignAsync(seen.Size, note.Signatures.Where(s => s.KeyId == _pinned.Id && s.Name == _pinned.Name), stopping);
                Board.Cosigned(Place, seen.Size);
            }
        }
        if (posted is not null && answer.Refusal is { } refusal && refusal.Request == CheckpointMailbox.DigestOf(posted.ToString()) && refusal.Status != StatusCodes.Status409Conflict)
            Board.Failed(Place, $"its witness answered {refusal.Status}: {refusal.Why}");
    }

    // Anybody in that cluster may have written there; what the log signed is the log's, wherever it is found.
    private async Task CompareAsync(Checkpoint seen, SignedNote note, LogCheckpoint shown, CancellationToken stopping)
    {
        if (!logKeys.Any(key => note.Verify(key) == NoteVerdict.Good))
            return;
        if (await ContradictionAsync(seen, shown, stopping) is { } contradiction)
            Board.Raise(Place, contradiction);
        else
            Board.Calm(Place);
    }

    private async Task<string?> ContradictionAsync(Checkpoint seen, LogCheckpoint shown, CancellationToken stopping)
    {
        var ours = shown.Checkpoint;
        // Another silo may have shown something newer than what came here.
        if (seen.Size > ours.Size)
            ours = (await requests.NewestAsync(stopping))?.Checkpoint ?? ours;
        if (seen.Size > ours.Size)
            return $"its witness accepted {seen.Size} leaves that this log signed, the log has {ours.Size}";
        if (seen.Size == ours.Size)
            return seen.Root == ours.Root ? null : $"its witness accepted the root {seen.Root} for {seen.Size} leaves, this log has {ours.Root}";
        var proof = (await requests.MakeAsync(seen.Size, shown with { Checkpoint = ours }, stopping)).Proof;
        return MerkleTree.VerifyConsistency(seen.Size, ours.Size, seen.Size == 0 ? MerkleTree.EmptyRoot : seen.Root, ours.Root, proof.AsSpan())
            ? null
            : $"its witness accepted {seen.Size} leaves with the root {seen.Root} that this log signed, and the log does not go on from there";
    }
}

/// <summary>What the witness of a managed cluster says.</summary>
/// <param name="Note">What it accepted, cosigned; null when there is no such thing there.</param>
/// <param name="Seen">What the note commits to.</param>
internal sealed record MailboxAnswer(SignedNote? Note, Checkpoint? Seen, MailboxRefusal? Refusal)
{
    public static MailboxAnswer Of(KubeObject? map)
    {
        CheckpointMailbox.TryRead<MailboxRefusal>(CheckpointMailbox.Text(map, CheckpointMailbox.Refusal), out var refusal);
        return SignedNote.TryParse(CheckpointMailbox.Text(map, CheckpointMailbox.Accepted), out var note) && Checkpoint.TryParse(note.Text, out var seen)
            ? new MailboxAnswer(note, seen, refusal)
            : new MailboxAnswer(null, null, refusal);
    }
}
