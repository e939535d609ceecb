using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Governor.Domain.Permissions;

/// <summary>Where rights hold: a namespace ("" for the whole cluster), a group and a resource, the latter two perhaps patterns.</summary>
internal readonly record struct Slot(string Namespace, string Group, string Resource);

/// <summary>The verbs in one slot: on all names, and on single names. Verbs of one name never leak to another.</summary>
internal sealed class Cell
{
    public VerbMask All { get; set; }

    public Dictionary<string, VerbMask>? Named { get; private set; }

    public bool IsEmpty => All == VerbMask.None && Named is not { Count: > 0 };

    public void Add(string name, VerbMask verbs)
    {
        if (verbs == VerbMask.None)
            return;
        Named ??= new Dictionary<string, VerbMask>(StringComparer.Ordinal);
        ref var current = ref CollectionsMarshal.GetValueRefOrAddDefault(Named, name, out _);
        current = current.Or(verbs);
    }

    /// <summary>What this cell grants on a name.</summary>
    public VerbMask On(string name) => Named is not null && Named.TryGetValue(name, out var verbs) ? All.Or(verbs) : All;

    /// <summary>Takes away what the other cell, which reaches at least as far, grants as well.</summary>
    public void Remove(Cell cover)
    {
        All = All.Less(cover.All);
        if (Named is null)
            return;
        foreach (var (name, verbs) in Named)
            Reduce(name, verbs.Less(cover.On(name)));
    }

    /// <summary>Takes away from single names what holds for all names.</summary>
    public void RemoveNamesUnderAll()
    {
        if (Named is null || All == VerbMask.None)
            return;
        foreach (var (name, verbs) in Named)
            Reduce(name, verbs.Less(All));
    }

    // Removing and overwriting during enumeration is allowed for Dictionary since .NET Core 3; adding is not, and is not done.
    private void Reduce(string name, VerbMask rest)
    {
        if (rest == VerbMask.None)
            Named!.Remove(name);
        else
            CollectionsMarshal.GetValueRefOrNullRef(Named!, name) = rest;
    }
}

/// <summary>
/// A set of exact tuples (namespace, group, resource, verb, name), kept by slot so that merging costs one look-up per rule.
/// Pruned, it holds the maximal tuples only. Because the names of groups, resources, verbs and objects are unbounded, no wildcard is
/// ever covered by single values, so the maximal tuples are a canonical form: equal rights have equal tables.
/// </summary>
/// <param name="slots">About so many are going to be in it: a table that grows is copied again and again, and leaves large arrays behind.</param>
internal sealed class RuleTable(int slots = 0)
{
    private readonly Dictionary<Slot, Cell> _cells = new(slots);
    private bool _namespaced;
    private bool _anyGroup;
    private bool _anyResource;

    public IEnumerable<KeyValuePair<Slot, Cell>> Cells => _cells;

    public bool IsEmpty => _cells.Count == 0;

    public Cell? Find(Slot slot) => _cells.GetValueOrDefault(slot);

    /// <summary>The cell of a slot, made when it is not there. The caller puts something into it.</summary>
    public Cell At(Slot slot)
    {
        ref var cell = ref CollectionsMarshal.GetValueRefOrAddDefault(_cells, slot, out var exists);
        if (exists)
            return cell!;
        _namespaced |= slot.Namespace.Length > 0;
        _anyGroup |= slot.Group == ResourcePattern.All;
        _anyResource |= ResourcePattern.IsPattern(slot.Resource);
        return cell = new Cell();
    }

    /// <summary>Adds one rule at one slot; no name means all names.</summary>
    public void Add(Slot slot, VerbMask verbs, ImmutableArray<string> names)
    {
        if (verbs == VerbMask.None)
            return;
        var cell = At(slot);
        if (names.IsDefaultOrEmpty)
            cell.All = cell.All.Or(verbs);
        else
            foreach (var name in names)
                cell.Add(name, verbs);
    }

    /// <summary>Removes every tuple that a wider one contains, and the slots that are left empty.</summary>
    public void Prune()
    {
        var covered = _namespaced || _anyGroup || _anyResource;
        foreach (var (slot, cell) in _cells)
        {
            cell.RemoveNamesUnderAll();
            if (covered)
                RemoveCovered(slot, cell);
            if (cell.IsEmpty)
                _cells.Remove(slot);
        }
    }

    /// <summary>The tuples as rules in canonical order: namespace, group, resource, all names before single names.</summary>
    public ImmutableArray<EffectiveRule> ToRules()
    {
        var slots = new (Slot Slot, Cell Cell)[_cells.Count];
        var n = 0;
        foreach (var (slot, cell) in _cells)
            slots[n++] = (slot, cell);
        slots.AsSpan().Sort(static (left, right) => EffectiveRule.Order(left.Slot, right.Slot));
        var rules = ImmutableArray.CreateBuilder<EffectiveRule>(slots.Length);
        foreach (var (slot, cell) in slots)
        {
            if (cell.All != VerbMask.None)
                rules.Add(EffectiveRule.Of(slot, cell.All, []));
            if (cell.Named is { Count: > 0 } named)
                AddNamed(rules, slot, named);
        }
        return rules.DrainToImmutable();
    }

    // Names with the same verbs are one rule: the smaller mask first, names in their order.
    private static void AddNamed(ImmutableArray<EffectiveRule>.Builder rules, Slot slot, Dictionary<string, VerbMask> named)
    {
        var entries = new (VerbMask Verbs, string Name)[named.Count];
        var n = 0;
        foreach (var (name, verbs) in named)
            entries[n++] = (verbs, name);
        entries.AsSpan().Sort(static (left, right) => left.Verbs != right.Verbs ? ((uint)left.Verbs).CompareTo((uint)right.Verbs) : string.CompareOrdinal(left.Name, right.Name));
        for (var first = 0; first < entries.Length;)
        {
            var end = first + 1;
            while (end < entries.Length && entries[end].Verbs == entries[first].Verbs)
                end++;
            var names = new string[end - first];
            for (var i = 0; i < names.Length; i++)
                names[i] = entries[first + i].Name;
            rules.Add(EffectiveRule.Of(slot, entries[first].Verbs, ImmutableCollectionsMarshal.AsImmutableArray(names)));
            first = end;
        }
    }

    // The order of removal does not matter: whatever a wider slot loses, it loses to a still wider one, which covers this slot too.
    private void RemoveCovered(Slot slot, Cell cell)
    {
        var subresource = _anyResource ? ResourcePattern.SubresourceOfAll(slot.Resource) : null;
        foreach (var @namespace in (ReadOnlySpan<string?>)[slot.Namespace, _namespaced && slot.Namespace.Length > 0 ? "" : null])
            foreach (var group in (ReadOnlySpan<string?>)[slot.Group, _anyGroup && slot.Group != ResourcePattern.All ? ResourcePattern.All : null])
                foreach (var resource in (ReadOnlySpan<string?>)
                    [slot.Resource, subresource, _anyResource && slot.Resource != ResourcePattern.All ? ResourcePattern.All : null])
                {
                    if (@namespace is null || group is null || resource is null)
                        continue;
                    var wider = new Slot(@namespace, group, resource);
                    if (wider != slot && _cells.TryGetValue(wider, out var cover))
                        cell.Remove(cover);
                }
    }
}
