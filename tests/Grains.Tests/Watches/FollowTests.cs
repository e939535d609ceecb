using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Tests.Support;
using Governor.Sandbox.Faults;

namespace Governor.Grains.Tests.Watches;

/// <summary>Single objects on a tenant, followed by an actor.</summary>
[Collection(nameof(Ground))]
public sealed class FollowTests(Ground ground) : IAsyncLifetime
{
    private const string Tenant = "ccs-dev";
    private const string Other = "ccs-other";

    private static readonly Address Follower = new(Subjects.Instance, $"seam-tenant-{Tenant}/web-{Tenant}");
    private static readonly ObjectKey Settings = new("web", "settings");
    private static readonly ObjectKey Marker = new("web", "marker");
    private static readonly GroupVersionKind Widget = new("fixtures.governor.dev", "v1", "Widget");

    private Bed _bed = null!;

    private ICluster Client => _bed.TenantClient(Tenant);

    public async Task InitializeAsync()
    {
        _bed = await Bed.StartAsync(ground, Tenant, Other);
        await _bed.ConnectTenantAsync(Tenant);
        await ApplyAsync("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"web"}}""");
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task What_is_followed_is_told_as_it_is_then_as_it_changes_and_goes_and_nothing_else()
    {
        await PutAsync(Settings, "blue");
        await PutAsync(Marker, "blue");
        await FollowAsync(Settings, new("web", "absent"));
        await SeenAsync(Settings, Colour("blue"), "as it is");
        await SeenAsync(new("web", "absent"), seen => seen[^1].Object is null, "not there");

        await PutAsync(Settings, "red");
        await SeenAsync(Settings, Colour("red"), "changed");
        await Client.DeleteAsync(KnownKinds.ConfigMap, Settings, null, default);
        await SeenAsync(Settings, seen => seen[^1].Object is null, "gone");
        await PutAsync(Settings, "green");
        await SeenAsync(Settings, Colour("green"), "there again");

        Assert.Empty(_bed.Showings.Of(Marker));
        Assert.All(_bed.Showings.Of(Settings), seen => Assert.Equal((new ClusterName(Tenant), KnownKinds.ConfigMap, true), (seen.Cluster, seen.Kind, seen.IsFollowed)));
    }

    [Fact]
    public async Task A_set_replaces_the_one_before_and_none_ends_it()
    {
        await PutAsync(Settings, "blue");
        await PutAsync(Marker, "blue");
        await FollowAsync(Settings);
        await SeenAsync(Settings, Colour("blue"), "as it is");

        await FollowAsync(Marker);
        await SeenAsync(Marker, Colour("blue"), "as it is, although the stream runs already");
        await FollowAsync(Marker);
        await PutAsync(Settings, "red");
        await PutAsync(Marker, "red");
        await SeenAsync(Marker, Colour("red"), "changed");
        Assert.DoesNotContain(_bed.Showings.Of(Settings), Is("red"));
        Assert.Single(_bed.Showings.Of(Marker), Is("blue")); // what is followed already is not told again

        await FollowAsync();
        await PutAsync(Marker, "green");
        await FollowAsync(Settings); // begins anew
        await SeenAsync(Settings, Colour("red"), "as it is now");
        Assert.DoesNotContain(_bed.Showings.Of(Marker), Is("green"));
    }

    [Fact]
    public async Task Who_loses_the_label_is_shown_without_it_and_is_not_gone()
    {
        await PutAsync(Settings, "blue");
        await FollowAsync(Settings);
        await SeenAsync(Settings, Colour("blue"), "as it is");

        await LabelAsync(Settings, null);
        await SeenAsync(Settings, seen => seen[^1].Object is { } item && !Descent.IsDelivered(item), "without the label");
        await MergeAsync(Settings, """{"data":{"colour":"red"}}""");
        await SeenAsync(Settings, Colour("red"), "changed without the label");
        await LabelAsync(Settings, "governor");
        await SeenAsync(Settings, seen => seen[^1].Object is { } item && Descent.IsDelivered(item), "with the label");
        Assert.DoesNotContain(_bed.Showings.Of(Settings), seen => seen.Object is null);

        await Client.DeleteAsync(KnownKinds.ConfigMap, Settings, null, default);
        await SeenAsync(Settings, seen => seen[^1].Object is null, "gone");
    }

    [Fact]
    public async Task Nothing_is_gone_because_its_cluster_is_away()
    {
        await PutAsync(Settings, "blue");
        await _bed.Tenants[Tenant].GoAwayAsync();
        await FollowAsync(Settings, Marker);
        Assert.False(await Watch.IsSyncedAsync());

        await _bed.Tenants[Tenant].ComeBackAsync();
        await SeenAsync(Settings, Colour("blue"), "as it is");
        await SeenAsync(Marker, seen => seen[^1].Object is null, "gone, because the cluster says so");
        Assert.True(await Watch.UntilSyncedAsync(true));

        await _bed.Tenants[Tenant].GoAwayAsync();
        Assert.False(await Watch.UntilSyncedAsync(false));
        await _bed.Tenants[Tenant].ComeBackAsync();
        await PutAsync(Marker, "red");
        await SeenAsync(Marker, Colour("red"), "there");
        Assert.DoesNotContain(_bed.Showings.Of(Settings), seen => seen.Object is null);
    }

    [Fact]
    public async Task Another_kubeconfig_begins_anew_and_one_that_leads_elsewhere_shows_nothing()
    {
        await _bed.WatchAsync(KnownKinds.TalosCluster);
        await _bed.DeclareAsync($$"""
            apiVersion: platform.ontai.dev/v1alpha1
            kind: TalosCluster
            metadata: { name: {{Tenant}}, namespace: seam-system }
            spec: { mode: import, role: tenant, talosVersion: v1.9.5, kubernetesVersion: 1.32.3 }
            """);
        await _bed.Commits.UntilAsync<ClusterState>(Subjects.Cluster, Tenant, s => s.ApiUid.Length > 0, "reached");
        await PutAsync(Settings, "blue");
        await FollowAsync(Settings);
        await SeenAsync(Settings, Colour("blue"), "as it is");

        await _bed.ConnectTenantAsync(Tenant, _bed.Tenants[Other].Kubeconfig);
        await _bed.Commits.UntilAsync<ClusterState>(Subjects.Cluster, Tenant, s => s.Reachability == Reachability.KubeconfigUnusable, "led elsewhere");
        Assert.False(await Watch.UntilSyncedAsync(false));
        await _bed.ConnectTenantAsync(Tenant, _bed.Tenants[Tenant].KubeconfigFor("another", "system:masters"));
        await PutAsync(Settings, "red");

        await SeenAsync(Settings, Colour("red"), "changed");
        Assert.DoesNotContain(_bed.Showings.Of(Settings), seen => seen.Object is null);
    }

    [Fact]
    public async Task Secrets_are_watched_one_by_one()
    {
        var secret = new ObjectKey("web", "token");
        await ApplyAsync("""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"token","namespace":"web"},"data":{"t":"eA=="}}""");
        var whole = _bed.Tenants[Tenant].Faults.Arm(r => r.Resource == "secrets" && !r.Path.Contains("/namespaces/web/", StringComparison.Ordinal), new FaultEffect.Fail(500), count: int.MaxValue);

        await _bed.Watch(Tenant, KnownKinds.Secret).FollowAsync(Follower, [secret]);

        await SeenAsync(secret, seen => seen[^1].Object is not null, "as it is");
        await Client.DeleteAsync(KnownKinds.Secret, secret, null, default);
        await SeenAsync(secret, seen => seen[^1].Object is null, "gone");
        Assert.Equal(0, whole.Seen);
    }

    [Fact]
    public async Task More_objects_out_of_view_than_are_watched_one_by_one_are_told_all_the_same()
    {
        ObjectKey[] absent = [.. Enumerable.Range(0, 50).Select(n => new ObjectKey("web", $"absent-{n}"))];
        await FollowAsync(absent);
        foreach (var key in absent)
            await SeenAsync(key, seen => seen[^1].Object is null, "not there");

        await PutAsync(absent[49], "blue");
        await SeenAsync(absent[49], Colour("blue"), "there");
    }

    [Fact]
    public async Task A_kind_that_comes_is_picked_up_and_one_that_goes_takes_its_objects_along()
    {
        await _bed.Watch(Tenant, Widget).FollowAsync(Follower, [Settings]);
        await SeenAsync(Settings, seen => seen[^1].Object is null, "cannot be there");

        await DefineAsync();
        await PutWidgetAsync();
        await SeenAsync(Settings, seen => seen[^1].Object is not null, "there");

        await Client.DeleteAsync(KnownKinds.CustomResourceDefinition, new("", "widgets.fixtures.governor.dev"), null, default);
        await SeenAsync(Settings, seen => seen[^1].Object is null, "gone with its definition");

        await DefineAsync();
        await PutWidgetAsync();
        await SeenAsync(Settings, seen => seen[^1].Object is not null, "there again");
    }

    [Fact]
    public async Task A_discovery_that_fails_takes_nothing_along()
    {
        await DefineAsync();
        await PutWidgetAsync();
        await _bed.Watch(Tenant, Widget).FollowAsync(Follower, [Settings]);
        await SeenAsync(Settings, seen => seen[^1].Object is not null, "there");

        var faults = _bed.Tenants[Tenant].Faults;
        var discovery = faults.Arm(r => r.Path.StartsWith("/apis/fixtures.governor.dev", StringComparison.Ordinal), new FaultEffect.Fail(404, AsText: true), count: int.MaxValue);
        faults.DropWatches();
        Assert.False(await _bed.Watch(Tenant, Widget).UntilSyncedAsync(false));
        await discovery.FirstHit;
        faults.Disarm(discovery);

        Assert.True(await _bed.Watch(Tenant, Widget).UntilSyncedAsync(true));
        Assert.DoesNotContain(_bed.Showings.Of(Settings), seen => seen.Object is null);
    }

    private IWatchGrain Watch => _bed.Watch(Tenant, KnownKinds.ConfigMap);

    private Task FollowAsync(params ObjectKey[] objects) => Watch.FollowAsync(Follower, [.. objects]);

    private Task SeenAsync(ObjectKey key, Func<IReadOnlyList<Observation>, bool> holds, string what) =>
        _bed.Showings.UntilAsync(key, seen => seen.Count > 0 && holds(seen), what);

    private static Func<IReadOnlyList<Observation>, bool> Colour(string colour) => seen => Is(colour)(seen[^1]);

    private static Predicate<Observation> Is(string colour) => seen => seen.Object?.FindText("data", "colour") == colour;

    private Task<KubeObject> PutAsync(ObjectKey key, string colour) => ApplyAsync(
        $$$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{{key.Name}}}","namespace":"{{{key.Namespace}}}","labels":{"ontai.dev/managed-by":"governor"}},"data":{"colour":"{{{colour}}}"}}""");

    private Task<KubeObject> PutWidgetAsync() => ApplyAsync(
        """{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"settings","namespace":"web","labels":{"ontai.dev/managed-by":"governor"}}}""");

    private async Task DefineAsync()
    {
        await ApplyAsync("""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"widgets.fixtures.governor.dev"},
             "spec":{"group":"fixtures.governor.dev","scope":"Namespaced","names":{"kind":"Widget","plural":"widgets"},
                     "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}
            """);
        await _bed.Tenants[Tenant].IdleAsync();
    }

    private Task<KubeObject> LabelAsync(ObjectKey key, string? value) => MergeAsync(
        key, new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Descent.ManagedByLabel] = value } } }.ToJsonString());

    private Task<KubeObject> MergeAsync(ObjectKey key, string patch) =>
        Client.MergePatchAsync(KnownKinds.ConfigMap, key, JsonNode.Parse(patch)!.AsObject(), "somebody", CancellationToken.None);

    private Task<KubeObject> ApplyAsync(string json) =>
        Client.ApplyAsync(KubeObject.Parse(System.Text.Encoding.UTF8.GetBytes(json)), "human", default, CancellationToken.None);
}
