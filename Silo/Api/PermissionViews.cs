using System.Text.Json.Serialization;
using Governor.Domain.Approvals;
using Governor.Domain.Permissions;

namespace Governor.Silo.Api;

/// <summary>Whether somebody may do something.</summary>
/// <param name="Principal">The caller when absent.</param>
/// <param name="ApiGroup">The core group when absent; * for all of them at once.</param>
/// <param name="Resource">The plural, perhaps with a subresource.</param>
/// <param name="ResourceName">One object; all of them when absent.</param>
/// <param name="Namespace">One namespace; cluster-scoped objects and all namespaces when absent.</param>
/// <param name="Groups">The groups of the principal; where it is the caller and this is absent, those that the caller is in.</param>
public sealed record CheckPermissionBody(
    string? Principal = null, string? Cluster = null, string? ApiGroup = null, string? Resource = null, string? Verb = null, string? ResourceName = null, string? Namespace = null,
    IReadOnlyList<string>? Groups = null)
{
    internal PermissionQuestion Question(Caller about) => new(about.Name, ApiGroup ?? "", Resource ?? "", Verb ?? "", ResourceName, Namespace) { Groups = about.Groups };
}

/// <summary>All that somebody may do.</summary>
/// <param name="Principal">The caller when absent.</param>
/// <param name="Groups">The groups of the principal; where it is the caller and this is absent, those that the caller is in.</param>
public sealed record ListPermissionsBody(string? Principal = null, string? Cluster = null, IReadOnlyList<string>? Groups = null);

/// <summary>Who may do something.</summary>
/// <inheritdoc cref="CheckPermissionBody"/>
public sealed record WhoCanDoBody(
    string? Cluster = null, string? ApiGroup = null, string? Resource = null, string? Verb = null, string? ResourceName = null, string? Namespace = null)
{
    internal PermissionQuestion Question() => new("", ApiGroup ?? "", Resource ?? "", Verb ?? "", ResourceName, Namespace);
}

/// <summary>Whether a snapshot may be relied on.</summary>
public enum Freshness
{
    /// <summary>There is no snapshot yet.</summary>
    None,
    Fresh,
    Stale,
}

/// <summary>How old an answer is.</summary>
/// <param name="SnapshotVersion">Digest of the rights that were looked at; "" before the first.</param>
/// <param name="GeneratedAt">When these rights were computed or confirmed.</param>
/// <param name="CommittedVersion">The version of the actor's state in the journal.</param>
/// <param name="ConfirmedAt">The journal had nothing newer at this moment: at most a quarter of a second before the question.</param>
/// <param name="Observing">False while this silo has not seen or not followed everything on the management cluster: what was declared
/// there may not be in the answer yet.</param>
public sealed record KnowledgeView(
    string SnapshotVersion, DateTimeOffset? GeneratedAt, DateTimeOffset? FreshUntil, Freshness Freshness, long CommittedVersion, DateTimeOffset CommittedAt,
    DateTimeOffset ConfirmedAt, bool Observing)
{
    internal static KnowledgeView Of(KnownPermissions known, DateTimeOffset now, bool observing)
    {
        var snapshot = known.State.Snapshot;
        return new KnowledgeView(
            snapshot?.Version ?? "", snapshot?.GeneratedAt, snapshot?.FreshUntil,
            snapshot is null ? Freshness.None : snapshot.FreshnessAt(now) is FreshSnapshot ? Freshness.Fresh : Freshness.Stale,
            known.Version, known.CommittedAt, known.ConfirmedAt, observing);
    }
}

/// <summary>A right, as it is in effect.</summary>
/// <param name="ResourceNames">Absent for all names.</param>
/// <param name="Namespace">Absent for the whole cluster, cluster-scoped objects included.</param>
public sealed record RuleView(
    string ApiGroup, string Resource, IReadOnlyList<string> Verbs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? ResourceNames,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Namespace)
{
    internal static RuleView Of(EffectiveRule rule) => new(
        rule.ApiGroup, rule.Resource, rule.Verbs, rule.ResourceNames.IsDefaultOrEmpty ? null : rule.ResourceNames, rule.Namespace.Length == 0 ? null : rule.Namespace);
}

public sealed record CheckPermissionView(bool Allowed, string Reason, KnowledgeView Knowledge);

public sealed record ListPermissionsView(IReadOnlyList<RuleView> Rules, KnowledgeView Knowledge);

public sealed record WhoCanDoView(IReadOnlyList<string> Principals, KnowledgeView Knowledge);

/// <summary>One declared right about the resource asked for.</summary>
/// <param name="Verdict">What it means for the question.</param>
/// <param name="Rule">The rule's place in the set.</param>
/// <param name="Outcome">What became of the right altogether, with reason and message.</param>
/// <param name="ClusterCeilingRules">The rules of the policy's maximum that overlap it.</param>
/// <param name="PlatformCeilingRules">The rules of the platform's maximum that overlap it.</param>
public sealed record EvidenceView(
    RightVerdict Verdict, string Profile, string PermissionSet, int Rule, string ApiGroup, string Resource, RightOutcome Outcome, string Reason, string Message,
    IReadOnlyList<int> ClusterCeilingRules, IReadOnlyList<int> PlatformCeilingRules, IReadOnlyList<RuleView> Remaining)
{
    internal static EvidenceView Of(RightEvidence evidence)
    {
        var right = evidence.Right;
        return new EvidenceView(
            evidence.Verdict, right.Profile.ToString(), right.Declaration.ToString(), right.RuleIndex, right.ApiGroup, right.Resource, right.Outcome, right.Reason, right.Message,
            right.ClusterCeilingRules, right.PlatformCeilingRules, [.. right.Remaining.Select(RuleView.Of)]);
    }
}

/// <summary>A profile that brings nothing to the cluster, and why.</summary>
public sealed record WithheldView(string Profile, string Why);

/// <param name="MatchedRule">Null when nothing allows it.</param>
/// <param name="Withheld">Profiles of the cluster that bring nothing now; only when the answer is no, and only to those who may ask about everybody.</param>
public sealed record ExplainDecisionView(
    bool Allowed, string Reason, RuleView? MatchedRule, IReadOnlyList<EvidenceView> Evidence, IReadOnlyList<WithheldView> Withheld, KnowledgeView Knowledge);
