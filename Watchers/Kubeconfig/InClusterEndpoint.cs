using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>The API server of the cluster that this process runs in as a pod: what the kubelet mounts and sets.</summary>
internal static class InClusterEndpoint
{
    /// <exception cref="KubeconfigException">This process does not run in a pod with a service account.</exception>
    public static ClusterEndpoint Read(string directory, Func<string, string?> environment, TimeProvider time)
    {
        var host = Variable("KUBERNETES_SERVICE_HOST", environment);
        var port = Variable("KUBERNETES_SERVICE_PORT", environment);
        if (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 65535)
            throw new KubeconfigException($"in-cluster configuration: KUBERNETES_SERVICE_PORT: expected a port, found '{port}'");
        var token = Path.Combine(directory, "token");
        if (!File.Exists(token))
            throw new KubeconfigException($"in-cluster configuration: expected a service account token at '{token}', found none");
        var authorities = Path.Combine(directory, "ca.crt");
        return new ClusterEndpoint(
            new UriBuilder("https", host, number, "/").Uri, Authorities(authorities),
            TlsServerName: null, SkipTlsVerify: false, Certificate: null, new TokenFile(token, time), Proxy: null)
        {
            ReloadAuthorities = () => Authorities(authorities),
        };
    }

    private static X509Certificate2Collection Authorities(string path)
    {
        var made = new X509Certificate2Collection();
        try
        {
            made.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new KubeconfigException($"in-cluster configuration: expected PEM certificates at '{path}', found: {e.Message}", e);
        }
        return made.Count > 0 ? made : throw new KubeconfigException($"in-cluster configuration: expected PEM certificates at '{path}', found none");
    }

    private static string Variable(string name, Func<string, string?> environment) =>
        environment(name) is { Length: > 0 } value
            ? value
            : throw new KubeconfigException($"in-cluster configuration: expected the environment variable {name}, found none: this is no pod");
}
