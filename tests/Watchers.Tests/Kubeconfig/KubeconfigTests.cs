using System.Text;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Kubeconfig;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Kubeconfig;

public sealed class KubeconfigTests
{
    private const string Server = "server: https://api.example:6443";
    private static readonly KubeconfigSource Tenant = new KubeconfigSource.TenantSecret("dev");

    public static TheoryData<string, string, string[]> Unusable => new()
    {
        { "empty", "", ["document", "expected a kubeconfig", "found nothing"] },
        { "blank", " \n\t\n", ["expected a kubeconfig", "found nothing"] },
        { "text", "hello", ["expected a mapping", "found text"] },
        { "a list", "- 1\n- 2", ["expected a mapping"] },
        { "broken YAML", "a: [1, 2", ["expected YAML or JSON", "line"] },
        { "broken JSON", "{\"a\": ", ["expected one JSON document", "invalid JSON"] },
        { "two YAML documents", "a: b\n---\nc: d", ["expected one YAML document", "found another at line"] },
        { "an alias", "a: &x {b: c}\nd: *x", ["found an alias"] },
        { "a duplicate key in YAML", "kind: Config\nkind: Config", ["'kind' once", "line 2"] },
        { "a duplicate key in JSON", """{"kind":"Config","kind":"Config"}""", ["invalid JSON"] },
        { "deep YAML", string.Concat(Enumerable.Repeat("[", 100_000)), ["at most 24 levels"] },
        { "deep JSON", "{\"a\":" + string.Concat(Enumerable.Repeat("[", 100_000)), ["invalid JSON"] },
        { "another kind", "apiVersion: v1\nkind: Secret", ["kind: expected Config, found 'Secret'"] },
        { "another version", "apiVersion: v2\nkind: Config", ["apiVersion: expected v1, found 'v2'"] },
        { "no current context", "kind: Config", ["current-context: expected the name of a context, found nothing"] },
        { "an unknown context", "current-context: x\ncontexts: [{name: y}]", ["contexts: expected an entry named 'x', found only 'y'"] },
        { "two contexts of one name", "current-context: x\ncontexts: [{name: x}, {name: x}]", ["expected one entry named 'x', found two"] },
        { "contexts that are no list", "current-context: x\ncontexts: {x: 1}", ["contexts: expected a list, found a mapping"] },
        { "no cluster", "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", ["clusters: expected an entry named 'c', found none at all"] },
        { "no server", Kubeconfigs.With("x: y", "token: t"), ["clusters[0].cluster.server", "expected the URL of an API server, found nothing"] },
        { "a server that is no URL", Kubeconfigs.With("server: api", "token: t"), ["expected an https URL, found 'api'"] },
        { "another scheme", Kubeconfigs.With("server: file:///etc/passwd", "token: t"), ["expected an https URL"] },
        { "plain HTTP", Kubeconfigs.With("server: http://api.example", "token: t"), ["expected an https URL (or Governor:Kubernetes:AllowInsecure=true"] },
        { "credentials in the URL", Kubeconfigs.With("server: https://u:p@api.example", "token: t"), ["credentials"] },
        { "no verification", Kubeconfigs.With(Server + "\n    insecure-skip-tls-verify: true", "token: t"), ["insecure-skip-tls-verify", "AllowInsecure"] },
        { "a flag that is none", Kubeconfigs.With(Server + "\n    insecure-skip-tls-verify: maybe", "token: t"), ["expected true or false, found 'maybe'"] },
        { "an authority that is no base64", Kubeconfigs.With(Server + "\n    certificate-authority-data: '%%%'", "token: t"), ["certificate-authority-data: expected base64"] },
        { "an authority that is no PEM", Kubeconfigs.With(Server + "\n    certificate-authority-data: aGVsbG8=", "token: t"), ["expected at least one PEM certificate, found none"] },
        { "an authority in a file", Kubeconfigs.With(Server + "\n    certificate-authority: /etc/passwd", "token: t"), ["may not refer to files"] },
        { "a token in a file", Kubeconfigs.With(Server, "tokenFile: /etc/passwd"), ["tokenFile", "may not refer to files"] },
        { "a certificate in a file", Kubeconfigs.With(Server, "client-certificate: a\n    client-key: b"), ["may not refer to files"] },
        { "a program", Kubeconfigs.With(Server, "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sh}"), ["exec", "may not start programs"] },
        { "no credential", Kubeconfigs.With(Server, "x: y"), ["expected a token", "found no credential"] },
        { "a password", Kubeconfigs.With(Server, "username: a\n    password: b"), ["'username', which is not supported"] },
        { "an impersonation", Kubeconfigs.With(Server, "token: t\n    as: root"), ["'as', which is not supported"] },
        { "a token with a line break", Kubeconfigs.With(Server, "token: \"a\\nX-Remote-User: root\""), ["token: expected a token"] },
        { "half a certificate", Kubeconfigs.With(Server, "client-certificate-data: aGVsbG8="), ["found only the certificate"] },
        { "a certificate that is none", Kubeconfigs.With(Server, "client-certificate-data: aGVsbG8=\n    client-key-data: aGVsbG8="), ["expected a PEM certificate"] },
        { "too large", new string('#', KubeconfigDocument.MaxBytes + 1), ["expected at most 1048576 bytes"] },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public void An_unusable_kubeconfig_is_refused_with_what_where_expected_and_found(string what, string text, string[] said)
    {
        var refusal = Assert.Throws<KubeconfigException>(() => Read(text));

        Assert.StartsWith("kubeconfig of cluster 'dev': ", refusal.Message, StringComparison.Ordinal);
        Assert.All(said, part => Assert.True(refusal.Message.Contains(part, StringComparison.Ordinal), $"{what}: {refusal.Message}"));
    }

    [Fact]
    public void Invalid_UTF8_is_refused_with_its_place()
    {
        var refusal = Assert.Throws<KubeconfigException>(() => Reader().Read(new byte[] { (byte)'a', (byte)':', 0xff }, Tenant));

        Assert.Contains("expected UTF-8 text, found an invalid byte at offset 2", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_is_never_quoted()
    {
        var refusal = Assert.Throws<KubeconfigException>(() => Read(Kubeconfigs.With(Server, "token: 'top secret'")));

        Assert.DoesNotContain("top secret", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task JSON_is_read_as_YAML_is()
    {
        using var endpoint = Read(
            """
            {"apiVersion":"v1","kind":"Config","current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],
             "clusters":[{"name":"c","cluster":{"server":"https://api.example:6443/k8s/clusters/c1","tls-server-name":"other"}}],
             "users":[{"name":"u","user":{"token":"t"}}]}
            """);

        Assert.Equal(new Uri("https://api.example:6443/k8s/clusters/c1/"), endpoint.Server);
        Assert.Equal("other", endpoint.TlsServerName);
        Assert.Equal("t", await endpoint.Credential.TokenAsync(default));
    }

    [Fact]
    public void A_context_can_be_chosen()
    {
        var text = Kubeconfigs.With(Server, "token: t").Replace("current-context: here", "current-context: elsewhere", StringComparison.Ordinal);

        using var endpoint = Reader().Read(Encoding.UTF8.GetBytes(text), Tenant, "here");

        Assert.Equal("api.example", endpoint.Server.Host);
    }

    [Fact]
    public void An_operators_kubeconfig_may_name_files_relative_to_itself()
    {
        var folder = Directory.CreateTempSubdirectory();
        using var authority = new CertificateAuthority();
        File.WriteAllText(Path.Combine(folder.FullName, "ca.crt"), authority.Certificate.ExportCertificatePem());
        var text = Kubeconfigs.With(Server + "\n    certificate-authority: ca.crt", "token: t");

        using var endpoint = Reader().Read(Encoding.UTF8.GetBytes(text), new KubeconfigSource.OperatorFile(Path.Combine(folder.FullName, "config")));

        Assert.Equal(authority.Certificate.Thumbprint, Assert.Single(endpoint.Authorities!).Thumbprint);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task In_a_pod_the_kubelets_files_are_used()
    {
        var folder = Directory.CreateTempSubdirectory();
        using var authority = new CertificateAuthority();
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "ca.crt"), authority.Certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "token"), "pod-token\n");
        var environment = new Dictionary<string, string> { ["KUBERNETES_SERVICE_HOST"] = "fd00::1", ["KUBERNETES_SERVICE_PORT"] = "443" };

        using var endpoint = InClusterEndpoint.Read(folder.FullName, environment.GetValueOrDefault, TimeProvider.System);

        Assert.Equal(new Uri("https://[fd00::1]/"), endpoint.Server);
        Assert.Equal("pod-token", await endpoint.Credential.TokenAsync(default));
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Outside_of_a_pod_in_cluster_credentials_are_refused()
    {
        var refusal = Assert.Throws<KubeconfigException>(() => InClusterEndpoint.Read("/nowhere", _ => null, TimeProvider.System));

        Assert.Contains("expected the environment variable KUBERNETES_SERVICE_HOST, found none", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_files_are_one_kubeconfig_in_which_the_earlier_counts()
    {
        var folder = Directory.CreateTempSubdirectory();
        Directory.CreateDirectory(Path.Combine(folder.FullName, "two"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "two", "token"), "second");
        var one = Kubeconfigs.With(Server, "token: first").Replace("current-context: here", "x: y", StringComparison.Ordinal).Replace("name: u", "name: mine", StringComparison.Ordinal);
        var two = Kubeconfigs.With("server: https://other.example", "tokenFile: token");

        using var endpoint = Reader().Read([In("one", one), In("two/config", two)]);

        Assert.Equal("api.example", endpoint.Server.Host);
        Assert.Equal("second", await endpoint.Credential.TokenAsync(default));
        folder.Delete(recursive: true);

        (ReadOnlyMemory<byte>, KubeconfigSource) In(string name, string text) =>
            (Encoding.UTF8.GetBytes(text), new KubeconfigSource.OperatorFile(Path.Combine(folder.FullName, name)));
    }

    private static KubeconfigReader Reader() => new(new KubernetesOptions(), TimeProvider.System);

    private static ClusterEndpoint Read(string text) => Reader().Read(Encoding.UTF8.GetBytes(text), Tenant);
}
