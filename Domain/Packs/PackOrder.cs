namespace Governor.Domain.Packs;

/// <summary>Which of the ClusterPacks of a lineage is the one to have.</summary>
public static class PackOrder
{
    /// <summary>
    /// The newest. By version, where all of them can be compared and differ; otherwise by the order in which they were declared, so that
    /// it is one order over all of them and never goes in a circle.
    /// </summary>
    public static PackFact? Newest(IEnumerable<PackFact> declared)
    {
        var packs = declared.Where(pack => pack is { Exists: true, Spec: not null }).ToArray();
        var byVersion = packs.All(pack => PackVersion.Parse(pack.Spec!.Version) is not null);
        return packs.Order(Comparer<PackFact>.Create((left, right) =>
            byVersion && PackVersion.Parse(left.Spec!.Version)!.Value.CompareTo(PackVersion.Parse(right.Spec!.Version)!.Value) is var order and not 0
                ? order
                : ByDeclaration(left, right))).LastOrDefault();
    }

    /// <summary>Where a release moves the target. A version that is no version of ours counts by the order of declaration.</summary>
    public static UpgradeDirection Direction(string? previous, string next, DateTimeOffset previousDeclared = default, DateTimeOffset nextDeclared = default)
    {
        if (previous is null)
            return UpgradeDirection.Initial;
        if (previous == next)
            return UpgradeDirection.Redeploy;
        if (PackVersion.Parse(previous) is not { } old || PackVersion.Parse(next) is not { } made)
            return nextDeclared < previousDeclared ? UpgradeDirection.Rollback : UpgradeDirection.Upgrade;
        return made.CompareTo(old) switch
        {
            > 0 => UpgradeDirection.Upgrade,
            < 0 => UpgradeDirection.Rollback,
            _ => UpgradeDirection.Redeploy,
        };
    }

    private static int ByDeclaration(PackFact left, PackFact right) =>
        left.DeclaredAt.CompareTo(right.DeclaredAt) is var order and not 0 ? order : string.CompareOrdinal(left.Pack.Name, right.Pack.Name);
}
