using Governor.Domain.Clusters;
using Governor.Domain.Kinds;

namespace Governor.Grains.Watches;

/// <summary>What a watch grain watches: one kind on one cluster, all of it or one object.</summary>
public sealed record WatchKey(ClusterName Cluster, GroupVersionKind Kind, ObjectKey? Object)
{
    private const char Separator = '|';

    public static string Of(ClusterName cluster, GroupVersionKind kind, ObjectKey? one = null) =>
        string.Join(Separator, cluster.Value, kind.Group, kind.Version, kind.Kind, one?.ToString() ?? "");

    /// <exception cref="FormatException">Not a key made by <see cref="Of"/>.</exception>
    public static WatchKey Parse(string text) => text.Split(Separator) is [var cluster, var group, var version, var kind, var one]
        ? new WatchKey(new ClusterName(cluster), new GroupVersionKind(group, version, kind), one.Length > 0 ? ObjectKey.Parse(one) : null)
        : throw new FormatException($"expected 'cluster|group|version|kind|object', found '{text}'");
}
