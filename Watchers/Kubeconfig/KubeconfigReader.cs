using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>From a kubeconfig to an endpoint. What is not understood and would change who we are or whom we trust is refused.</summary>
internal sealed class KubeconfigReader(KubernetesOptions options, TimeProvider time)
{
    /// <param name="context">Null takes <c>current-context</c>.</param>
    /// <exception cref="KubeconfigException">It cannot be used; says what, where, expected, found.</exception>
    public ClusterEndpoint Read(ReadOnlyMemory<byte> bytes, KubeconfigSource source, string? context = null)
    {
        var root = KubeconfigDocument.Parse(bytes, source.Where);
        if (root["kind"].Text() is { } kind && kind != "Config")
            throw root["kind"].Unexpected("Config", $"'{kind}'");
        if (root["apiVersion"].Text() is { } version && version != "v1")
            throw root["apiVersion"].Unexpected("v1", $"'{version}'");
        var chosen = root["contexts"].Named(context ?? root["current-context"].RequiredText("the name of a context"))["context"];
        var cluster = root["clusters"].Named(chosen["cluster"].RequiredText("the name of a cluster"))["cluster"];
        var user = chosen["user"].Text() is { } userName ? root["users"].Named(userName)["user"] : chosen["user"];

        var server = Server(cluster["server"]);
        var skip = cluster["insecure-skip-tls-verify"].Flag();
        if (skip && !options.AllowInsecure)
            throw cluster["insecure-skip-tls-verify"].Unexpected(
                $"false (or {KubernetesOptions.Section}:{nameof(options.AllowInsecure)}=true, for experiments)", "true");
        var authorities = Authorities(cluster, source);
        if (skip && authorities is not null)
            throw cluster["insecure-skip-tls-verify"].Unexpected("false beside a certificate authority", "true");
        var endpoint = new ClusterEndpoint(
            server, authorities, cluster["tls-server-name"].Text(), skip, Certificate(user, source), new FixedToken(null), Proxy(cluster["proxy-url"]));
        return endpoint with { Credential = CredentialOf(user, source, endpoint) };
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

    private static ClientCertificate? Certificate(KubeconfigNode user, KubeconfigSource source)
    {
        var certificate = Pem(user, "client-certificate", source);
        var key = Pem(user, "client-key", source);
        if (certificate is null && key is null)
            return null;
        if (certificate is null || key is null)
            throw user.Unexpected("client certificate and client key", certificate is null ? "only the key" : "only the certificate");
        try
        {
            return ClientCertificate.FromPem(certificate.Value.Text, key.Value.Text);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw certificate.Value.Field.Unexpected("a PEM certificate and its unencrypted PEM key", e.Message, e);
        }
    }

    private Credential CredentialOf(KubeconfigNode user, KubeconfigSource source, ClusterEndpoint endpoint)
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
            return ExecPlugin.Read(exec, command, endpoint, options.ExecTimeout, time);
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
