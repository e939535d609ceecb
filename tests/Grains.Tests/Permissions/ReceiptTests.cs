using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Tests.Support;
using Governor.Manifests;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Grains.Tests.Permissions;

/// <summary>A permission snapshot on its way to a real tenant, and what becomes of it there.</summary>
[Collection(nameof(Ground))]
public sealed class ReceiptTests(Ground ground) : IAsyncLifetime
{
    private const string Tenant = "ccs-dev";
    private const string Ns = $"seam-tenant-{Tenant}";

    private static readonly ObjectKey Copy = new("ont-system", $"snapshot-{Tenant}");
    private static readonly ObjectKey Receipt = new("ont-system", $"receipt-{Tenant}");

    private Bed _bed = null!;
    private ICluster _tenant = null!;

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground, Tenant);
        _tenant = _bed.Services.GetRequiredService<IClusters>().Connect(new ClusterName(Tenant), System.Text.Encoding.UTF8.GetBytes(_bed.Tenants[Tenant].Kubeconfig));
        foreach (var definition in CrdGenerator.Objects([KnownKinds.PermissionSnapshot, KnownKinds.PermissionSnapshotReceipt]))
            await _tenant.ApplyAsync(definition, "human", default, CancellationToken.None);
        await _tenant.ApplyAsync(ManifestReader.Read("apiVersion: v1\nkind: Namespace\nmetadata: { name: ont-system }", "test").Single(), "human", default, CancellationToken.None);
        await _bed.Tenants[Tenant].IdleAsync();
        await _bed.NamespaceAsync(Ns);
        await _bed.WatchAsync(
            KnownKinds.TalosCluster, KnownKinds.RunnerConfig, KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership,
            KnownKinds.PermissionSnapshot);
        await _bed.Grains.GetGrain<Governor.Grains.Interfaces.IWatchGrain>(
            Governor.Grains.Watches.WatchKey.Of(new ClusterName(Bed.ManagementName), KnownKinds.Secret, SigningKeyRules.Secret)).EnsureAsync();
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task A_signed_snapshot_is_delivered_verified_there_and_acknowledged()
    {
        await DeclareAsync();
        await InSyncAsync();

        var copy = (await _tenant.GetAsync(KnownKinds.PermissionSnapshot, Copy, CancellationToken.None))!;
        var receipt = (await _tenant.GetAsync(KnownKinds.PermissionSnapshotReceipt, Receipt, CancellationToken.None))!;
        Assert.Equal("mirrored", copy.Labels["ontai.dev/snapshot-type"]);
        Assert.Equal(copy.FindText("spec", "version"), receipt.FindText("spec", "snapshotVersion"));
        await _bed.SeenAsync(
            KnownKinds.PermissionSnapshot, new("seam-system", $"snapshot-{Tenant}"),
            s => s.FindText("status", "lastAckedVersion") == copy.FindText("spec", "version") && s.Find("status", "signed").GetBoolean() && !s.Find("status", "drift").GetBoolean(), "acknowledged");
        await _bed.SeenAsync(KnownKinds.TalosCluster, new("seam-system", Tenant), c => Condition(c) is { Status: ConditionStatus.False }, "sound");
    }

    [Fact]
    public async Task A_tampered_a_replayed_and_a_missing_copy_are_seen_and_only_a_genuine_one_is_acknowledged()
    {
        await DeclareAsync();
        await InSyncAsync();
        var genuine = (await _tenant.GetAsync(KnownKinds.PermissionSnapshot, Copy, CancellationToken.None))!;
        var version = genuine.FindText("spec", "version");

        // Somebody on the tenant helps himself to more.
        var tampered = Written(genuine);
        tampered["spec"]!["principalPermissions"]![0]!["allowedOperations"]![0]!["verbs"] = new JsonArray("get", "list", "delete");
        await ForceAsync(tampered);
        await DegradedAsync("SnapshotSignatureInvalid");
        await _bed.SeenAsync(KnownKinds.TalosCluster, new("seam-system", Tenant), c => Condition(c) is { Status: ConditionStatus.True, Reason: "SnapshotSignatureInvalid" }, "degraded");
        Assert.Equal(version, Acknowledged().Version);

        // The next content is delivered at once, and heals it.
        await _bed.DeclareAsync(Set("get", "list", "watch"));
        await InSyncAsync(newerThan: version);

        // The one before, genuine in every byte, is put back.
        await ForceAsync(Written(genuine));
        await DegradedAsync("SnapshotReplayed");
        Assert.NotEqual(version, Acknowledged().Version);
        await _bed.DeclareAsync(Set("get"));
        await InSyncAsync(newerThan: Acknowledged().Version);

        await _tenant.DeleteAsync(KnownKinds.PermissionSnapshot, Copy, null, CancellationToken.None);
        await _bed.Commits.UntilAsync<ReceiptState>(Subjects.Receipt, Tenant, _ => _bed.Commits.Events().Any(e => e is { Action: "permissionsnapshot.refused", NewValue: "SnapshotMissing" }), "missed");
        await InSyncAsync();
    }

    [Fact]
    public async Task A_snapshot_that_is_changed_on_the_management_cluster_is_written_again_and_reaches_nobody()
    {
        await DeclareAsync();
        await InSyncAsync();
        var version = Acknowledged().Version;
        var key = new ObjectKey("seam-system", $"snapshot-{Tenant}");
        var published = (await _bed.Client.GetAsync(KnownKinds.PermissionSnapshot, key, CancellationToken.None))!;

        var changed = Written(published);
        changed["spec"]!["subjects"] = new JsonArray(new JsonObject { ["subjectName"] = "mallory", ["subjectKind"] = "User" });
        await _bed.Client.ApplyAsync(KubeObject.From(changed), "mallory", new ApplyOptions(Force: true), CancellationToken.None);

        await _bed.SeenAsync(KnownKinds.PermissionSnapshot, key, s => s.Find("spec", "subjects").ValueKind == System.Text.Json.JsonValueKind.Undefined, "as it was");
        Assert.Contains(_bed.Commits.Events(), e => e.Action == "permissionsnapshot.altered");
        Assert.Equal(version, Acknowledged().Version);
    }

    [Fact]
    public async Task A_silo_that_died_over_a_snapshot_that_it_had_written_suspects_nobody_of_it()
    {
        await DeclareAsync();
        await InSyncAsync();
        var version = Acknowledged().Version;
        var unanswered = _bed.Management.Faults.Arm(
            r => r is { Verb: "patch", Resource: "permissionsnapshots" }, new Governor.Sandbox.Faults.FaultEffect.DropAfter(), count: int.MaxValue);
        await _bed.DeclareAsync(Set("get", "list", "watch"));
        await unanswered.FirstHit;

        await _bed.StopSiloAsync();
        _bed.Management.Faults.Clear();
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();

        await InSyncAsync(newerThan: version);
        Assert.DoesNotContain(_bed.Commits.Events(), e => e.Action == "permissionsnapshot.altered");
    }

    [Fact]
    public async Task A_deleted_profile_s_rights_are_gone_from_what_the_tenant_has_acknowledged()
    {
        await DeclareAsync();
        await InSyncAsync();

        await _bed.DeleteAsync(KnownKinds.RBACProfile, new(Ns, "web"));

        await _bed.Commits.UntilAsync<PermissionState>(Subjects.Permission, Tenant, p => p.Snapshot is { Permissions.Principals.IsEmpty: true } && !p.Drifts, "acknowledged without rights");
        var copy = (await _tenant.GetAsync(KnownKinds.PermissionSnapshot, Copy, CancellationToken.None))!;
        Assert.Equal(0, copy.Find("spec", "principalPermissions").GetArrayLength());
    }

    [Fact]
    public async Task What_was_issued_while_no_silo_ran_to_deliver_it_is_delivered_by_the_next_one()
    {
        var refused = _bed.Tenants[Tenant].Faults.Arm(
            r => r is { Verb: "patch", Resource: "permissionsnapshots" }, new Governor.Sandbox.Faults.FaultEffect.Fail(500, "InternalError", "not now"), count: int.MaxValue);
        await DeclareAsync();
        await refused.FirstHit;

        await _bed.StopSiloAsync();
        _bed.Tenants[Tenant].Faults.Clear();
        await _bed.StartSiloAsync();
        await _bed.ResumeAsync();

        await InSyncAsync();
    }

    private async Task DeclareAsync()
    {
        await _bed.DeclareAsync(Declared.Text(Tenant));
        await _bed.DeclareSecretAsync(SigningKeyRules.Secret, "private.pem", SigningKey.Generate().ToPem());
        await _bed.DeclareAsync($$"""
            apiVersion: platform.ontai.dev/v1alpha1
            kind: TalosCluster
            metadata: { name: {{Tenant}}, namespace: seam-system }
            spec: { mode: import, role: tenant, talosVersion: v1.9.5, kubernetesVersion: 1.32.3 }
            """);
        await _bed.DeclareSecretAsync(ClusterRules.KubeconfigSecret(new ClusterName(Tenant)), "value", _bed.Tenants[Tenant].Kubeconfig);
    }

    private static string Set(params string[] verbs) => $$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: { name: web-reader, namespace: {{Ns}} }
        spec:
          permissions:
          - apiGroups: [""]
            resources: [configmaps]
            verbs: [{{string.Join(", ", verbs)}}]
        """;

    private Task<Committed> InSyncAsync(string newerThan = "") => _bed.Commits.UntilAsync<PermissionState>(
        Subjects.Permission, Tenant,
        p => p is { Drifts: false, Receipt.Sync: SnapshotSync.InSync, Snapshot: { Permissions.Principals.IsEmpty: false } snapshot } && snapshot.Version != newerThan, "in sync");

    private Task<Committed> DegradedAsync(string reason) => _bed.Commits.UntilAsync<ReceiptState>(Subjects.Receipt, Tenant, r => r.Fault?.Reason == reason, reason);

    private Acknowledgement Acknowledged() => _bed.Commits.Of(Subjects.Receipt, Tenant)[^1].As<ReceiptState>().Acknowledged!;

    private static Condition? Condition(KubeObject cluster) => Conditions.Of(cluster).Find(ClusterRules.Degraded);

    // As somebody writes it who has the right to: not as the server keeps it.
    private static JsonObject Written(KubeObject stored)
    {
        var item = stored.ToJsonObject();
        item.Remove("status");
        var metadata = item["metadata"]!.AsObject();
        foreach (var name in metadata.Select(entry => entry.Key).Where(name => name is not ("name" or "namespace" or "labels" or "annotations")).ToArray())
            metadata.Remove(name);
        return item;
    }

    private Task<KubeObject> ForceAsync(JsonObject item) => _tenant.ApplyAsync(KubeObject.From(item), "mallory", new ApplyOptions(Force: true), CancellationToken.None);
}
