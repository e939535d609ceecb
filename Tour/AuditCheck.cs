using System.Net.Http.Json;
using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Tour;

/// <summary>Exports the audit log once everything so far is under a checkpoint, and verifies the file as a stranger would: offline.</summary>
public static class AuditCheck
{
    public static async Task<AuditReport> RunAsync(Landscape landscape, CancellationToken cancellation)
    {
        using var covered = await landscape.Api.PostAsync(new Uri("/api/v1/audit/checkpoint", UriKind.Relative), null, cancellation);
        covered.EnsureSuccessStatusCode();
        var checkpoint = await covered.Content.ReadFromJsonAsync<JsonElement>(cancellation);

        var file = Path.Combine(landscape.Folder, "audit.export");
        await using (var written = File.Create(file))
        await using (var export = await landscape.Api.GetStreamAsync(new Uri("/api/v1/audit/export", UriKind.Relative), cancellation))
            await export.CopyToAsync(written, cancellation);

        await using var read = File.OpenRead(file);
        var verdict = AuditVerifier.Verify(read);
        if (verdict.Outcome != AuditOutcome.Ok)
            throw new InvalidOperationException($"the audit log does not verify: {verdict.Outcome} {verdict.Fault}");
        return new AuditReport(checkpoint.GetProperty("events").GetInt64(), verdict.Checkpoint!.Size, true);
    }
}
