using System.Security.Cryptography.X509Certificates;
using Governor.Domain.Clusters;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Client;
using Governor.Watchers.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Watchers.Tests.Client;

public sealed class TlsTests : IDisposable
{
    private readonly CertificateAuthority _authority = new();
    private readonly ServiceProvider _services = TestCluster.Services(TimeProvider.System, o => o.AllowInsecure = false);

    public void Dispose()
    {
        _services.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public async Task A_server_of_the_kubeconfigs_authority_is_talked_to_over_HTTP2()
    {
        await using var server = await FakeApiServer.StartAsync(_authority.IssueServer());
        var probe = Connect(server, $"certificate-authority-data: {_authority.Data}").ProbeAsync(default);

        var asked = await server.NextAsync("/readyz");
        await asked.AnswerAsync(200, "ok");
        await (await server.NextAsync("/version")).AnswerAsync(200, Fixture.Text("version.json"));

        await probe.Within();
        Assert.Equal("HTTP/2", asked.Protocol);
    }

    [Fact]
    public async Task A_server_of_another_authority_of_the_same_name_is_refused()
    {
        using var impostor = new CertificateAuthority();
        await using var server = await FakeApiServer.StartAsync(impostor.IssueServer());

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() =>
            Connect(server, $"certificate-authority-data: {_authority.Data}").ProbeAsync(default).Within());

        Assert.Equal("Untrusted", refusal.Reason);
        Assert.True(server.HasNoMoreRequests);
    }

    [Fact]
    public async Task Without_an_authority_the_operating_systems_decide()
    {
        await using var server = await FakeApiServer.StartAsync(_authority.IssueServer());

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => Connect(server, "").ProbeAsync(default).Within());

        Assert.Equal("Untrusted", refusal.Reason);
    }

    [Fact]
    public async Task The_name_in_the_certificate_counts_and_can_be_given()
    {
        await using var server = await FakeApiServer.StartAsync(_authority.IssueServer("kubernetes.default.svc"));
        var refusal = await Assert.ThrowsAsync<KubernetesException>(() =>
            Connect(server, $"certificate-authority-data: {_authority.Data}").ProbeAsync(default).Within());
        Assert.Equal("Untrusted", refusal.Reason);

        var probe = Connect(server, $"certificate-authority-data: {_authority.Data}\n    tls-server-name: kubernetes.default.svc").ProbeAsync(default);
        await (await server.NextAsync("/readyz")).AnswerAsync(200, "ok");
        await (await server.NextAsync("/version")).AnswerAsync(200, Fixture.Text("version.json"));
        await probe.Within();
    }

    [Fact]
    public async Task A_client_certificate_is_presented()
    {
        await using var server = await FakeApiServer.StartAsync(_authority.IssueServer(), askForClientCertificate: true);
        using var certificate = _authority.IssueClient("governor");
        var key = CertificateAuthority.Base64(certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        var kubeconfig = Kubeconfigs.With(
            $"server: {server.Url}\n    certificate-authority-data: {_authority.Data}",
            $"client-certificate-data: {CertificateAuthority.Base64(certificate.ExportCertificatePem())}\n    client-key-data: {key}");

        var probe = Clusters.Connect(new ClusterName("dev"), System.Text.Encoding.UTF8.GetBytes(kubeconfig)).ProbeAsync(default);
        var asked = await server.NextAsync("/readyz");
        Assert.Equal("CN=governor", asked.ClientCertificate!.Subject);
        Assert.Empty(asked.Header("Authorization"));
        await asked.AnswerAsync(200, "ok");
        await (await server.NextAsync("/version")).AnswerAsync(200, Fixture.Text("version.json"));
        await probe.Within();
    }

    private Clusters Clusters => _services.GetRequiredService<Clusters>();

    private ICluster Connect(FakeApiServer server, string cluster) => Clusters.Connect(
        new ClusterName("dev"), System.Text.Encoding.UTF8.GetBytes(Kubeconfigs.WithToken(server.Url, cluster: cluster)));
}
