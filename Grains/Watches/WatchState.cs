using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Grains.Watches;

/// <summary>What a stream has told the actors to exist: key and UID. After a restart, whatever is missing from the first list is told as gone.</summary>
[GenerateSerializer]
public sealed class WatchState
{
    [Id(0)]
    public Dictionary<string, string> Known { get; set; } = [];

    public IReadOnlyDictionary<ObjectKey, string> KnownObjects() => Known.ToDictionary(k => ObjectKey.Parse(k.Key), k => k.Value);
}
