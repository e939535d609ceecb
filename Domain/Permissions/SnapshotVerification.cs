using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>Which snapshot a cluster has verified and taken over.</summary>
/// <param name="Timestamp">Its <c>snapshotTimestamp</c>: nothing older is taken over after it.</param>
/// <param name="AcknowledgedAt">When the cluster took it over.</param>
[GenerateSerializer, Immutable]
public sealed record Acknowledgement(string Version, DateTimeOffset Timestamp, DateTimeOffset FreshUntil, string KeyId, DateTimeOffset AcknowledgedAt);

/// <summary>What a look at a cluster's copy of its snapshot found.</summary>
[GenerateSerializer, Immutable]
public abstract record SnapshotVerdict
{
    private SnapshotVerdict()
    {
    }

    /// <summary>Signed by a key of ours, for this cluster, unchanged, and not older than what was acknowledged before.</summary>
    [GenerateSerializer, Immutable]
    public sealed record Genuine(Acknowledgement Acknowledgement) : SnapshotVerdict;

    /// <param name="Reason">Of everything that is wrong the first; <paramref name="Message"/> lists all.</param>
    [GenerateSerializer, Immutable]
    public sealed record Refused(string Reason, string Message) : SnapshotVerdict;
}

/// <summary>
/// How a cluster decides whether to take a snapshot over. Pure. It relies on nothing but the object, the keys it trusts, and what it
/// took over before.
/// </summary>
public static class SnapshotVerification
{
    public const string Missing = "SnapshotMissing";
    public const string Unsigned = "SnapshotUnsigned";
    public const string KeyUnknown = "SnapshotKeyUnknown";
    public const string SignatureInvalid = "SnapshotSignatureInvalid";
    public const string Malformed = "SnapshotMalformed";
    public const string OtherCluster = "SnapshotForAnotherCluster";
    public const string VersionMismatch = "SnapshotVersionMismatch";
    public const string Replayed = "SnapshotReplayed";
    public const string Stale = "SnapshotStale";

    /// <param name="copy">What is there; null when nothing is.</param>
    /// <param name="signature">What a check of its signature found.</param>
    /// <param name="acknowledged">What the cluster took over last; null when it never did.</param>
    public static SnapshotVerdict Judge(
        ClusterName cluster, KubeObject? copy, SignatureVerdict signature, Acknowledgement? acknowledged, DateTimeOffset now)
    {
        if (copy is null)
            return new SnapshotVerdict.Refused(Missing, $"expected a PermissionSnapshot for cluster {cluster}, found none");
        var faults = new List<(string Reason, string Message)>();
        if (Signature(signature) is { } unsigned)
            faults.Add(unsigned);
        var target = copy.FindText("spec", "targetCluster");
        if (target != cluster.Value)
            faults.Add((OtherCluster, $"spec.targetCluster: expected '{cluster}', found '{target}'"));
        var version = copy.FindText("spec", "version");
        var digest = DigestOf(copy);
        if (version.Length == 0 || version != digest)
            faults.Add((VersionMismatch, $"spec.version: expected the digest of the content, {digest}, found '{version}'"));
        if (TimestampOf(copy) is not { } timestamp)
        {
            faults.Add((Malformed, "spec.snapshotTimestamp: expected an RFC 3339 time, found none"));
            timestamp = default;
        }
        else if (acknowledged is not null && timestamp < acknowledged.Timestamp)
        {
            faults.Add((Replayed, $"spec.snapshotTimestamp: expected {KubeTime.FormatExact(acknowledged.Timestamp)} or later, as acknowledged before, found {KubeTime.FormatExact(timestamp)}"));
        }
        var window = copy.Find("spec", "freshnessWindowSeconds") is { ValueKind: System.Text.Json.JsonValueKind.Number } seconds && seconds.TryGetInt32(out var n) ? n : 0;
        if (timestamp != default && SnapshotFreshness.Evaluate(timestamp, TimeSpan.FromSeconds(window), now) is StaleSnapshot stale)
            faults.Add((Stale, $"expected a snapshot within its window of {window} s, found one that is stale since {KubeTime.Format(stale.Since)}"));
        if (faults.Count > 0)
            return new SnapshotVerdict.Refused(faults[0].Reason, string.Join("; ", faults.Select(fault => fault.Message)));
        return new SnapshotVerdict.Genuine(new Acknowledgement(
            version, timestamp, timestamp + (window > 0 ? TimeSpan.FromSeconds(window) : SnapshotFreshness.DefaultWindow),
            ((SignatureVerdict.Valid)signature).KeyId, now));
    }

    /// <summary>When a snapshot was made: <c>snapshotTimestamp</c>, else <c>generatedAt</c>.</summary>
    public static DateTimeOffset? TimestampOf(KubeObject snapshot) =>
        KubeTime.TryParse(snapshot.FindText("spec", "snapshotTimestamp"), out var exact) ? exact
        : KubeTime.TryParse(snapshot.FindText("spec", "generatedAt"), out var whole) ? whole
        : null;

    private static string DigestOf(KubeObject copy)
    {
        try
        {
            return SnapshotContent.Of(copy) is { } content ? Digest.Of(content).Value : "of nothing";
        }
        catch (FormatException e)
        {
            return $"of nothing ({e.Message})";
        }
    }

    private static (string, string)? Signature(SignatureVerdict verdict) => verdict switch
    {
        SignatureVerdict.Valid => null,
        SignatureVerdict.Missing => (Unsigned, $"annotation {SignaturePurpose.PermissionSnapshot.Annotation}: expected a signature, found none"),
        SignatureVerdict.UnknownKey unknown => (KeyUnknown, $"annotation {SignaturePurpose.PermissionSnapshot.Annotation}: expected a signature by a trusted key, found one by the unknown key {unknown.KeyId}"),
        SignatureVerdict.RevokedKey revoked => (KeyUnknown, $"annotation {SignaturePurpose.PermissionSnapshot.Annotation}: expected a signature by a trusted key, found one by key {SigningKeyRules.Short(revoked.KeyId)}, which is revoked: {revoked.Why}"),
        SignatureVerdict.Malformed malformed => (SignatureInvalid, $"annotation {SignaturePurpose.PermissionSnapshot.Annotation}: {malformed.Problem}"),
        SignatureVerdict.Forged forged => (SignatureInvalid, $"annotation {SignaturePurpose.PermissionSnapshot.Annotation}: expected a signature over this content, found one of key {forged.KeyId} over something else: the content was changed, or the signature is another's"),
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "expected a known verdict"),
    };
}
