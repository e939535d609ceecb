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
    ClusterName cluster, TenantClusters tenants, WitnessRequests requests, Newest<LogCheckpoint> newest, WitnessBoard board, AuditOptions options, TimeProvider clock)
    : Courier($"cluster {cluster}", newest, board, options, clock)
{
    private readonly VerifierKey? _pinned =
        VerifierKey.TryParse(options.ClusterWitnesses.Find(witness => witness.Cluster == cluster.Value)?.Key ?? "", out var key) ? key : null;

    private Checkpoint? _cosigned;
    private bool _refused;

    /// <summary>Which API server the cluster is known by.</summary>
    public required string ApiUid { get; set; }

    protected override async Task GoAsync(Action delivered, CancellationToken stopping)
    {
        var connection = await tenants.ConnectAsync(cluster, ApiUid, stopping);
        using var session = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var answers = new Newest<MailboxAnswer>();
        var following = FollowAsync(connection.Cluster, answers, session.Token);
        var telling = TellAsync(connection.Cluster, answers, delivered, session.Token);
        var first = await Task.WhenAny(following, telling);
        await session.CancelAsync();
        await Task.WhenAll(following, telling).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first;
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
        var (posted, postedAt) = ((WitnessRequest?)null, 0L);
        while (true)
        {
            var (told, answered) = (Newest.Changed, answers.Changed);
            var (shown, answer) = (Newest.Value, answers.Value);
            if (shown is null || answer is null)
            {
                await Task.WhenAny(told, answered).WaitAsync(stopping);
                continue;
            }
            await ExamineAsync(answer, posted, shown, stopping);
            if (IsSaid(answer, posted, shown))
            {
                await Task.WhenAny(told, answered).WaitAsync(stopping);
                continue;
            }
            if (posted is not null && Options.PublishInterval - Clock.GetElapsedTime(postedAt) is { Ticks: > 0 } rest)
            {
                await Task.Delay(rest, Clock, stopping);
                continue;
            }
            posted = await requests.MakeAsync(answer.Seen?.Size ?? 0, shown, stopping);
            await tenant.ApplyAsync(CheckpointMailbox.Post(Options.Namespace, shown.Note, posted), ManagementCourier.FieldManager, new ApplyOptions(Force: true), stopping);
            postedAt = Clock.GetTimestamp();
            Board.Has(Place, shown.Checkpoint.Size);
            if (!_refused)
                Board.Well(Place);
            delivered();
            await AnsweredAsync(answered, stopping);
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

    /// <summary>Whether there is nothing to ask: it is accepted, it has been asked from there, or there is no way forward.</summary>
    private static bool IsSaid(MailboxAnswer answer, WitnessRequest? posted, LogCheckpoint shown)
    {
        var seen = answer.Seen?.Size ?? 0;
        return answer.Seen == shown.Checkpoint || seen > shown.Checkpoint.Size
            || posted is not null && posted.Checkpoint == shown.Checkpoint && posted.OldSize == seen;
    }

    private async Task ExamineAsync(MailboxAnswer answer, WitnessRequest? posted, LogCheckpoint shown, CancellationToken stopping)
    {
        if (answer is { Seen: { } seen, Note: { } note })
        {
            if (seen != shown.Checkpoint && seen != posted?.Checkpoint)
                await CompareAsync(seen, note, shown, stopping);
            else
                await AcceptedAsync(seen, note, stopping);
        }
        // 409 is how a witness says where it stands.
        if (posted is not null && answer.Refusal is { } refusal && refusal.Status != StatusCodes.Status409Conflict
            && refusal.Request == CheckpointMailbox.DigestOf(posted.ToString()))
            Refused($"its witness answered {refusal.Status}: {refusal.Why}");
    }

    private async Task AcceptedAsync(Checkpoint seen, SignedNote note, CancellationToken stopping)
    {
        Board.Calm(Place);
        Board.Well(Place);
        _refused = false;
        if (_pinned is null || seen == _cosigned || note.Verify(_pinned) != NoteVerdict.Good)
            return;
        await requests.CosignAsync(seen.Size, note.Signatures.Where(s => s.KeyId == _pinned.Id && s.Name == _pinned.Name), stopping);
        _cosigned = seen;
        Board.Cosigned(Place, seen.Size);
    }

    // Anybody in that cluster may have written there; what the log signed is the log's, wherever it is found.
    private async Task CompareAsync(Checkpoint seen, SignedNote note, LogCheckpoint shown, CancellationToken stopping)
    {
        if (!await requests.IsOursAsync(note, stopping))
            Refused($"what its witness says it has accepted, {seen.Size} leaves, was not signed by this log");
        else if (await ContradictionAsync(seen, shown, stopping) is { } contradiction)
            Board.Raise(Place, contradiction);
        else
            Board.Calm(Place);
    }

    private void Refused(string why)
    {
        _refused = true;
        Board.Failed(Place, why);
    }

    private async Task<string?> ContradictionAsync(Checkpoint seen, LogCheckpoint shown, CancellationToken stopping)
    {
        // Another silo may have shown something newer than what came here.
        var ours = seen.Size <= shown.Checkpoint.Size ? shown : await requests.NewestAsync(stopping) ?? shown;
        if (seen.Size > ours.Checkpoint.Size)
            return $"its witness accepted {seen.Size} leaves that this log signed, the log has {ours.Checkpoint.Size}";
        if (seen.Size == ours.Checkpoint.Size)
            return seen.Root == ours.Checkpoint.Root ? null : $"its witness accepted the root {seen.Root} for {seen.Size} leaves, this log has {ours.Checkpoint.Root}";
        var proof = (await requests.MakeAsync(seen.Size, ours, stopping)).Proof;
        return MerkleTree.VerifyConsistency(seen.Size, ours.Checkpoint.Size, seen.Root, ours.Checkpoint.Root, proof.AsSpan())
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
