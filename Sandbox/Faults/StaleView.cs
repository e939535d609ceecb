using Governor.Sandbox.Store;

namespace Governor.Sandbox.Faults;

/// <summary>Which older state a request is answered from.</summary>
internal sealed record StaleView(long? ResourceVersion, int Changes)
{
    public StoreState Of(ObjectStore store, ResourceId id)
    {
        var now = store.Current;
        var (items, version) = ResourceVersion is { } asked
            ? store.HistoryOf(id).Recall(asked, now.Of(id), now.Version)
            : store.HistoryOf(id).Recall(Changes, now.Of(id), now.Version);
        return new StoreState(version, now.Resources.SetItem(id, items));
    }
}
