using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Governor.Compiler.Packs;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Registry;
using Governor.Tour;

namespace Governor.Bench;

/// <summary>One pack for one tenant. It has the same name everywhere: ClusterPack, RBACProfile, SeamMembership, namespace on the tenant.</summary>
internal sealed record FleetPack(string Name, string Tenant)
{
    public string Namespace => $"seam-tenant-{Tenant}";

    public ObjectKey Execution => new(Namespace, $"{Name}-{Tenant}");
}

/// <summary>Packs of eight objects in three layers, what they need to pass their gates, and what their executions say.</summary>
internal sealed class GateFleet : IAsyncDisposable
{
    private const int Parallelism = 16;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Landscape _landscape;
    private readonly OciClient _registry = new(new RegistryOptions());
    private readonly ConcurrentDictionary<ObjectKey, string> _seen = new();
    private readonly ConcurrentDictionary<ObjectKey, (string State, TaskCompletionSource Reached)> _awaited = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;

    public GateFleet(Landscape landscape)
    {
        _landscape = landscape;
        _watching = WatchAsync();
    }

    /// <summary>So many packs for every tenant.</summary>
    public static FleetPack[] Packs(string prefix, IEnumerable<string> tenants, int each) =>
        [.. Enumerable.Range(0, each).SelectMany(i => tenants.Select(tenant => new FleetPack($"{prefix}-{i:00}-{tenant}", tenant)))];

    public Task DeclareTenantAsync(string tenant, CancellationToken cancellation) => _landscape.DeclareAsync($"""
        apiVersion: v1
        kind: Namespace
        metadata: {"{"} name: seam-tenant-{tenant} {"}"}
        ---
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: {"{"} name: cluster-maximum, namespace: seam-tenant-{tenant} {"}"}
        spec:
          permissions:
          - {"{"} apiGroups: [""], resources: [configmaps, services, pods], verbs: [get, list, watch] {"}"}
        ---
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: {"{"} name: reader, namespace: seam-tenant-{tenant} {"}"}
        spec:
          permissions:
          - {"{"} apiGroups: [""], resources: [configmaps], verbs: [get, list, watch] {"}"}
        ---
        apiVersion: security.ontai.dev/v1alpha1
        kind: RBACPolicy
        metadata: {"{"} name: cluster-policy, namespace: seam-tenant-{tenant} {"}"}
        spec:
          subjectScope: platform
          allowedClusters: [{tenant}]
          maximumPermissionSetRef: cluster-maximum
          enforcementMode: strict
        """, "tenant", cancellation);

    /// <summary>Builds and pushes the packs, then declares them with their profiles.</summary>
    public Task DeclareAsync(IEnumerable<FleetPack> packs, CancellationToken cancellation) => EachAsync(packs, async (pack, token) =>
    {
        var folder = Path.Combine(_landscape.Folder, "fleet", pack.Name);
        Directory.CreateDirectory(folder);
        var input = Path.Combine(folder, "pack.yaml");
        await File.WriteAllTextAsync(input, Input(pack), token);
        await File.WriteAllTextAsync(Path.Combine(folder, "manifests.yaml"), Manifests(pack.Name), token);
        var request = new PackBuildRequest(input, folder) { Registry = $"{_landscape.Registry.Host}/packs/{pack.Name}" };
        var built = await PackBuild.RunAsync(request, _registry, token);
        await _landscape.ManagementClient.ApplyAsync(built.ClusterPack, "bench", default, token);
        await _landscape.DeclareAsync(Profile(pack), "profile", token);
    }, cancellation);

    public Task AdmitAsync(FleetPack pack, CancellationToken cancellation) => _landscape.DeclareAsync($"""
        apiVersion: infrastructure.ontai.dev/v1alpha1
        kind: SeamMembership
        metadata: {"{"} name: {pack.Name}, namespace: {pack.Namespace} {"}"}
        spec:
          appIdentityRef: {pack.Name}
          domainIdentityRef: {pack.Name}
          principalRef: system:serviceaccount:{pack.Name}:app
          tier: application
        """, "membership", cancellation);

    public Task AdmitAsync(IEnumerable<FleetPack> packs, CancellationToken cancellation) => EachAsync(packs, AdmitAsync, cancellation);

    /// <summary>Waits until every execution is in this state, a phase with its closed gates: <c>Gated 1</c>, <c>Succeeded</c>. Watches; never asks.</summary>
    public async Task ReachAsync(IEnumerable<FleetPack> packs, string state, CancellationToken cancellation)
    {
        var waiting = packs.Select(pack => (pack.Execution, Reached: Await(pack.Execution, state))).ToArray();
        try
        {
            await Task.WhenAll(waiting.Select(w => w.Reached)).WaitAsync(Patience, cancellation);
        }
        catch (TimeoutException)
        {
            var late = waiting.Where(w => !w.Reached.IsCompleted).Select(w => $"{w.Execution}: {_seen.GetValueOrDefault(w.Execution, "not there")}").ToArray();
            throw new InvalidOperationException($"waited {Patience.TotalSeconds} s for '{state}'; {late.Length} executions are not: {string.Join("; ", late.Take(5))}\n{_landscape.Silo.Tail}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
        _registry.Dispose();
    }

    private static Task EachAsync(IEnumerable<FleetPack> packs, Func<FleetPack, CancellationToken, Task> act, CancellationToken cancellation) => Parallel.ForEachAsync(
        packs, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation }, async (pack, token) => await act(pack, token));

    private Task Await(ObjectKey execution, string state)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _awaited[execution] = (state, reached);
        if (_seen.GetValueOrDefault(execution) == state)
            reached.TrySetResult();
        return reached.Task;
    }

    private async Task WatchAsync()
    {
        await foreach (var seen in _landscape.ManagementClient.WatchAsync(new WatchRequest(KnownKinds.PackExecution), _stopping.Token))
        {
            if (seen.Object is not { } execution || StateOf(execution) is not { } state)
                continue;
            _seen[seen.Key] = state;
            if (_awaited.TryGetValue(seen.Key, out var awaited) && awaited.State == state)
                awaited.Reached.TrySetResult();
        }
    }

    private static string? StateOf(KubeObject execution)
    {
        var phase = execution.FindText("status", "phase");
        if (phase != "Gated" || execution.Find("status", "gates") is not { ValueKind: JsonValueKind.Array } gates)
            return phase.Length > 0 ? phase : null;
        var closed = gates.EnumerateArray().Where(g => g.GetProperty("verdict").GetString() != "Allow").Select(g => g.GetProperty("gate").GetInt32());
        return $"Gated {string.Join(' ', closed.Select(g => g.ToString(CultureInfo.InvariantCulture)))}";
    }

    private static string Profile(FleetPack pack) => $"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: RBACProfile
        metadata: {"{"} name: {pack.Name}, namespace: {pack.Namespace} {"}"}
        spec:
          principalRef: system:serviceaccount:{pack.Name}:app
          domainIdentityRef: {pack.Name}
          targetClusters: [{pack.Tenant}]
          rbacPolicyRef: cluster-policy
          permissionDeclarations:
          - {"{"} permissionSetRef: reader, scope: namespaced {"}"}
        """;

    private static string Input(FleetPack pack) => $"""
        name: {pack.Name}
        version: v1.0.0-r1
        registryUrl: localhost:5000/packs/{pack.Name}
        category: raw
        rawSource: {"{"} path: manifests.yaml {"}"}
        targetClusters: [{pack.Tenant}]
        namespace: {pack.Namespace}
        """;

    private static string Manifests(string name) => $$"""
        apiVersion: v1
        kind: Namespace
        metadata: { name: {{name}} }
        ---
        apiVersion: v1
        kind: ServiceAccount
        metadata: { name: app, namespace: {{name}} }
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: { name: app, namespace: {{name}} }
        rules:
        - { apiGroups: [""], resources: [configmaps], verbs: [get, list, watch] }
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: { name: app, namespace: {{name}} }
        roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: app }
        subjects: [{ kind: ServiceAccount, name: app, namespace: {{name}} }]
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: app, namespace: {{name}} }
        data: { greeting: "hello from {{name}}" }
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: app, namespace: {{name}} }
        spec:
          replicas: 2
          selector: { matchLabels: { app: app } }
          template:
            metadata: { labels: { app: app } }
            spec:
              serviceAccountName: app
              containers: [{ name: app, image: "registry.example/app:v1" }]
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: app, namespace: {{name}} }
        spec: { selector: { app: app }, ports: [{ port: 80 }] }
        """;
}
