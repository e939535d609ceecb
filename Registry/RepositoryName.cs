using System.Text.RegularExpressions;

namespace Governor.Registry;

/// <summary>A repository in a registry, <c>host[:port]/path</c>: what <c>spec.registryRef.url</c> of a ClusterPack says.</summary>
public sealed partial record RepositoryName
{
    private RepositoryName(string host, string path)
    {
        Host = host;
        Path = path;
    }

    /// <summary>Host and, where there is one, port.</summary>
    public string Host { get; }

    public string Path { get; }

    /// <summary>
    /// Reads <c>host[:port]/path</c>. A leading <c>oci://</c> is allowed; a tag is allowed and dropped, because content is always
    /// asked for by digest.
    /// </summary>
    /// <exception cref="FormatException">Says expected and found.</exception>
    public static RepositoryName Parse(string text)
    {
        var rest = text.StartsWith("oci://", StringComparison.Ordinal) ? text[6..] : text;
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var tag = rest.LastIndexOf(':');
        if (tag > slash && slash > 0)
            rest = rest[..tag];
        if (slash <= 0 || rest.Length > 400 || !HostPattern().IsMatch(rest[..slash]) || !PathPattern().IsMatch(rest[(slash + 1)..]))
            throw new FormatException($"expected a repository as 'host[:port]/path' with a lower-case path, found '{(text.Length > 100 ? text[..100] + "…" : text)}'");
        return new RepositoryName(rest[..slash], rest[(slash + 1)..]);
    }

    public override string ToString() => $"{Host}/{Path}";

    /// <summary>A dot, a port or localhost tells a host from a path component, as everywhere with image references.</summary>
    [GeneratedRegex(@"\A(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:)|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex HostPattern();

    /// <summary>The name grammar of the OCI distribution specification.</summary>
    [GeneratedRegex(@"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z", RegexOptions.ExplicitCapture)]
    private static partial Regex PathPattern();
}
