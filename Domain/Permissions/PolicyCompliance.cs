using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>How a profile stands to its policy: what breaks it, and what an auditing policy merely notes.</summary>
[GenerateSerializer, Immutable]
public sealed record Compliance(ImmutableArray<Failure> Violations, ImmutableArray<Failure> Notes)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsCompliant => Violations.IsEmpty;
}

/// <summary>Checks a profile against its policy: target clusters, the kind of principal, and every right against the ceiling.</summary>
public static class PolicyCompliance
{
    /// <summary>The check that every right is within the policy's maximum.</summary>
    public const string WithinCeiling = "WithinCeiling";

    /// <param name="declared">The sets that the profile declares, as far as they are there.</param>
    /// <param name="ceiling">The policy's maximum.</param>
    public static Compliance Check(
        RbacProfile profile, RbacPolicy policy, IReadOnlyDictionary<ObjectKey, PermissionSet> declared, PermissionSet ceiling)
    {
        var soft = TargetClusters(profile, policy).Concat(Rights(profile, declared, ceiling)).ToImmutableArray();
        var hard = Subject(profile, policy).ToImmutableArray();
        return policy.EnforcementMode == EnforcementMode.Strict
            ? new Compliance(hard.AddRange(soft), [])
            : new Compliance(hard, [.. soft.Select(note => note with { Message = $"[audit] {note.Message}" })]);
    }

    private static IEnumerable<Failure> Subject(RbacProfile profile, RbacPolicy policy)
    {
        var wanted = profile.PrincipalRef.StartsWith(Principal.ServiceAccountPrefix, StringComparison.Ordinal) ? SubjectScope.Platform : SubjectScope.Tenant;
        if (policy.SubjectScope != wanted)
            yield return new Failure("SubjectScopeMatches", "spec.principalRef",
                $"'{profile.PrincipalRef}' needs a policy of subjectScope {Text(wanted)}, found {Text(policy.SubjectScope)} in {policy.Key}");
    }

    private static IEnumerable<Failure> TargetClusters(RbacProfile profile, RbacPolicy policy) =>
        from indexed in profile.TargetClusters.Select((cluster, index) => (Cluster: cluster, Index: index))
        where !policy.AllowedClusters.IsEmpty && !policy.AllowedClusters.Contains(indexed.Cluster)
        select new Failure("TargetClusterAllowed", $"spec.targetClusters[{indexed.Index}]",
            $"expected one of {string.Join(", ", policy.AllowedClusters)} ({policy.Key}), found '{indexed.Cluster}'");

    private static IEnumerable<Failure> Rights(RbacProfile profile, IReadOnlyDictionary<ObjectKey, PermissionSet> declared, PermissionSet maximum)
    {
        var ceiling = Ceiling.Of(maximum.Rules);
        foreach (var key in profile.PermissionSets)
            foreach (var excess in declared.TryGetValue(key, out var set) ? Excess(set, ceiling) : [])
                yield return new Failure(WithinCeiling, "spec.permissionDeclarations", $"{set!.Key} {excess}, beyond the maximum {maximum.Key}");
    }

    /// <summary>What a set claims beyond a ceiling, rule by rule.</summary>
    public static IEnumerable<string> Excess(PermissionSet set, ImmutableArray<PermissionRule> ceiling) => Excess(set, Ceiling.Of(ceiling));

    private static IEnumerable<string> Excess(PermissionSet set, Ceiling ceiling)
    {
        for (var i = 0; i < set.Rules.Length; i++)
            foreach (var group in set.Rules[i].EffectiveGroups)
                foreach (var resource in set.Rules[i].Resources)
                {
                    var excess = ceiling.Excess(group, resource, VerbMasks.Of(set.Rules[i].Verbs), set.Rules[i].ResourceNames);
                    if (excess != VerbMask.None)
                        yield return $"rule {i} claims {EffectiveRule.Of(new Slot("", group, resource), excess, set.Rules[i].ResourceNames)}";
                }
    }

    private static string Text(SubjectScope scope) => scope == SubjectScope.Platform ? "platform" : "tenant";
}
