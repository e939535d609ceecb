using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>From a kubeconfig to an endpoint. What is not understood and would change who we are or whom we trust is refused.</summary>
internal sealed class KubeconfigReader(KubernetesOptions options, TimeProvider time)
{
    /// <param name="context">Null takes <c>current-context</c>.</param>
    /// <exception cref="KubeconfigException">It cannot be used; says what, where, expected, found.</exception>
    public ClusterEndpoint Read(ReadOnlyMemory<byte> bytes, KubeconfigSource source, string? context = null) =>
        Read([(bytes, source)], context);

    /// <summary>Several files as one, as with <c>KUBECONFIG</c>: what an earlier one says counts, and each names files relative to itself.</summary>
    /// <exception cref="KubeconfigException">They cannot be used; says what, where, expected, found.</exception>
    public ClusterEndpoint Read(IReadOnlyList<(ReadOnlyMemory<byte> Bytes, KubeconfigSource Source)> files, string? context = null)
    {
        var all = new KubeconfigFiles(files);
        var chosen = all.Named("contexts", context ?? all.CurrentContext()).Node["context"];
        var (clusterEntry, source) = all.Named("clusters", chosen["cluster"].RequiredText("the name of a cluster"));
        var cluster = clusterEntry["cluster"];
        var (user, userSource) = chosen["user"].Text() is { } userName && all.Named("users", userName) is var (userEntry, from)
            ? (userEntry["user"], from)
            : (chosen["user"], source);

        var server = Server(cluster["server"]);
        var skip = cluster["insecure-skip-tls-verify"].Flag();
        if (skip && !options.AllowInsecure)
            throw cluster["insecure-skip-tls-verify"].Unexpected(
                $"false (or {KubernetesOptions.Section}:{nameof(options.AllowInsecure)}=true, for experiments)", "true");
        var authorities = Authorities(cluster, source);
        if (skip && authorities is not null)
            throw cluster["insecure-skip-tls-verify"].Unexpected("false beside a certificate authority", "true");
        var certificate = ClientCertificateOf(user, userSource);
        var endpoint = new ClusterEndpoint(
            server, authorities, cluster["tls-server-name"].Text(), skip, certificate?.Read(), new FixedToken(null), Proxy(cluster["proxy-url"]))
        {
            ReloadAuthorities = IsInFile(cluster, "certificate-authority") ? () => Authorities(cluster, source) : null,
        };
        var credential = CredentialOf(user, userSource, endpoint, ExecConfig(cluster));
        return endpoint with { Credential = certificate is { IsInFiles: true } ? new CertificateFiles(credential, endpoint.Certificate!, certificate.Read, time) : credential };
    }

    private Uri Server(KubeconfigNode field)
    {
        var text = field.RequiredText("the URL of an API server");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.Host.Length == 0)
            throw field.Unexpected("an https URL", $"'{Shorten(text)}'");
        if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            throw field.Unexpected("a URL of scheme, host, port and path only", "credentials, a query or a fragment in it");
        if (url.Scheme == "http" && !options.AllowInsecure)
            throw field.Unexpected(
                $"an https URL (or {KubernetesOptions.Section}:{nameof(options.AllowInsecure)}=true, for experiments)", $"'{Shorten(text)}'");
        return url.AbsolutePath.EndsWith('/') ? url : new Uri(url.AbsoluteUri + "/");
    }

    private static Uri? Proxy(KubeconfigNode field) => field.Text() switch
    {
        null => null,
        var text when Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" or "socks5" => url,
        _ => throw field.Unexpected("an http, https or socks5 URL", "something else"),
    };

    private static X509Certificate2Collection? Authorities(KubeconfigNode cluster, KubeconfigSource source)
    {
        if (Pem(cluster, "certificate-authority", source) is not { } pem)
            return null;
        var made = new X509Certificate2Collection();
        try
        {
            made.ImportFromPem(pem.Text);
        }
        catch (CryptographicException e)
        {
            throw pem.Field.Unexpected("PEM certificates", e.Message, e);
        }
        return made.Count > 0 ? made : throw pem.Field.Unexpected("at least one PEM certificate", "none");
    }

    /// <summary>How to read the user's certificate, now and whenever it may have been renewed.</summary>
    private static CertificateSource? ClientCertificateOf(KubeconfigNode user, KubeconfigSource source)
    {
        var (hasCertificate, hasKey) = (Has(user, "client-certificate"), Has(user, "client-key"));
        if (!hasCertificate && !hasKey)
            return null;
        if (!hasCertificate || !hasKey)
            throw user.Unexpected("client certificate and client key", hasKey ? "only the key" : "only the certificate");
        return new CertificateSource(IsInFile(user, "client-certificate") || IsInFile(user, "client-key"), () =>
        {
            var certificate = Pem(user, "client-certificate", source)!.Value;
            var key = Pem(user, "client-key", source)!.Value;
            try
            {
                return ClientCertificate.FromPem(certificate.Text, key.Text);
            }
            catch (Exception e) when (e is CryptographicException or ArgumentException)
            {
                throw certificate.Field.Unexpected("a PEM certificate and its unencrypted PEM key", e.Message, e);
            }
        });
    }

    private sealed record CertificateSource(bool IsInFiles, Func<ClientCertificate> Read);

    private static bool Has(KubeconfigNode parent, string name) => !parent[name + "-data"].IsAbsent || !parent[name].IsAbsent;

    private static bool IsInFile(KubeconfigNode parent, string name) => parent[name + "-data"].IsAbsent && !parent[name].IsAbsent;

    private static JsonNode? ExecConfig(KubeconfigNode cluster) => cluster["extensions"].Items()
        .Where(extension => extension["name"].Text() == "client.authentication.k8s.io/exec")
        .Select(extension => extension["extension"].ToJson())
        .FirstOrDefault();

    private Credential CredentialOf(KubeconfigNode user, KubeconfigSource source, ClusterEndpoint endpoint, JsonNode? execConfig)
    {
        foreach (var name in (ReadOnlySpan<string>)["auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra"])
            if (!user[name].IsAbsent)
                throw user[name].Unexpected("a token, a token file, a client certificate or an exec plugin", $"'{name}', which is not supported");

        var (token, file, exec) = (user["token"], user["tokenFile"], user["exec"]);
        if (!exec.IsAbsent)
        {
            if (!token.IsAbsent || !file.IsAbsent || endpoint.Certificate is not null)
                throw exec.Unexpected("no other credential beside an exec plugin", "one");
            var command = source.ResolveCommand(exec, exec["command"].RequiredText("a command"));
            return ExecPlugin.Read(exec, command, endpoint, execConfig, options.ExecTimeout, time);
        }
        if (file.Text() is { } path) // takes precedence over token, as in kubectl
            return new TokenFile(source.ResolveFile(file, path), time);
        if (token.Text() is { } text)
            return Credential.IsToken(text) ? new FixedToken(text) : throw token.Unexpected("a token", "characters that no token has");
        if (endpoint.Certificate is null && !options.AllowInsecure)
            throw user.Unexpected("a token, a token file, a client certificate or an exec plugin", "no credential");
        return endpoint.Credential;
    }

    /// <summary>The inline data of a field, or else the file it names.</summary>
    private static (KubeconfigNode Field, string Text)? Pem(KubeconfigNode parent, string name, KubeconfigSource source)
    {
        var data = parent[name + "-data"];
        if (data.Text() is { } base64)
        {
            try
            {
                return (data, Encoding.UTF8.GetString(Convert.FromBase64String(base64)));
            }
            catch (FormatException e)
            {
                throw data.Unexpected("base64", "something else", e);
            }
        }
        var file = parent[name];
        return file.Text() is { } path ? (file, ReadFile(file, source.ResolveFile(file, path))) : null;
    }

    private static string ReadFile(KubeconfigNode field, string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= KubeconfigDocument.MaxBytes
                ? File.ReadAllText(path)
                : throw field.Unexpected($"a file of at most {KubeconfigDocument.MaxBytes} bytes", $"{length} in '{path}'");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw field.Unexpected($"a readable file at '{path}'", e.Message, e);
        }
    }

    private static string Shorten(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
