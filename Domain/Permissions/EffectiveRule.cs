using System.Collections.Immutable;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>
/// What a principal may do in one place. A rule without names is about all names; a right that has no name left does not exist as a
/// rule, so that nothing ever widens to all.
/// </summary>
/// <param name="Namespace">The namespace it holds in; "" for the whole cluster, cluster-scoped objects included.</param>
/// <param name="ApiGroup">"" for the core group, <c>*</c> for all.</param>
[GenerateSerializer, Immutable]
public sealed record EffectiveRule(
    string Namespace, string ApiGroup, string Resource, ImmutableArray<string> Verbs, ImmutableArray<string> ResourceNames)
{
    /// <summary>The order of slots in canonical form.</summary>
    internal static Comparison<Slot> Order { get; } = static (left, right) =>
        Compare(left.Namespace, left.Group, left.Resource, right.Namespace, right.Group, right.Resource);

    internal Slot Slot => new(Namespace, ApiGroup, Resource);

    internal static EffectiveRule Of(Slot slot, VerbMask verbs, ImmutableArray<string> names) =>
        new(slot.Namespace, slot.Group, slot.Resource, verbs.Spell(), names);

    /// <summary>Whether this rule, which holds at the right place, allows the verb on the name; null asks about no single object.</summary>
    internal bool Permits(string verb, string? name) =>
        (ResourceNames.IsDefaultOrEmpty || (name is { Length: > 0 } && ResourceNames.Contains(name)))
        && (Verbs.Contains(verb) || Verbs.Contains("*"));

    internal static int Compare(string namespace1, string group1, string resource1, string namespace2, string group2, string resource2)
    {
        var byNamespace = string.CompareOrdinal(namespace1, namespace2);
        if (byNamespace != 0)
            return byNamespace;
        var byGroup = string.CompareOrdinal(group1, group2);
        return byGroup != 0 ? byGroup : string.CompareOrdinal(resource1, resource2);
    }

    public override string ToString() =>
        $"{string.Join(',', Verbs)} {(ApiGroup.Length == 0 ? "core" : ApiGroup)}/{Resource}"
        + (ResourceNames.IsDefaultOrEmpty ? "" : $" named {string.Join(',', ResourceNames)}")
        + (Namespace.Length == 0 ? "" : $" in {Namespace}");
}
