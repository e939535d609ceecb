using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;
using Governor.Tour.Tests.Support;
using Xunit.Abstractions;

namespace Governor.Tour.Tests.BadInput;

/// <summary>A silo that is up, with a signing key.</summary>
public sealed class RunningSilo : IAsyncLifetime
{
    private TestLandscape? _landscape;

    public TestLandscape Landscape => _landscape ?? throw new InvalidOperationException("not started");

    public SigningKey Key { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _landscape = await TestLandscape.StartAsync();
        Key = await _landscape.DeclareSigningKeyAsync();
        await _landscape.Landscape.StartSiloAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        if (_landscape is not null)
            await _landscape.DisposeAsync();
    }
}

/// <summary>
/// Everything but one thing is good. The delivery fails and says at which step, on which object and why; nothing is on the tenant,
/// nothing is on the management cluster in its place, and the audit trail knows.
/// </summary>
public sealed class BadInputTests(RunningSilo silo, ITestOutputHelper output) : IClassFixture<RunningSilo>
{
    private Landscape Landscape => silo.Landscape.Landscape;

    [Fact]
    public Task A_good_pack_is_delivered() => WithTenantAsync("good", async tenant =>
    {
        await DeliverAsync(tenant, await new RawPack(Landscape, tenant).PushAsync(RawPack.Namespace, RawPack.ConfigMap), tenant.Kubeconfig);
        await silo.Landscape.SeeAsync(KnownKinds.PackInstance, tenant.Execution, "Ready", item => item.Condition("Ready", "True") is not null);
        Assert.Equal(2, tenant.Delivered.Count);
    });

    [Fact]
    public Task A_layer_that_was_altered_after_it_was_signed_stops_the_delivery() => WithTenantAsync("late", async tenant =>
    {
        var pack = new RawPack(Landscape, tenant);
        await tenant.DeclareAccessAsync();
        await Landscape.ManagementClient.ApplyAsync(await pack.PushAsync(RawPack.Namespace, RawPack.ConfigMap), "tour", default, CancellationToken.None);
        await silo.Landscape.SeeAsync(KnownKinds.PackExecution, tenant.Execution, "gate 1 open", item => item.Condition("PackSignaturePending", "False") is not null);
        // A silo that has verified a layer keeps it; one that is started anew has to fetch it again.
        await Landscape.KillSiloAsync();
        pack.Alter();
        await Landscape.StartSiloAsync(CancellationToken.None);
        await tenant.DeclareClusterAsync(tenant.Kubeconfig);
        await CheckFailedAsync(tenant, "packexecution.failed", "step \"verify-pack\"", $"ClusterPack {tenant.PackKey}", "expected", "sha256:");
        Assert.Equal("DigestMismatch", await ReasonAsync(tenant));
    });

    [Fact]
    public Task A_layer_that_was_altered_before_it_was_signed_is_not_signed() => WithTenantAsync("early", async tenant =>
    {
        var pack = new RawPack(Landscape, tenant);
        var declared = await pack.PushAsync(RawPack.Namespace, RawPack.ConfigMap);
        pack.Alter();
        await DeliverAsync(tenant, declared, tenant.Kubeconfig);
        await CheckFailedAsync(tenant, "packexecution.gate-blocked", "step \"gate-1\"", $"ClusterPack {tenant.PackKey}", "expected", "sha256:");
        Assert.Equal("DigestMismatch", await ReasonAsync(tenant));
        Assert.DoesNotContain(await silo.Landscape.EventsAsync($"ns={tenant.Namespace}"), e => e.Action == "pack.signed");
    });

    [Fact]
    public Task A_signature_that_is_replaced_after_it_was_found_good_is_put_back() => WithTenantAsync("replaced", async tenant =>
    {
        await tenant.DeclareAccessAsync();
        var pack = await new RawPack(Landscape, tenant).PushAsync(RawPack.Namespace, RawPack.ConfigMap);
        await Landscape.ManagementClient.ApplyAsync(pack, "tour", default, CancellationToken.None);
        var signed = await silo.Landscape.SeeAsync(
            KnownKinds.ClusterPack, tenant.PackKey, "signed", item => item.Condition("Ready", "True") is not null && item.Annotations.ContainsKey(PackSignature.Annotation));
        var forged = await Landscape.ManagementClient.ApplyAsync(
            RawPack.WithSignature(pack, PackSignature.Sign(pack, SigningKey.Generate())), "tour", new ApplyOptions(Force: true), CancellationToken.None);
        var good = signed.Annotations[PackSignature.Annotation];
        Assert.NotEqual(good, forged.Annotations[PackSignature.Annotation]);
        await silo.Landscape.SeeAsync(KnownKinds.ClusterPack, tenant.PackKey, "the signature put back", item => item.Annotations[PackSignature.Annotation] == good);
    });

    [Theory]
    [InlineData("random")]
    [InlineData("copied")]
    [InlineData("foreign")]
    public Task A_signature_that_is_not_the_management_clusters_stops_the_delivery(string kind) => WithTenantAsync(kind, async tenant =>
    {
        var pack = await new RawPack(Landscape, tenant).PushAsync(RawPack.Namespace, RawPack.ConfigMap);
        var other = pack.ToJsonObject();
        other["metadata"]!["name"] = "other";
        var signature = kind switch
        {
            "random" => $"ed25519:{silo.Key.VerifyingKey.ShortKeyId}:{Convert.ToBase64String(new byte[64])}",
            "copied" => PackSignature.Sign(KubeObject.From(other), silo.Key),
            _ => PackSignature.Sign(pack, SigningKey.Generate()),
        };
        await DeliverAsync(tenant, RawPack.WithSignature(pack, signature), tenant.Kubeconfig);
        await CheckFailedAsync(
            tenant, "packexecution.gate-blocked", "step \"gate-1\"", $"ClusterPack {tenant.PackKey}", PackSignature.Annotation, kind == "foreign" ? "unknown key" : "forged");
        Assert.Equal("SignatureVerifyFailed", await ReasonAsync(tenant));
    });

    [Theory]
    [InlineData("noyaml", "{ this is: [ not YAML", "gate-1", "packexecution.gate-blocked", "ManifestInvalid", "manifests.yaml")]
    [InlineData("nokind", "apiVersion: v1\nmetadata: {name: settings, namespace: shop}\n", "gate-1", "packexecution.gate-blocked", "ManifestInvalid", "no kind")]
    [InlineData("unknown", "apiVersion: gadgets.example.org/v1\nkind: Gadget\nmetadata: {name: one, namespace: shop}\n", "verify-pack", "packexecution.failed", "KindNotServed", "Gadget shop/one")]
    [InlineData("noname", "apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: shop}\n", "gate-1", "packexecution.gate-blocked", "ManifestInvalid", "metadata.name")]
    public Task A_workload_layer_that_cannot_be_used_stops_the_delivery(string name, string workload, string step, string action, string reason, string cause) =>
        WithTenantAsync(name, async tenant =>
        {
            await DeliverAsync(tenant, await new RawPack(Landscape, tenant).PushAsync(RawPack.Namespace, workload), tenant.Kubeconfig);
            await CheckFailedAsync(tenant, action, $"step \"{step}\"", cause, "expected");
            Assert.Equal(reason, await ReasonAsync(tenant));
        });

    [Theory]
    [InlineData("nonamespace", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost}\n", "NamespaceMissing", "ConfigMap lost")]
    [InlineData("misplaced", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost, namespace: shop}\n", "ScopeMismatch", "ConfigMap shop/lost")]
    public Task A_namespaced_object_in_the_cluster_scoped_layer_stops_the_delivery(string name, string manifest, string reason, string item) =>
        WithTenantAsync(name, async tenant =>
        {
            await DeliverAsync(tenant, await new RawPack(Landscape, tenant).PushAsync($"{RawPack.Namespace}---\n{manifest}", RawPack.ConfigMap), tenant.Kubeconfig);
            await CheckFailedAsync(tenant, "packexecution.failed", "step \"verify-pack\"", item, "ClusterScoped layer", "expected");
            Assert.Equal(reason, await ReasonAsync(tenant));
        });

    [Theory]
    [InlineData("garbage", "expected")]
    [InlineData("files", "file path")]
    [InlineData("management", "leads to the management cluster")]
    public Task A_kubeconfig_that_cannot_be_used_stops_the_delivery(string kind, string cause) => WithTenantAsync(kind, async tenant =>
    {
        var kubeconfig = kind switch
        {
            "garbage" => "\u0001\u0002 this is no kubeconfig: [",
            "files" => System.Text.RegularExpressions.Regex.Replace(tenant.Kubeconfig, "user: \\{ token: .* \\}", "user: { client-certificate: /etc/hostname, client-key: /etc/hostname }"),
            _ => Landscape.Management.KubeconfigFor(TestLandscape.SiloUser, "system:masters"),
        };
        await DeliverAsync(tenant, await new RawPack(Landscape, tenant).PushAsync(RawPack.Namespace, RawPack.ConfigMap), kubeconfig);
        await CheckFailedAsync(tenant, "packexecution.gate-blocked", "step \"gate-0\"", $"Secret {tenant.KubeconfigSecret}", cause);
        Assert.Equal("KubeconfigUnavailable", await ReasonAsync(tenant));
    });

    private async Task WithTenantAsync(string name, Func<Tenant, Task> test)
    {
        await using var tenant = await Tenant.StartAsync(Landscape, $"bad-{name}");
        await test(tenant);
    }

    private async Task DeliverAsync(Tenant tenant, KubeObject pack, string kubeconfig)
    {
        await tenant.DeclareAccessAsync();
        await Landscape.ManagementClient.ApplyAsync(pack, "tour", default, CancellationToken.None);
        await tenant.DeclareClusterAsync(kubeconfig);
    }

    private async Task CheckFailedAsync(Tenant tenant, string action, params string[] fragments)
    {
        var failed = await silo.Landscape.SeeAsync(KnownKinds.PackExecution, tenant.Execution, "Failed", item => item.Condition("Failed", "True") is not null);
        var message = failed.Condition("Failed", "True")!;
        output.WriteLine(message);
        Assert.All(fragments, fragment => Assert.Contains(fragment, message, StringComparison.Ordinal));
        Assert.NotNull(failed.Condition("Stalled", "True"));
        Assert.Null(failed.Condition("Reconciling", "True"));

        Assert.DoesNotContain(tenant.Cluster.Writes, write => write.User == TestLandscape.SiloUser);
        Assert.DoesNotContain(Landscape.Management.Writes, write => Tenant.IsDelivery(write.FieldManager));
        Assert.Null(await Landscape.ManagementClient.GetAsync(KnownKinds.Namespace, new ObjectKey("", "shop"), CancellationToken.None));

        // The message of the condition ends with the cause, and the event says the same.
        var events = await silo.Landscape.EventsAsync($"kind=PackExecution&ns={tenant.Namespace}&name={tenant.Execution.Name}&action={action}");
        Assert.Contains(events, e => e.Rationale is { } rationale && fragments[^1..].All(f => rationale.Contains(f, StringComparison.Ordinal)));
    }

    private async Task<string> ReasonAsync(Tenant tenant)
    {
        var execution = await Landscape.ManagementClient.GetAsync(KnownKinds.PackExecution, tenant.Execution, CancellationToken.None);
        return execution!.Find("status", "conditions").EnumerateArray().Single(c => c.GetProperty("type").GetString() == "Failed").GetProperty("reason").GetString()!;
    }
}
