using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Admission;
using Governor.Domain.Kinds;

namespace Governor.Silo.Admission;

/// <summary>A CA with its key, as the Secret holds it: <c>ID.crt</c>, <c>ID.key</c> and <c>ID.from</c>. ECDSA P-256. The key is never logged and never leaves Secret and process.</summary>
internal sealed record WebhookAuthority(Authority Plan, X509Certificate2 Certificate)
{
    // A clock that is a little behind must not find the certificate too young.
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    public string Pem => Certificate.ExportCertificatePem() + "\n";

    public static WebhookAuthority Make(DateTimeOffset now, TimeSpan lifetime, DateTimeOffset signsFrom)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=governor-webhook-ca-{id}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var made = request.CreateSelfSigned(now - Skew, now + lifetime);
        return new WebhookAuthority(new Authority(id, now, made.NotAfter, signsFrom), made);
    }

    /// <summary>A certificate for the Service and for these names besides, with a key of its own that is in memory only.</summary>
    public X509Certificate2 Issue(IEnumerable<string> hostNames, DateTimeOffset now, TimeSpan lifetime)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var service = $"{AdmissionManifests.ServiceName}.{AdmissionManifests.Namespace}.svc";
        var request = new CertificateRequest($"CN={service}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in hostNames.Prepend($"{service}.cluster.local").Prepend(service))
            if (IPAddress.TryParse(name, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x01); // positive, and of full length
        var until = now + lifetime < Plan.NotAfter ? now + lifetime : Plan.NotAfter;
        using var bare = request.Create(Certificate, now - Skew, until, serial);
        return bare.CopyWithPrivateKey(key);
    }

    /// <summary>What goes into the Secret's <c>data</c>.</summary>
    public IEnumerable<KeyValuePair<string, string>> ToData()
    {
        using var key = Certificate.GetECDsaPrivateKey()!;
        yield return new($"{Plan.Id}.crt", Encode(Pem));
        yield return new($"{Plan.Id}.key", Encode(key.ExportPkcs8PrivateKeyPem()));
        yield return new($"{Plan.Id}.from", Encode($"{KubeTime.Format(Plan.NotBefore)} {KubeTime.Format(Plan.SignsFrom)}"));
    }

    /// <summary>The names that an authority has in the Secret.</summary>
    public static IEnumerable<string> Names(string id) => [$"{id}.crt", $"{id}.key", $"{id}.from"];

    /// <summary>The authorities in a Secret; what is none is said, without what it holds.</summary>
    public static List<WebhookAuthority> Read(KubeObject secret, List<string> faults)
    {
        var made = new List<WebhookAuthority>();
        if (secret.Find("data") is not { ValueKind: JsonValueKind.Object } data)
            return made;
        foreach (var entry in data.EnumerateObject().Where(entry => entry.Name.EndsWith(".crt", StringComparison.Ordinal)))
        {
            var id = entry.Name[..^4];
            try
            {
                var certificate = X509Certificate2.CreateFromPem(Decode(data, $"{id}.crt"), Decode(data, $"{id}.key"));
                var times = Decode(data, $"{id}.from").Split(' ');
                if (times.Length != 2 || !KubeTime.TryParse(times[0], out var from) || !KubeTime.TryParse(times[1], out var signs))
                    throw new FormatException($"expected two times in {id}.from");
                made.Add(new WebhookAuthority(new Authority(id, from, new DateTimeOffset(certificate.NotAfter), signs), certificate));
            }
            catch (Exception e) when (e is CryptographicException or FormatException or ArgumentException)
            {
                faults.Add($"data['{id}.*']: expected a CA certificate with its key, found {e.GetType().Name}");
            }
        }
        return made;
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string Decode(JsonElement data, string name) =>
        data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)
            ? Encoding.UTF8.GetString(bytes)
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"expected {name}"));
}

/// <summary>The certificate that is shown to the API server now. Replaced while connections go on.</summary>
internal sealed class ServingCertificate
{
    private volatile Served? _served;

    /// <summary>Null until there is one: until then no handshake succeeds.</summary>
    public X509Certificate2? Current => _served?.Certificate;

    public string Issuer => _served?.Issuer ?? "";

    public DateTimeOffset RenewAt => _served?.RenewAt ?? DateTimeOffset.MinValue;

    public void Serve(X509Certificate2 certificate, string issuer) =>
        // What was served before may still be in a handshake: it is left to the garbage collector.
        _served = new Served(certificate, issuer, AuthorityPlan.RenewAt(new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter)));

    private sealed record Served(X509Certificate2 Certificate, string Issuer, DateTimeOffset RenewAt);
}
