namespace Governor.Registry;

/// <summary>A registry that cannot be used as asked, or content that is not what its digest promises.</summary>
public sealed class RegistryException(string reason, string message, bool transient = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>A condition reason, one of <see cref="RegistryReasons"/>.</summary>
    public string Reason { get; } = reason;

    /// <summary>Whether the same request may succeed later without anybody changing anything.</summary>
    public bool IsTransient { get; } = transient;
}

/// <summary>The reasons that <see cref="RegistryException"/> and a pack source's errors carry.</summary>
public static class RegistryReasons
{
    /// <summary>The bytes are not those of the digest that was asked for.</summary>
    public const string DigestMismatch = "DigestMismatch";

    /// <summary>The registry has no such manifest or blob.</summary>
    public const string LayerNotFound = "LayerNotFound";

    /// <summary>No connection, no answer in time, or an answer that asks for another try.</summary>
    public const string RegistryUnreachable = "RegistryUnreachable";

    /// <summary>A limit was exceeded: of a manifest, of a layer, of its unpacked size or its entries.</summary>
    public const string LayerTooLarge = "LayerTooLarge";

    /// <summary>The OCI manifest is not a pack layer's, or the layer's YAML is not Kubernetes objects.</summary>
    public const string ManifestInvalid = "ManifestInvalid";

    /// <summary>The layer is not a gzip-compressed tar of plain files.</summary>
    public const string LayerInvalid = "LayerInvalid";

    /// <summary>The registry does not let us, or the credentials cannot be read.</summary>
    public const string RegistryDenied = "RegistryDenied";

    /// <summary>The registry sent us where we do not go.</summary>
    public const string RedirectRefused = "RedirectRefused";

    /// <summary>The reference cannot be used, or the registry answered with anything else.</summary>
    public const string RegistryRefused = "RegistryRefused";
}
