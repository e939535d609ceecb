using System.Text.Json;
using System.Text.Json.Serialization;

namespace Governor.Tour;

/// <summary>The outcome of the main job, as <c>--json</c> prints it.</summary>
/// <param name="Error">Why the job failed; absent when it did not.</param>
public sealed record TourReport(
    string Host, long ElapsedMs, string Pack, IReadOnlyList<GateReport> Gates, InstanceReport PackInstance, LineageReport Lineage, AuditReport Audit, string? Error = null)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public string ToJson() => JsonSerializer.Serialize(this, Options);
}

public sealed record GateReport(int Gate, string Name, string BlockedReason, long ClearedAfterMs, string Evidence);

public sealed record InstanceReport(string Name, bool Ready, IReadOnlyList<string> DeployedResources);

public sealed record LineageReport(string Index, IReadOnlyList<string> Descendants);

/// <param name="Witnesses">Who cosigned a checkpoint that covers the whole job.</param>
public sealed record AuditReport(long Events, long TreeSize, bool Verified, IReadOnlyList<WitnessReport> Witnesses);

/// <param name="Key">The witness' verifier key.</param>
/// <param name="TreeSize">The size that it cosigned.</param>
/// <param name="At">When, by its own clock.</param>
/// <param name="Verified">The cosignature was verified, and the exported log contains the tree that it is on.</param>
public sealed record WitnessReport(string Key, string Cluster, long TreeSize, DateTimeOffset At, bool Verified);
