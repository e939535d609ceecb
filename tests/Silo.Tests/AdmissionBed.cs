using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Governor.Domain.Admission;
using Governor.Domain.Kinds;
using Governor.LocalServers;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Silo.Tests;

/// <summary>A management cluster whose webhooks are ours, as deploy/admission says, and a silo that answers them.</summary>
public sealed class AdmissionBed : IAsyncDisposable
{
    public const string Operator = "system:serviceaccount:seam-system:governor";

    private AdmissionBed(SiloBed bed, int port) => (Bed, Port) = (bed, port);

    public SiloBed Bed { get; }

    public int Port { get; }

    public static async Task<AdmissionBed> StartAsync(SiloGround ground, string window = "00:00:00", bool isInstalled = true, params string[] settings)
    {
        var port = FreePort.Next();
        // The silo of the bed is the user 'governor': an operator by that exact name.
        var made = new AdmissionBed(await SiloBed.StartAsync(
            ground, [$"--Governor:Admission:Url=https://127.0.0.1:{port}", $"--Governor:Admission:Operators:0={Operator}", "--Governor:Admission:Operators:1=governor", $"--Governor:Admission:BootstrapWindow={window}",
            "--Governor:Admission:AuthorityOverlap=00:00:01", "--Governor:Admission:HostNames:0=127.0.0.1", .. settings]), port);
        if (isInstalled)
            await made.InstallAsync();
        return made;
    }

    /// <summary>The family's own profile, policy, sets and membership.</summary>
    public async Task DeclareFamilyAsync()
    {
        foreach (var item in Manifests.ManifestReader.Read("""
            apiVersion: security.ontai.dev/v1alpha1
            kind: PermissionSet
            metadata: { name: management-maximum, namespace: seam-system }
            spec: { permissions: [{ apiGroups: [""], resources: [configmaps], verbs: [get] }] }
            ---
            apiVersion: security.ontai.dev/v1alpha1
            kind: RBACPolicy
            metadata: { name: management-policy, namespace: seam-system }
            spec: { subjectScope: platform, maximumPermissionSetRef: management-maximum, enforcementMode: strict }
            ---
            apiVersion: security.ontai.dev/v1alpha1
            kind: RBACProfile
            metadata: { name: guardian, namespace: seam-system }
            spec:
              principalRef: system:serviceaccount:seam-system:guardian
              domainIdentityRef: guardian
              targetClusters: [ccs-mgmt]
              rbacPolicyRef: management-policy
              permissionDeclarations: [{ permissionSetRef: management-maximum, scope: namespaced }]
            ---
            apiVersion: infrastructure.ontai.dev/v1alpha1
            kind: SeamMembership
            metadata: { name: guardian, namespace: seam-system }
            spec: { appIdentityRef: guardian, domainIdentityRef: guardian, principalRef: "system:serviceaccount:seam-system:guardian", tier: infrastructure }
            """, "test"))
            await Bed.ApplyAsync(item);
    }

    /// <summary>What a human does: apply deploy/admission. Returns when the silo has written its CA into it and answers.</summary>
    public async Task InstallAsync()
    {
        foreach (var item in AdmissionManifests.Objects())
            await Bed.ApplyAsync(item.Kind == "Service" ? Redirected(item) : item);
        foreach (var kind in (GroupVersionKind[])[AdmissionManifests.Validating, AdmissionManifests.Mutating])
            await Bed.SeeAsync(kind, new ObjectKey("", AdmissionManifests.ConfigurationName), found => BundlesOf(found).All(bundle => bundle.Length > 0));
        await ListeningAsync(Port);
    }

    /// <summary>The CA bundles in a configuration.</summary>
    public static IEnumerable<string> BundlesOf(KubeObject configuration) => configuration.Find("webhooks").EnumerateArray()
        .Select(webhook => webhook.GetProperty("clientConfig").TryGetProperty("caBundle", out var bundle) ? bundle.GetString()! : "");

    /// <summary>Serial number and issuer of the certificate that is shown, as soon as one is.</summary>
    public static async Task<(string Serial, string Issuer)> ListeningAsync(int port)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                await using var tls = new SslStream(client.GetStream(), false, (_, shown, _, _) => shown is not null);
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1" }, patience.Token);
                using var shown = new X509Certificate2(tls.RemoteCertificate!);
                return (shown.SerialNumber, shown.Issuer);
            }
            catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException)
            {
                // not yet
            }
        }
    }

    /// <summary>kubectl as somebody; with his rights, and what our webhooks say of him.</summary>
    public async Task<(int Code, string Said)> KubectlAsync(string kubeconfig, string arguments, string? input = null)
    {
        var folder = Directory.CreateTempSubdirectory("governor-kubectl-");
        try
        {
            var config = Path.Combine(folder.FullName, "config");
            await File.WriteAllTextAsync(config, kubeconfig);
            var start = new ProcessStartInfo("kubectl", $"--kubeconfig {config} --cache-dir {folder.FullName}/cache {arguments}")
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            await process.StandardInput.WriteAsync(input ?? "");
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            return (process.ExitCode, $"{await output}{await error}");
        }
        finally
        {
            folder.Delete(true);
        }
    }

    public string Admin => Bed.Management.KubeconfigFor("ann", "system:masters");

    public string Developer => Bed.Management.KubeconfigFor("dev", "developers");

    public string Guardian => Bed.Management.KubeconfigFor(Operator, "operators", "system:serviceaccounts");

    public string Robot => Bed.Management.KubeconfigFor("claude", "developers", "governor:ai");

    /// <summary>Developers may do everything with roles, accounts and packs, as far as RBAC is concerned.</summary>
    public async Task GrantAsync()
    {
        await Bed.ApplyAsync("""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"everything"},"rules":[{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}]}
            """);
        await Bed.ApplyAsync("""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"everybody"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"everything"},
             "subjects":[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"developers"},{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"operators"}]}
            """);
        foreach (var (name, mode) in ((string, string)[])[("strict", ""), ("watched", "observe"), ("foreign", "exempt")])
            await Bed.ApplyAsync($$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}","labels":{"seam.ontai.dev/webhook-mode":"{{mode}}"} } }""");
    }

    public ValueTask DisposeAsync() => Bed.DisposeAsync();

    private KubeObject Redirected(KubeObject service)
    {
        var json = service.ToJsonObject();
        json["metadata"]!["annotations"] = new System.Text.Json.Nodes.JsonObject { ["sandbox.governor.dev/address"] = $"127.0.0.1:{Port}" };
        return KubeObject.From(json);
    }
}
