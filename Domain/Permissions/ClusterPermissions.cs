using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>What one principal may do on one cluster, in canonical order: equal rights have equal rules.</summary>
[GenerateSerializer, Immutable]
public sealed record PrincipalPermissions(string Principal, ImmutableArray<EffectiveRule> Rules)
{
    /// <summary>
    /// The rule that allows a request, or null. No namespace means a cluster-scoped object or all namespaces; no name means no single
    /// object, which a rule with names does not allow. Only rules at places that contain the request are looked at.
    /// </summary>
    public EffectiveRule? Match(string group, string resource, string verb, string? name = null, string? @namespace = null)
    {
        var subresource = ResourcePattern.SubresourceOfAll(resource);
        foreach (var place in (ReadOnlySpan<string?>)["", string.IsNullOrEmpty(@namespace) ? null : @namespace])
            foreach (var heldGroup in (ReadOnlySpan<string?>)[group, group == ResourcePattern.All ? null : ResourcePattern.All])
                foreach (var heldResource in (ReadOnlySpan<string?>)[resource, subresource, resource == ResourcePattern.All ? null : ResourcePattern.All])
                    if (place is not null && heldGroup is not null && heldResource is not null
                        && MatchAt(new Slot(place, heldGroup, heldResource), verb, name) is { } rule)
                        return rule;
        return null;
    }

    private EffectiveRule? MatchAt(Slot slot, string verb, string? name)
    {
        for (var i = FirstAtOrAfter(slot); i < Rules.Length && Rules[i].Slot == slot; i++)
            if (Rules[i].Permits(verb, name))
                return Rules[i];
        return null;
    }

    private int FirstAtOrAfter(Slot slot)
    {
        var (low, high) = (0, Rules.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (EffectiveRule.Order(Rules[middle].Slot, slot) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}

/// <summary>What every principal may do on one cluster; principals without rights are not listed.</summary>
/// <param name="Principals">Sorted by name, ordinally.</param>
[GenerateSerializer, Immutable]
public sealed record ClusterPermissions(ClusterName Cluster, ImmutableArray<PrincipalPermissions> Principals)
{
    public static ClusterPermissions None(ClusterName cluster) => new(cluster, []);

    /// <inheritdoc cref="PrincipalPermissions.Match"/>
    public bool Allows(string principal, string group, string resource, string verb, string? name = null, string? @namespace = null) =>
        Of(principal)?.Match(group, resource, verb, name, @namespace) is not null;

    /// <summary>The principals that may do it, sorted.</summary>
    public IEnumerable<string> WhoCan(string group, string resource, string verb, string? name = null, string? @namespace = null) =>
        Principals.Where(held => held.Match(group, resource, verb, name, @namespace) is not null).Select(held => held.Principal);

    /// <summary>The rights of a principal, or null when it has none.</summary>
    public PrincipalPermissions? Of(string principal)
    {
        var (low, high) = (0, Principals.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            switch (string.CompareOrdinal(Principals[middle].Principal, principal))
            {
                case 0: return Principals[middle];
                case < 0: low = middle + 1; break;
                default: high = middle - 1; break;
            }
        }
        return null;
    }
}
