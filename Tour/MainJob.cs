using System.Net.Http.Json;
using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;

namespace Governor.Tour;

/// <summary>
/// The main job: a signed pack passes its seven gates and lands on a tenant cluster. The declarations come in a deliberately
/// unhelpful order — the pack first, the tenant last — and the gates are seen closed before what they wait for is given to them.
/// </summary>
public sealed class MainJob(Landscape landscape, Action<string> say)
{
    public const string Tenant = "ccs-dev";

    private const string Pack = "web";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string Samples = Path.Combine(AppContext.BaseDirectory, "samples");

    private static ObjectKey Execution => new($"seam-tenant-{Tenant}", $"{Pack}-{Tenant}");

    /// <summary>What a management cluster has before anybody declares anything: the kinds, and the namespaces.</summary>
    public static async Task PrepareAsync(Landscape landscape, CancellationToken cancellation)
    {
        foreach (var definition in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "crds"), "*.yaml").Order(StringComparer.Ordinal))
            await landscape.DeclareFileAsync(definition, cancellation);
        await landscape.DeclareFileAsync(Path.Combine(Samples, "declarations", "00-namespaces.yaml"), cancellation);
    }

    public async Task<TourReport> RunAsync(string host, System.Diagnostics.Stopwatch clock, CancellationToken cancellation)
    {
        say($"building pack {Pack} and pushing it to {landscape.Registry.Host}");
        var pack = await SamplePack.BuildAsync(landscape, Path.Combine(Samples, "packs", Pack, "pack.yaml"), $"packs/{Pack}", cancellation);

        say("declaring the ClusterPack; nothing that it needs is there yet");
        await landscape.DeclareFileAsync(pack, cancellation);
        await ExpectAsync("all gates closed but 4: nobody has revoked the pack", gates => gates.All(gate => gate.Key == 4 || gate.Value != "Allow"), cancellation);

        say("declaring RBACProfile, PermissionSets and RBACPolicy; the profile waits for its membership");
        foreach (var file in (string[])["20-rbac-profile.yaml", "21-permission-sets.yaml", "22-rbac-policy.yaml"])
            await landscape.DeclareFileAsync(Path.Combine(Samples, "declarations", file), cancellation);
        say("declaring the SeamMembership: gate 3 opens, then the snapshot resolves and gate 2 opens");
        await landscape.DeclareFileAsync(Path.Combine(Samples, "declarations", "30-seam-membership.yaml"), cancellation);
        await ExpectAsync("gates 2 and 3 open, 0 and 1 closed", gates => gates[2] == "Allow" && gates[3] == "Allow" && gates[0] != "Allow" && gates[1] != "Allow", cancellation);

        say("handing the management Conductor its signing key: gate 1 opens");
        var key = SigningKey.Generate();
        await landscape.DeclareSecretAsync(SigningKeyRules.Secret, [("private.pem", key.ToPem()), ("public.pem", key.VerifyingKey.ToPem())], cancellation);
        await ExpectAsync("gate 1 open", gates => gates[1] == "Allow", cancellation);

        say($"declaring the tenant {Tenant}, last: gates 0, 5 and 6 open when its Conductor has published its capabilities, and it has answered what may be written there");
        await DeclareTenantAsync(landscape, Tenant, cancellation);
        await ExpectInstanceAsync(cancellation);

        say("verifying what stands on the tenant, the lineage and the audit trail");
        return await ReportAsync(host, clock, cancellation);
    }

    /// <summary>Declares a tenant and hands over the way to it.</summary>
    public static async Task DeclareTenantAsync(Landscape landscape, string tenant, CancellationToken cancellation)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Samples, "declarations", "40-talos-cluster.yaml"), cancellation);
        await landscape.DeclareAsync(text.Replace(Tenant, tenant, StringComparison.Ordinal), "TalosCluster", cancellation);
        await landscape.DeclareSecretAsync(
            new ObjectKey($"seam-tenant-{tenant}", $"seam-mc-{tenant}-kubeconfig"), [("value", landscape.Tenants[tenant].Kubeconfig)], cancellation);
    }

    private async Task ExpectAsync(string what, Func<IReadOnlyDictionary<int, string>, bool> holds, CancellationToken cancellation)
    {
        var gates = new Dictionary<int, string>();
        await ExpectAsync(KnownKinds.PackExecution, Execution, what, seen =>
        {
            gates.Clear();
            if (seen.Find("status", "gates") is { ValueKind: JsonValueKind.Array } listed)
                foreach (var gate in listed.EnumerateArray())
                    gates[gate.GetProperty("gate").GetInt32()] = gate.GetProperty("verdict").GetString()!;
            return gates.Count == 7 && holds(gates);
        }, cancellation);
    }

    private Task ExpectInstanceAsync(CancellationToken cancellation) => ExpectAsync(
        KnownKinds.PackInstance, Execution, "PackInstance Ready",
        seen => seen.Find("status", "conditions") is { ValueKind: JsonValueKind.Array } conditions && conditions.EnumerateArray().Any(
            c => c.GetProperty("type").GetString() == "Ready" && c.GetProperty("status").GetString() == "True"),
        cancellation);

    // Watches, as kubectl wait does; says what it waited for and what it saw.
    private async Task ExpectAsync(GroupVersionKind kind, ObjectKey key, string what, Func<KubeObject, bool> holds, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        KubeObject? last = null;
        try
        {
            await foreach (var seen in landscape.ManagementClient.WatchAsync(new WatchRequest(kind, key.Namespace, key.Name), patience.Token))
            {
                last = seen.Object ?? last;
                if (seen.Object is { } now && holds(now))
                    return;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new InvalidOperationException(
                $"waited {Patience.TotalSeconds} s for '{what}' of {kind.Kind} {key}; last seen: {(last is null ? "nothing" : last.Status.ToString())}\n{landscape.Silo.Tail}");
        }
    }

    private async Task<TourReport> ReportAsync(string host, System.Diagnostics.Stopwatch clock, CancellationToken cancellation)
    {
        var execution = await GetAsync($"executions/{Execution}", cancellation);
        var instance = await GetAsync($"instances/{Execution}", cancellation);
        var lineage = await GetAsync("lineage", cancellation);
        var index = lineage.EnumerateArray().First(l => l.GetProperty("rootKind").GetString() == KnownKinds.ClusterPack.Kind);
        await ConfirmOnTenantAsync(instance, cancellation);
        var audit = await AuditCheck.RunAsync(landscape, cancellation);
        return new TourReport(
            host, clock.ElapsedMilliseconds, $"{Pack} {execution.GetProperty("version").GetString()}",
            [.. execution.GetProperty("gates").EnumerateArray().Select(DescribeGate)],
            new InstanceReport(
                instance.GetProperty("name").GetString()!, instance.GetProperty("ready").GetBoolean(),
                [.. instance.GetProperty("deployedResources").EnumerateArray().Select(DescribeResource)]),
            new LineageReport(
                index.GetProperty("index").GetString()!,
                [.. index.GetProperty("descendants").EnumerateArray().Select(d => $"{d.GetProperty("kind").GetString()} {d.GetProperty("namespace").GetString()}/{d.GetProperty("name").GetString()}")]),
            audit);
    }

    private static GateReport DescribeGate(JsonElement gate) => new(
        gate.GetProperty("gate").GetInt32(), gate.GetProperty("name").GetString()!, gate.GetProperty("blockedReason").GetString()!,
        (long)(gate.GetProperty("clearedAt").GetDateTimeOffset() - gate.GetProperty("blockedAt").GetDateTimeOffset()).TotalMilliseconds,
        gate.GetProperty("evidence").GetString()!);

    private static string DescribeResource(JsonElement resource) =>
        $"{resource.GetProperty("kind").GetString()} {new ObjectKey(resource.GetProperty("namespace").GetString()!, resource.GetProperty("name").GetString()!)}";

    private async Task ConfirmOnTenantAsync(JsonElement instance, CancellationToken cancellation)
    {
        var tenant = landscape.TenantClient(Tenant);
        foreach (var resource in instance.GetProperty("deployedResources").EnumerateArray())
        {
            var kind = GroupVersionKind.Of(resource.GetProperty("apiVersion").GetString()!, resource.GetProperty("kind").GetString()!);
            var key = new ObjectKey(resource.GetProperty("namespace").GetString()!, resource.GetProperty("name").GetString()!);
            if (await tenant.GetAsync(kind, key, cancellation) is null)
                throw new InvalidOperationException($"the PackInstance lists {kind.Kind} {key}, but the tenant {Tenant} does not have it");
        }
    }

    private async Task<JsonElement> GetAsync(string path, CancellationToken cancellation) =>
        await landscape.Api.GetFromJsonAsync<JsonElement>(new Uri($"/api/v1/{path}", UriKind.Relative), cancellation);
}
