namespace Governor.Registry.Tests;

public sealed class RepositoryNameTests
{
    [Theory]
    [InlineData("registry.example.org/packs/web", "registry.example.org", "packs/web")]
    [InlineData("oci://registry.example.org:5000/web", "registry.example.org:5000", "web")]
    [InlineData("localhost/web", "localhost", "web")]
    [InlineData("registry:5000/a_b/c--d.e", "registry:5000", "a_b/c--d.e")]
    [InlineData("[::1]:5000/web", "[::1]:5000", "web")]
    [InlineData("127.0.0.1:5000/web:v1.0.0-rbac", "127.0.0.1:5000", "web")]
    public void A_repository_is_host_and_path(string text, string host, string path)
    {
        var made = RepositoryName.Parse(text);
        Assert.Equal((host, path), (made.Host, made.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("web")]
    [InlineData("packs/web")]
    [InlineData("https://registry.example.org/web")]
    [InlineData("registry.example.org/")]
    [InlineData("registry.example.org/Web")]
    [InlineData("registry.example.org/a/../b")]
    [InlineData("registry.example.org/a?b")]
    [InlineData("user@registry.example.org/a")]
    [InlineData("registry.example.org/web@sha256:00")]
    public void Anything_else_is_an_error_that_says_what_was_expected(string text) =>
        Assert.Contains("expected a repository as 'host[:port]/path'", Assert.Throws<FormatException>(() => RepositoryName.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("registry.example.org/a", "https://registry.example.org/")]
    [InlineData("10.0.0.1:5000/a", "https://10.0.0.1:5000/")]
    [InlineData("127.0.0.2:5000/a", "http://127.0.0.2:5000/")]
    [InlineData("localhost:5000/a", "http://localhost:5000/")]
    [InlineData("[::1]:5000/a", "http://[::1]:5000/")]
    [InlineData("lab.example.org/a", "http://lab.example.org/")]
    [InlineData("lab.example.org:5000/a", "http://lab.example.org:5000/")]
    [InlineData("other.example.org:5000/a", "http://other.example.org:5000/")]
    [InlineData("other.example.org/a", "https://other.example.org/")]
    [InlineData("127.0.0.1.example.org/a", "https://127.0.0.1.example.org/")]
    public void Only_loopback_and_listed_hosts_are_spoken_to_in_the_clear(string repository, string expected) =>
        Assert.Equal(expected, Hosts.Base(RepositoryName.Parse(repository)).ToString());

    [Theory]
    [InlineData("https://a.example.org/x", "https://cdn.example.org/y", "https://cdn.example.org/y")]
    [InlineData("https://a.example.org/x", "/y", "https://a.example.org/y")]
    [InlineData("http://127.0.0.1:1/x", "https://cdn.example.org/y", "https://cdn.example.org/y")]
    [InlineData("http://127.0.0.1:1/x", "http://127.0.0.1:2/y", "http://127.0.0.1:2/y")]
    [InlineData("https://a.example.org/x", "http://a.example.org/y", null)]
    [InlineData("https://a.example.org/x", "http://127.0.0.1/y", null)]
    [InlineData("http://127.0.0.1:1/x", "http://cdn.example.org/y", null)]
    [InlineData("http://127.0.0.1:1/x", "file:///etc/passwd", null)]
    [InlineData("https://a.example.org/x", "https://user:password@cdn.example.org/y", null)]
    [InlineData("https://a.example.org/x", null, null)]
    public void A_redirect_never_leads_to_a_weaker_scheme_or_a_host_we_would_not_ask_ourselves(string from, string? location, string? expected)
    {
        var target = location is null ? null : new Uri(location, location.StartsWith('/') ? UriKind.Relative : UriKind.Absolute);
        if (expected is null)
            Assert.Equal(RegistryReasons.RedirectRefused, Assert.Throws<RegistryException>(() => Hosts.Follow(new Uri(from), target)).Reason);
        else
            Assert.Equal(expected, Hosts.Follow(new Uri(from), target).ToString());
    }

    private static HostPolicy Hosts => new(["lab.example.org", "other.example.org:5000"]);
}
