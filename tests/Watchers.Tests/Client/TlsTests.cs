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

    [Fact]
    public async Task A_proxy_that_wants_a_password_gets_it_and_sees_nothing_else()
    {
        await using var server = await FakeApiServer.StartAsync(_authority.IssueServer());
        using var proxy = new ConnectProxy();
        var probe = Connect(server, $"certificate-authority-data: {_authority.Data}\n    proxy-url: http://user:p%40ss@127.0.0.1:{proxy.Port}").ProbeAsync(default);

        var asked = await server.NextAsync("/readyz");
        Assert.Equal("Bearer secret-token", asked.Header("Authorization"));
        Assert.Empty(asked.Header("Proxy-Authorization"));
        await asked.AnswerAsync(200, "ok");
        await (await server.NextAsync("/version")).AnswerAsync(200, Fixture.Text("version.json"));
        await probe.Within();
        Assert.Contains($"CONNECT 127.0.0.1:{server.Url.Port} True", proxy.Log);
    }

    [Fact]
    public async Task A_client_certificate_that_was_renewed_in_its_file_is_presented_from_then_on()
    {
        await using var server = await FakeApiServer.StartAsync(_authority.IssueServer(), askForClientCertificate: true);
        var folder = Directory.CreateTempSubdirectory();
        var config = Path.Combine(folder.FullName, "config");
        Write(folder, "old");
        await File.WriteAllTextAsync(config, Kubeconfigs.With(
            $"server: {server.Url}\n    certificate-authority-data: {_authority.Data}", "client-certificate: tls.crt\n    client-key: tls.key"));
        await using var services = TestCluster.Services(TimeProvider.System, o => (o.AllowInsecure, o.ManagementKubeconfig) = (false, config));
        var cluster = services.GetRequiredService<Clusters>().Management;

        var probe = cluster.ProbeAsync(default);
        var first = await server.NextAsync("/readyz");
        Assert.Equal("CN=old", first.ClientCertificate!.Subject);
        Write(folder, "new");
        await first.AnswerAsync(401, """{"kind":"Status","code":401,"reason":"Unauthorized","message":"Unauthorized"}""");
        var second = await server.NextAsync("/readyz");
        Assert.Equal("CN=new", second.ClientCertificate!.Subject);
        await second.AnswerAsync(200, "ok");
        await (await server.NextAsync("/version")).AnswerAsync(200, Fixture.Text("version.json"));
        await probe.Within();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task An_authority_that_was_renewed_in_its_file_is_trusted_from_then_on()
    {
        using var next = new CertificateAuthority("next authority");
        await using var server = await FakeApiServer.StartAsync(next.IssueServer());
        var folder = Directory.CreateTempSubdirectory();
        var (config, file) = (Path.Combine(folder.FullName, "config"), Path.Combine(folder.FullName, "ca.crt"));
        await File.WriteAllTextAsync(file, _authority.Certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(config, Kubeconfigs.With($"server: {server.Url}\n    certificate-authority: ca.crt", "token: t"));
        var time = new ManualTime();
        await using var services = TestCluster.Services(time, o => (o.AllowInsecure, o.ManagementKubeconfig) = (false, config));
        var cluster = services.GetRequiredService<Clusters>().Management;
        await File.WriteAllTextAsync(file, next.Certificate.ExportCertificatePem());
        time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal("Untrusted", (await Assert.ThrowsAsync<KubernetesException>(() => Beyond(cluster).Within())).Reason);
        var probe = cluster.ProbeAsync(default);
        await (await server.NextAsync("/readyz")).AnswerAsync(200, "ok");
        await (await server.NextAsync("/version")).AnswerAsync(200, Fixture.Text("version.json"));
        await probe.Within();
        folder.Delete(recursive: true);

        async Task Beyond(ICluster before)
        {
            time.Advance(TimeSpan.FromSeconds(10)); // after the connection was made, which counts as a reading
            await before.ProbeAsync(default);
        }
    }

    [Fact]
    public async Task A_plugins_certificate_is_presented_and_the_next_one_after_it_was_refused()
    {
        await using var server = await FakeApiServer.StartAsync(_authority.IssueServer(), askForClientCertificate: true);
        var folder = Directory.CreateTempSubdirectory();
        var config = Path.Combine(folder.FullName, "config");
        foreach (var name in (string[])["old", "new"])
        {
            var (certificate, key) = Pem(name);
            var status = new System.Text.Json.Nodes.JsonObject { ["clientCertificateData"] = certificate, ["clientKeyData"] = key };
            var credential = new System.Text.Json.Nodes.JsonObject { ["apiVersion"] = "client.authentication.k8s.io/v1beta1", ["kind"] = "ExecCredential", ["status"] = status };
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, name), credential.ToJsonString());
        }
        await File.WriteAllTextAsync(config, Kubeconfigs.With(
            $"server: {server.Url}\n    certificate-authority-data: {_authority.Data}",
            $"exec: {{apiVersion: client.authentication.k8s.io/v1beta1, command: sh, args: ['-c', 'cd {folder.FullName}; f=old; [ -e again ] && f=new; touch again; cat $f']}}"));
        await using var services = TestCluster.Services(TimeProvider.System, o => (o.AllowInsecure, o.ManagementKubeconfig) = (false, config));

        var probe = services.GetRequiredService<Clusters>().Management.ProbeAsync(default);
        var first = await server.NextAsync("/readyz");
        Assert.Equal("CN=old", first.ClientCertificate!.Subject);
        await first.AnswerAsync(401, """{"kind":"Status","code":401,"reason":"Unauthorized","message":"Unauthorized"}""");
        var second = await server.NextAsync("/readyz");
        Assert.Equal("CN=new", second.ClientCertificate!.Subject);
        await second.AnswerAsync(200, "ok");
        await (await server.NextAsync("/version")).AnswerAsync(200, Fixture.Text("version.json"));
        await probe.Within();
        folder.Delete(recursive: true);
    }

    private void Write(DirectoryInfo folder, string name)
    {
        var (certificate, key) = Pem(name);
        File.WriteAllText(Path.Combine(folder.FullName, "tls.crt"), certificate);
        File.WriteAllText(Path.Combine(folder.FullName, "tls.key"), key);
    }

    private (string Certificate, string Key) Pem(string name)
    {
        using var certificate = _authority.IssueClient(name);
        return (certificate.ExportCertificatePem(), certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
    }

    private Clusters Clusters => _services.GetRequiredService<Clusters>();

    private ICluster Connect(FakeApiServer server, string cluster) => Clusters.Connect(
        new ClusterName("dev"), System.Text.Encoding.UTF8.GetBytes(Kubeconfigs.WithToken(server.Url, cluster: cluster)));
}
