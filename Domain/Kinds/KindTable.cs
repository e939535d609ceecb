using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Governor.Domain.Kinds;

/// <summary>
/// Every governed kind, found by its type. Aliases are found only when their set is active, so that a cluster that never ran the
/// reference implementation is not asked for its kinds.
/// </summary>
public sealed class KindTable
{
    private readonly FrozenDictionary<(string Group, string Kind), KindDescription> _byType;
    private readonly FrozenSet<string> _active;

    private KindTable(ImmutableArray<KindDescription> kinds, ImmutableArray<string> activeAliasSets)
    {
        Kinds = kinds;
        ActiveAliasSets = activeAliasSets;
        _active = activeAliasSets.ToFrozenSet(StringComparer.Ordinal);
        _byType = kinds.SelectMany(kind => Names(kind).Select(name => KeyValuePair.Create((name.Group, name.Kind), kind))).ToFrozenDictionary();
    }

    /// <summary>All kinds under our names, no alias.</summary>
    public static KindTable Default { get; } = new(KindCatalogue.All, []);

    public ImmutableArray<KindDescription> Kinds { get; }

    public ImmutableArray<string> ActiveAliasSets { get; }

    public IEnumerable<KindDescription> Watched => Kinds.Where(kind => kind.Watched);

    /// <summary>The same kinds, readable under the names of these alias sets too.</summary>
    /// <exception cref="ArgumentException">No such set; the message lists those there are.</exception>
    public KindTable WithAliases(params IEnumerable<string> sets)
    {
        var active = sets.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToImmutableArray();
        var unknown = active.Where(set => !AliasSets.All.Contains(set)).ToArray();
        return unknown.Length == 0
            ? new KindTable(Kinds, active)
            : throw new ArgumentException(
                $"expected alias sets out of {string.Join(", ", AliasSets.All)}, found {string.Join(", ", unknown)}", nameof(sets));
    }

    /// <summary>The kind of a type, under its own name or an active alias; the version plays no part. Null when it is not governed.</summary>
    public KindDescription? Find(GroupVersionKind type) => Find(type.Group, type.Kind);

    /// <inheritdoc cref="Find(GroupVersionKind)"/>
    public KindDescription? Find(string group, string kind) => _byType.GetValueOrDefault((group, kind));

    /// <exception cref="ArgumentException">The type is not governed.</exception>
    public KindDescription Get(GroupVersionKind type) =>
        Find(type) ?? throw new ArgumentException($"expected a governed kind, found {type}", nameof(type));

    /// <summary>Every type under which a kind may be served: its own name first, then its active aliases.</summary>
    public IEnumerable<GroupVersionKind> Names(KindDescription kind) =>
        kind.Aliases.Where(alias => _active.Contains(alias.Set)).Select(alias => alias.Gvk).Prepend(kind.Gvk);

    /// <summary>Our name for a type that may be an alias; the type itself when it is not governed.</summary>
    public GroupVersionKind Canonical(GroupVersionKind type) => Find(type)?.Gvk ?? type;
}
