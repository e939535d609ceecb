using System.Collections.Frozen;

namespace Governor.Registry;

/// <summary>The three layers of a pack, in the order in which they are applied.</summary>
public enum PackLayerKind
{
    Rbac,
    ClusterScoped,
    Workload,
}

/// <summary>The media types of pack layers.</summary>
public static class PackMediaTypes
{
    /// <summary>Ours, and what else is read: OCI's own types and those that the reference implementation documents or pushes.</summary>
    private static readonly FrozenSet<string> Readable = new[]
    {
        "application/vnd.ontai.rbac.v1+tar.gzip",
        "application/vnd.ontai.cluster-scoped.v1+tar.gzip",
        "application/vnd.ontai.workload.v1+tar.gzip",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.ontai.rbac.v1",
        "application/vnd.ontai.cluster-scoped.v1",
        "application/vnd.ontai.workload.v1",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static string Of(PackLayerKind kind) => kind switch
    {
        PackLayerKind.Rbac => "application/vnd.ontai.rbac.v1+tar.gzip",
        PackLayerKind.ClusterScoped => "application/vnd.ontai.cluster-scoped.v1+tar.gzip",
        PackLayerKind.Workload => "application/vnd.ontai.workload.v1+tar.gzip",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    public static bool IsReadable(string mediaType) => Readable.Contains(mediaType);
}
