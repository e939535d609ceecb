using System.Net.Http.Json;
using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Tour;

/// <summary>
/// Waits until everything so far is under a checkpoint, and until the witnesses have cosigned one that covers it; then exports the audit
/// log and verifies the file as a stranger would: offline, and against what the witnesses remember.
/// </summary>
public static class AuditCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<AuditReport> RunAsync(Landscape landscape, CancellationToken cancellation)
    {
        using var covered = await landscape.Api.PostAsync(new Uri("/api/v1/audit/checkpoint", UriKind.Relative), null, cancellation);
        covered.EnsureSuccessStatusCode();
        var checkpoint = await covered.Content.ReadFromJsonAsync<JsonElement>(cancellation);
        var size = checkpoint.GetProperty("treeSize").GetInt64();
        if (!VerifierKey.TryParse(checkpoint.GetProperty("key").GetString() ?? "", out var key))
            throw new InvalidOperationException("the silo does not say its log's key");
        var seen = await Task.WhenAll(landscape.Witnesses.Keys.Select(tenant => SeenAsync(landscape, tenant, key, size, cancellation)));

        var file = Path.Combine(landscape.Folder, "audit.export");
        await using (var written = File.Create(file))
        await using (var export = await landscape.Api.GetStreamAsync(new Uri("/api/v1/audit/export", UriKind.Relative), cancellation))
            await export.CopyToAsync(written, cancellation);

        await using var read = File.OpenRead(file);
        var verdict = AuditVerifier.Verify(read, AuditTrust.In(key) with { Known = [.. seen.Select(s => s.Checkpoint)] });
        if (verdict.Outcome != AuditOutcome.Ok)
            throw new InvalidOperationException($"the audit log does not verify: {verdict.Outcome} {verdict.Fault}");
        return new AuditReport(checkpoint.GetProperty("events").GetInt64(), verdict.Checkpoint!.Size, true, [.. seen.Select(s => s.Report)]);
    }

    // The witness tells it in its own cluster, where the silo cannot write.
    private static async Task<(Checkpoint Checkpoint, WitnessReport Report)> SeenAsync(
        Landscape landscape, string tenant, VerifierKey log, long least, CancellationToken cancellation)
    {
        var witness = landscape.WitnessKeyOf(tenant);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        var last = "nothing";
        try
        {
            var request = new WatchRequest(KnownKinds.ConfigMap, CheckpointMailbox.DefaultNamespace, CheckpointMailbox.AnswerName);
            await foreach (var seen in landscape.TenantClient(tenant).WatchAsync(request, patience.Token))
            {
                last = seen.Object?.Root.ToString() ?? last;
                if (SignedNote.TryParse(CheckpointMailbox.Text(seen.Object, CheckpointMailbox.Accepted), out var note)
                    && Checkpoint.TryParse(note.Text, out var accepted) && accepted.Size >= least)
                    return (accepted, Verify(note, accepted, tenant, witness, log));
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // said below
        }
        throw new InvalidOperationException(
            $"waited {Patience.TotalSeconds} s for the witness of {tenant} to accept {least} leaves; last seen: {last}\n{landscape.Witnesses[tenant]}\n{landscape.Silo.Tail}");
    }

    private static WitnessReport Verify(SignedNote note, Checkpoint accepted, string tenant, VerifierKey witness, VerifierKey log)
    {
        var own = note.Signatures.First(s => s.KeyId == witness.Id && s.Name == witness.Name);
        if (note.Verify(witness) != NoteVerdict.Good || note.Verify(log) != NoteVerdict.Good)
            throw new InvalidOperationException($"what the witness of {tenant} says it has accepted is not signed by {log} and cosigned by {witness}:\n{note}");
        return new WitnessReport(witness.ToString(), tenant, accepted.Size, Cosignature.TimeOf(own)!.Value, true);
    }
}
