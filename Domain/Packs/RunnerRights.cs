using System.Collections.Immutable;
using Orleans;

namespace Governor.Domain.Packs;

/// <summary>What a target's API server answered when it was asked whether we may write there what a delivery writes.</summary>
/// <param name="ApiUid">Which API server it was: the UID of its namespace kube-system.</param>
/// <param name="Needs">What was asked about.</param>
/// <param name="Missing">What we may not; empty when we may all of it.</param>
[GenerateSerializer, Immutable]
public sealed record RunnerRights(string ApiUid, ImmutableArray<PackNeed> Needs, ImmutableArray<string> Missing, DateTimeOffset At)
{
    /// <summary>Nobody tells us when an administrator grants something: what is missing is asked for again after this time.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromMinutes(1);

    /// <summary>What server-side apply and the wait for readiness need of every object.</summary>
    public static ImmutableArray<string> Verbs { get; } = ["create", "patch", "get"];

    /// <summary>Whether the answer is about these needs, by this API server.</summary>
    public bool Covers(ImmutableArray<PackNeed> needs, string apiUid) => ApiUid == apiUid && Needs.AsSpan().SequenceEqual(needs.AsSpan());

    /// <summary>When it has to be asked again; null when the answer stands.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public DateTimeOffset? Due => Missing.IsEmpty ? null : At + AskAgainAfter;

    public override string ToString() => $"SelfSubjectAccessReview by API server {ApiUid} at {At:O}: {Needs.Length} kinds and places";
}
