using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;
using Governor.Silo.Admission;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Governor.Silo.Tests;

/// <summary>Who is not listened to, what is not waited for, and how both show.</summary>
[Collection(nameof(SiloGround))]
public sealed class AdmissionLimitTests(SiloGround ground)
{
    private const string Review = """
        {"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"UID","kind":{"group":"rbac.authorization.k8s.io","version":"v1","kind":"Role"},
         "resource":{"group":"rbac.authorization.k8s.io","version":"v1","resource":"roles"},"operation":"CREATE","namespace":"strict","name":"x","userInfo":{"username":"dev"},
         "object":{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"x","namespace":"strict"},"rules":[]}}}
        """;

    [Fact]
    public async Task Only_whoever_shows_a_certificate_of_the_configured_CA_is_listened_to()
    {
        using var authority = Authority("CN=api server's");
        using var stranger = Authority("CN=api server's"); // of the same name
        var file = Path.Combine(ground.Folder.FullName, $"clients-{Guid.NewGuid():n}.pem");
        await File.WriteAllTextAsync(file, authority.ExportCertificatePem());
        await using var bed = await AdmissionBed.StartAsync(ground, settings: $"--Governor:Admission:ClientAuthorityFile={file}");

        using var known = Client(bed.Port, Issue(authority, DateTimeOffset.UtcNow.AddHours(1)));
        using var answer = await known.PostAsync(new Uri("/validate-rbac", UriKind.Relative), Body());
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("response").GetProperty("allowed").GetBoolean());

        foreach (var shown in (X509Certificate2?[])[null, Issue(stranger, DateTimeOffset.UtcNow.AddHours(1)), Issue(authority, DateTimeOffset.UtcNow.AddMinutes(-1))])
        {
            using var client = Client(bed.Port, shown);
            await Assert.ThrowsAsync<HttpRequestException>(() => client.PostAsync(new Uri("/validate-rbac", UriKind.Relative), Body()));
        }
        // Nothing of what they sent has become an event.
        Assert.Equal(1, await MetricAsync(bed, "governor_admission_requests_total{webhook=\"/validate-rbac\",outcome=\"denied\"}"));
    }

    [Fact]
    public async Task What_finds_no_room_to_wait_in_is_counted_and_what_found_some_is_recorded_when_the_journal_is_back()
    {
        await using var bed = await AdmissionBed.StartAsync(ground);
        var before = await MetricAsync(bed, "governor_admission_refusals_committed_total");
        var recorder = bed.Bed.App.Services.GetRequiredService<RefusalRecorder>();
        await using var connection = new NpgsqlConnection(bed.Bed.ConnectionString);
        await connection.OpenAsync();
        await RunAsync("ALTER TABLE governor.grain_state RENAME TO away");

        const int Windows = 5, Each = 450; // more than there is room for, each window fewer than it tells apart
        await Task.WhenAll(Enumerable.Range(0, Windows * Each).Select(i => recorder.RecordAsync(RefusalOf(i, DateTimeOffset.UnixEpoch + (i / Each * TimeSpan.FromHours(1))))));
        var lost = await MetricAsync(bed, "governor_admission_refusals_lost_total");
        Assert.InRange(lost, 1, (Windows * Each) - 1024);
        // A webhook still answers: refused is refused, recorded or not.
        using var client = Client(bed.Port, null);
        using var answer = await client.PostAsync(new Uri("/validate-rbac", UriKind.Relative), Body());
        Assert.False((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("response").GetProperty("allowed").GetBoolean());
        lost = await MetricAsync(bed, "governor_admission_refusals_lost_total");

        await RunAsync("ALTER TABLE governor.away RENAME TO grain_state");
        var told = (Windows * Each) + 1 - lost;
        await SiloBed.UntilAsync(bed.Bed.Client(null), "/metrics", HttpStatusCode.OK, text => ValueOf(text, "governor_admission_refusals_committed_total") - before >= told);
        Assert.Equal(0, await MetricAsync(bed, "governor_admission_refusals_waiting"));
        await using var count = new NpgsqlCommand("SELECT count(*) FROM governor.governance_event WHERE action = 'admission.denied'", connection);
        Assert.True((long)(await count.ExecuteScalarAsync())! >= told);

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task Requests_denials_and_durations_are_told_apart_by_webhook()
    {
        await using var bed = await AdmissionBed.StartAsync(ground);
        using var client = Client(bed.Port, null);
        foreach (var path in (string[])["/validate-rbac", "/validate-rbac/observe", "/validate-lineage"])
            (await client.PostAsync(new Uri(path, UriKind.Relative), Body())).Dispose();
        (await client.PostAsync(new Uri("/validate-rbac", UriKind.Relative), new StringContent("{}", System.Text.Encoding.UTF8, "application/json"))).Dispose();

        // The cluster itself asks, too, but nobody else is refused.
        foreach (var (metric, value) in ((string, double)[])
        [
            ("governor_admission_requests_total{webhook=\"/validate-rbac\",outcome=\"denied\"}", 1),
            ("governor_admission_requests_total{webhook=\"/validate-rbac\",outcome=\"malformed\"}", 1),
            ("governor_admission_requests_total{webhook=\"/validate-rbac/observe\",outcome=\"observed\"}", 1),
            ("governor_admission_denials_total{webhook=\"/validate-rbac\",rule=\"rbac.ownership CS-INV-001\"}", 1),
        ])
            Assert.Equal(value, await MetricAsync(bed, metric));
        Assert.InRange(await MetricAsync(bed, "governor_admission_requests_total{webhook=\"/validate-lineage\",outcome=\"allowed\"}"), 1, 100);
        Assert.InRange(await MetricAsync(bed, "governor_admission_duration_count{webhook=\"/validate-rbac\"}"), 2, 100);
    }

    private static StringContent Body() => new(Review.Replace("UID", $"{Guid.NewGuid()}", StringComparison.Ordinal), System.Text.Encoding.UTF8, "application/json");

    private static Refusal RefusalOf(int i, DateTimeOffset at) => new(
        $"{Guid.NewGuid()}", KnownKinds.Role, new ObjectKey("strict", $"r{i}"), "", 0, new Caller($"user-{i}", []), "CREATE", "rbac.ownership", "metadata", "no", true, 1, at);

    private static HttpClient Client(int port, X509Certificate2? shown)
    {
        var handler = new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, server, _, _) => server is not null } };
        if (shown is not null)
            handler.SslOptions.ClientCertificates = [shown];
        return new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{port}") };
    }

    private static async Task<double> MetricAsync(AdmissionBed bed, string name)
    {
        using var client = bed.Bed.Client(null);
        return ValueOf(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), name);
    }

    private static double ValueOf(string text, string name) =>
        Regex.Match(text, $"^{Regex.Escape(name)} (.+)$", RegexOptions.Multiline) is { Success: true } found ? double.Parse(found.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : 0;

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-apiserver", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
        using var issued = request.Create(authority, DateTimeOffset.UtcNow.AddHours(-1), until, RandomNumberGenerator.GetBytes(8));
        return X509CertificateLoader.LoadPkcs12(issued.CopyWithPrivateKey(key).Export(X509ContentType.Pkcs12), null);
    }
}
