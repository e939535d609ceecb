using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Governor.Domain.Clusters;

namespace Governor.Domain.Permissions;

/// <summary>
/// What each principal may do on one cluster: what its profiles declare, cut down to the ceilings of the same profiles. Every tuple of
/// (namespace, group, resource, verb, name) is cut by itself, so that verbs and names never mix; what nothing is left of is not there.
/// </summary>
public static class EffectivePermissions
{
    /// <summary>Time grows with the number of rules, not with their square. The order of the grants does not matter.</summary>
    public static ClusterPermissions Compute(ClusterName cluster, IReadOnlyCollection<Grant> grants)
    {
        var ceilings = new Ceilings();
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var grant in grants)
            CollectionsMarshal.GetValueRefOrAddDefault(sizes, grant.Principal, out _) += SizeOf(grant);
        var principals = new Dictionary<string, RuleTable>(sizes.Count, StringComparer.Ordinal);
        foreach (var grant in grants)
        {
            ref var table = ref CollectionsMarshal.GetValueRefOrAddDefault(principals, grant.Principal, out _);
            Add(grant, ceilings.Of(grant), table ??= new RuleTable(sizes[grant.Principal]));
        }
        var made = ImmutableArray.CreateBuilder<PrincipalPermissions>(principals.Count);
        foreach (var (principal, table) in principals)
        {
            table.Prune();
            if (!table.IsEmpty)
                made.Add(new PrincipalPermissions(principal, table.ToRules()));
        }
        made.Sort(static (left, right) => string.CompareOrdinal(left.Principal, right.Principal));
        return new ClusterPermissions(cluster, made.ToImmutable());
    }

    /// <summary>
    /// The permissions after a change that concerns these principals only: theirs are computed anew, all others' are taken over as they are.
    /// </summary>
    /// <param name="grants">All grants of these principals on the cluster, and of nobody else.</param>
    public static ClusterPermissions Replace(ClusterPermissions before, IReadOnlySet<string> principals, IReadOnlyCollection<Grant> grants)
    {
        var made = Compute(before.Cluster, grants).Principals;
        var merged = ImmutableArray.CreateBuilder<PrincipalPermissions>(before.Principals.Length + made.Length);
        merged.AddRange(before.Principals.Where(held => !principals.Contains(held.Principal)));
        merged.AddRange(made);
        merged.Sort(static (left, right) => string.CompareOrdinal(left.Principal, right.Principal));
        return new ClusterPermissions(before.Cluster, merged.ToImmutable());
    }

    // Where nothing is declared twice, and nothing is a pattern.
    private static int SizeOf(Grant grant)
    {
        var size = 0;
        foreach (var declaration in grant.Declarations)
        {
            var rights = 0;
            foreach (var rule in declaration.Rules)
                rights += rule.EffectiveGroups.Length * rule.Resources.Length;
            size += rights * grant.Places(declaration).Length;
        }
        return size;
    }

    private static void Add(Grant grant, Ceiling ceiling, RuleTable into)
    {
        foreach (var declaration in grant.Declarations)
            foreach (var place in grant.Places(declaration))
                foreach (var rule in declaration.Rules)
                {
                    var verbs = VerbMasks.Of(rule.Verbs);
                    if (verbs == VerbMask.None)
                        continue;
                    foreach (var group in rule.EffectiveGroups)
                        foreach (var resource in rule.Resources)
                            ceiling.Intersect(place, group, resource, verbs, rule.ResourceNames, into);
                }
    }

    /// <summary>The ceilings met so far: many profiles share one.</summary>
    private sealed class Ceilings
    {
        private readonly Dictionary<(ImmutableArray<PermissionRule> Cluster, ImmutableArray<PermissionRule> Platform), Ceiling> _ready = [];
        private readonly Dictionary<ImmutableArray<PermissionRule>, Ceiling> _platform = [];

        public Ceiling Of(Grant grant)
        {
            var key = (grant.ClusterCeiling.Rules, grant.PlatformCeiling?.Rules ?? default);
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_ready, key, out var exists);
            if (!exists)
                known = grant.PlatformCeiling is { } platform
                    ? Ceiling.Of(grant.ClusterCeiling.Rules, Platform(platform))
                    : Ceiling.Of(grant.ClusterCeiling.Rules);
            return known!;
        }

        private Ceiling Platform(PermissionCeiling ceiling)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_platform, ceiling.Rules, out var exists);
            return exists ? known! : known = Ceiling.Of(ceiling.Rules);
        }
    }
}
