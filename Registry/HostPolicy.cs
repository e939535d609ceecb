namespace Governor.Registry;

/// <summary>Which hosts are spoken to in the clear, and where a registry may send us.</summary>
internal sealed class HostPolicy(IEnumerable<string> insecureHosts)
{
    private readonly HashSet<string> _insecure = new(insecureHosts, StringComparer.OrdinalIgnoreCase);

    internal Uri Base(RepositoryName repository)
    {
        var secure = new Uri($"https://{repository.Host}/");
        return AllowsClear(secure, repository.Host) ? new Uri($"http://{repository.Host}/") : secure;
    }

    /// <summary>Where an answer sends us: never from https to http, and over http only to hosts that we would ask over http ourselves.</summary>
    /// <exception cref="RegistryException">What the registry asked for and why it is not done.</exception>
    internal Uri Follow(Uri from, Uri? location)
    {
        if (location is null)
            throw Refused(from, "a Location, found none");
        var target = location.IsAbsoluteUri ? location : new Uri(from, location);
        if (target.UserInfo.Length > 0)
            throw Refused(from, "a Location without credentials in it, found some");
        if (target.Scheme == Uri.UriSchemeHttps)
            return target;
        if (target.Scheme != Uri.UriSchemeHttp || from.Scheme != Uri.UriSchemeHttp)
            throw Refused(from, $"a Location under {from.Scheme}, found {target.Scheme}://{target.Authority}");
        if (!AllowsClear(target, target.Authority))
            throw Refused(from, $"plain http to loopback or one of the insecure hosts only, found {target.Authority}");
        return target;
    }

    private bool AllowsClear(Uri uri, string authority) =>
        uri.IsLoopback || _insecure.Contains(uri.Host) || _insecure.Contains(authority);

    private static RegistryException Refused(Uri from, string problem) =>
        new(RegistryReasons.RedirectRefused, $"{from.Authority}: expected {problem}");
}
