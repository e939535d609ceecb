using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Governor.Domain.Permissions;

/// <summary>
/// A ceiling made ready for many rules: its maximal tuples, and for every declared pattern asked about so far the part of the ceiling
/// that overlaps it. Not thread-safe; made for one computation.
/// </summary>
internal sealed class Ceiling
{
    private readonly RuleTable _table;
    private readonly Dictionary<(string Group, string Resource), Overlap[]> _overlaps = [];

    private ILookup<string, KeyValuePair<Slot, Cell>>? _byGroup;
    private ILookup<string, KeyValuePair<Slot, Cell>>? _byResource;

    private readonly Dictionary<string, Held> _groups = new(StringComparer.Ordinal);
    private readonly Held? _anyGroup;

    private Ceiling(RuleTable table)
    {
        table.Prune();
        _table = table;
        foreach (var (slot, cell) in table.Cells)
            (CollectionsMarshal.GetValueRefOrAddDefault(_groups, slot.Group, out _) ??= new Held()).Add(slot.Resource, cell);
        _groups.Remove(ResourcePattern.All, out _anyGroup);
    }

    private ILookup<string, KeyValuePair<Slot, Cell>> ByGroup => _byGroup ??= _table.Cells.ToLookup(entry => entry.Key.Group, StringComparer.Ordinal);

    private ILookup<string, KeyValuePair<Slot, Cell>> ByResource =>
        _byResource ??= _table.Cells.ToLookup(entry => entry.Key.Resource, StringComparer.Ordinal);

    /// <summary>A part of the ceiling that a declared (group, resource) shares: where, and the verbs there.</summary>
    private readonly record struct Overlap(string Group, string Resource, Cell Cell);

    public static Ceiling Of(ImmutableArray<PermissionRule> rules)
    {
        var table = new RuleTable();
        foreach (var rule in rules.IsDefault ? [] : rules)
        {
            var verbs = VerbMasks.Of(rule.Verbs);
            foreach (var group in rule.EffectiveGroups)
                foreach (var resource in rule.Resources.IsDefault ? [] : rule.Resources)
                    table.Add(new Slot("", group, resource), verbs, rule.ResourceNames);
        }
        return new Ceiling(table);
    }

    /// <summary>Both ceilings at once.</summary>
    public static Ceiling Of(ImmutableArray<PermissionRule> rules, Ceiling other)
    {
        var table = new RuleTable();
        foreach (var rule in rules.IsDefault ? [] : rules)
        {
            var verbs = VerbMasks.Of(rule.Verbs);
            foreach (var group in rule.EffectiveGroups)
                foreach (var resource in rule.Resources.IsDefault ? [] : rule.Resources)
                    other.Intersect("", group, resource, verbs, rule.ResourceNames, table);
        }
        return new Ceiling(table);
    }

    /// <summary>Adds to the table what a declared rule and this ceiling share at one (group, resource). True when that is anything.</summary>
    public bool Intersect(string @namespace, string group, string resource, VerbMask verbs, ImmutableArray<string> names, RuleTable into)
    {
        var shared = false;
        if (group == ResourcePattern.All || ResourcePattern.IsPattern(resource))
        {
            foreach (var overlap in Overlaps(group, resource))
            {
                Cell? part = null;
                Intersect(new Slot(@namespace, overlap.Group, overlap.Resource), overlap.Cell, verbs, names, into, ref part);
                shared |= part is not null;
            }
            return shared;
        }
        // One kind of resource lies under at most six places of the ceiling, and what it shares with each lies at its own place.
        var place = new Slot(@namespace, group, resource);
        Cell? cell = null;
        Under(_groups.GetValueOrDefault(group), ref cell);
        Under(_anyGroup, ref cell);
        return cell is not null;

        void Under(Held? held, ref Cell? made)
        {
            if (held is null)
                return;
            var (all, itself, subresource) = held.Over(resource);
            if (all is not null)
                Intersect(place, all, verbs, names, into, ref made);
            if (itself is not null)
                Intersect(place, itself, verbs, names, into, ref made);
            if (subresource is not null)
                Intersect(place, subresource, verbs, names, into, ref made);
        }
    }

    /// <summary>The verbs of a declared rule at one (group, resource) that the ceiling does not grant on all of the rule's names.</summary>
    public VerbMask Excess(string group, string resource, VerbMask verbs, ImmutableArray<string> names)
    {
        var shared = new RuleTable();
        Intersect("", group, resource, verbs, names, shared);
        // Nothing but a tuple of the ceiling that contains the declared one wholly meets it at the declared place itself.
        var within = shared.Find(new Slot("", group, resource));
        if (within is null)
            return verbs;
        if (names.IsDefaultOrEmpty)
            return verbs.Less(within.All);
        var excess = VerbMask.None;
        foreach (var name in names)
            excess = excess.Or(verbs.Less(within.On(name)));
        return excess;
    }

    /// <param name="cell">The cell of the slot; null as long as nothing has been put into it.</param>
    private static void Intersect(Slot slot, Cell ceiling, VerbMask verbs, ImmutableArray<string> names, RuleTable into, ref Cell? cell)
    {
        var everyName = verbs.And(ceiling.All);
        if (everyName != VerbMask.None)
        {
            cell ??= into.At(slot);
            if (names.IsDefaultOrEmpty)
                cell.All = cell.All.Or(everyName);
            else
                foreach (var name in names)
                    cell.Add(name, everyName);
        }
        if (ceiling.Named is null)
            return;
        if (names.IsDefaultOrEmpty)
            foreach (var (name, granted) in ceiling.Named)
                Share(name, verbs.And(granted), ref cell);
        else
            foreach (var name in names)
                Share(name, verbs.And(ceiling.Named.GetValueOrDefault(name)), ref cell);

        void Share(string name, VerbMask granted, ref Cell? shared)
        {
            if (granted != VerbMask.None)
                (shared ??= into.At(slot)).Add(name, granted);
        }
    }

    /// <summary>A declared pattern overlaps everything that lies under it; what it overlaps is searched once and kept.</summary>
    private Overlap[] Overlaps(string group, string resource)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_overlaps, (group, resource), out var exists);
        return exists ? known! : known = Search(group, resource);
    }

    private Overlap[] Search(string group, string resource)
    {
        var found = new List<Overlap>();
        foreach (var (slot, cell) in Candidates(group, resource))
            if (ResourcePattern.MeetGroups(group, slot.Group) is { } sharedGroup
                && ResourcePattern.MeetResources(resource, slot.Resource) is { } sharedResource)
                found.Add(new Overlap(sharedGroup, sharedResource, cell));
        return [.. found];
    }

    /// <summary>The parts of the ceiling that may overlap a pattern, found without looking at the rest of it.</summary>
    private IEnumerable<KeyValuePair<Slot, Cell>> Candidates(string group, string resource)
    {
        if (group != ResourcePattern.All)
            return ByGroup[group].Concat(ByGroup[ResourcePattern.All]);
        if (ResourcePattern.IsPattern(resource))
            return _table.Cells;
        return ResourcePattern.SubresourceOfAll(resource) is { } subresource
            ? ByResource[resource].Concat(ByResource[subresource]).Concat(ByResource[ResourcePattern.All])
            : ByResource[resource].Concat(ByResource[ResourcePattern.All]);
    }

    /// <summary>What the ceiling holds in one group: one look-up for the group, and as few as can be for the resource.</summary>
    private sealed class Held
    {
        private readonly Dictionary<string, Cell> _resources = new(StringComparer.Ordinal);
        private Cell? _all;
        private bool _hasSubresourcesOfAll;

        public void Add(string resource, Cell cell)
        {
            if (resource == ResourcePattern.All)
                _all = cell;
            else
                _resources[resource] = cell;
            _hasSubresourcesOfAll |= ResourcePattern.IsSubresourceOfAll(resource);
        }

        /// <summary>The places that one kind of resource lies under.</summary>
        public (Cell? All, Cell? Itself, Cell? Subresource) Over(string resource) => _resources.Count == 0
            ? (_all, null, null)
            : (_all, _resources.GetValueOrDefault(resource),
                _hasSubresourcesOfAll && ResourcePattern.SubresourceOfAll(resource) is { } subresource ? _resources.GetValueOrDefault(subresource) : null);
    }
}
