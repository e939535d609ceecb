namespace Governor.Grains.Tests.Support;

internal static class Permutations
{
    /// <summary>Every order of the items, in an order that is always the same.</summary>
    public static IEnumerable<T[]> Of<T>(IReadOnlyList<T> items)
    {
        if (items.Count == 0)
            return [[]];
        return items.SelectMany((first, i) => Of([.. items.Take(i), .. items.Skip(i + 1)]).Select(rest => (T[])[first, .. rest]));
    }
}
