using System.Security.Cryptography.X509Certificates;

namespace Governor.Watchers.Kubeconfig;

/// <summary>Where an API server is, how it proves itself to us, and how we prove ourselves to it.</summary>
/// <param name="Server">Base URL; may have a path.</param>
/// <param name="Authorities">Who may sign the server's certificate; null for the authorities of the operating system.</param>
/// <param name="TlsServerName">The name in the server's certificate where it differs from the URL's.</param>
internal sealed record ClusterEndpoint(
    Uri Server,
    X509Certificate2Collection? Authorities,
    string? TlsServerName,
    bool SkipTlsVerify,
    ClientCertificate? Certificate,
    Credential Credential,
    Uri? Proxy) : IDisposable
{
    /// <summary>Reads the authorities again, where they are in a file that somebody may renew; null where that cannot be done.</summary>
    public Func<X509Certificate2Collection?>? ReloadAuthorities { get; init; }

    /// <summary>The certificate to show now: that of the credential, which may change, or else the one that was given.</summary>
    public ClientCertificate? CurrentCertificate => Credential.Certificate ?? Certificate;

    public void Dispose()
    {
        Credential.Dispose();
        Certificate?.Dispose();
        foreach (var authority in Authorities ?? [])
            authority.Dispose();
    }
}

/// <summary>A certificate with its private key, and the intermediates to send along.</summary>
internal sealed record ClientCertificate(X509Certificate2 Leaf, X509Certificate2Collection Intermediates) : IDisposable
{
    public static ClientCertificate FromPem(string certificates, string key)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificates);
        var intermediates = new X509Certificate2Collection();
        foreach (var intermediate in chain.Skip(1))
            intermediates.Add(intermediate);
        return new ClientCertificate(X509Certificate2.CreateFromPem(certificates, key), intermediates);
    }

    public void Dispose()
    {
        Leaf.Dispose();
        foreach (var intermediate in Intermediates)
            intermediate.Dispose();
    }
}
