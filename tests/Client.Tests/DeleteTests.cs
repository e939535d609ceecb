using Governor.Client.Tests.Support;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Client.Tests;

[Collection(Server.Name)]
public sealed class DeleteTests(Target target)
{
    [ReliesOn("DeleteOptions.preconditions: uid and resourceVersion")]
    public async Task Only_the_very_object_in_the_very_state_is_deleted()
    {
        var (name, path) = await MakeAsync();
        var made = await target.Wire.GetAsync(path);
        await ConflictsAsync(new DeleteOptions(Uid: Guid.NewGuid().ToString()));
        await target.Wire.MergeAsync(path, """{"spec":{"size":4}}""");
        await ConflictsAsync(new DeleteOptions(Uid: made.Uid, ResourceVersion: made.Version));

        var now = await target.Wire.GetAsync(path);
        await target.Cluster.DeleteAsync(target.Gear, target.Key(name), new DeleteOptions(now.Uid, now.Version), default);
        Assert.Equal(404, (await target.Wire.GetAsync(path)).Code);
        await target.Cluster.DeleteAsync(target.Gear, target.Key(name), now.Uid, default); // what is gone is gone

        async Task ConflictsAsync(DeleteOptions options)
        {
            var refusal = await Assert.ThrowsAsync<KubernetesException>(() => target.Cluster.DeleteAsync(target.Gear, target.Key(name), options, default));
            Assert.Equal((409, "Conflict", false), (refusal.Code, refusal.Reason, refusal.IsTransient));
        }
    }

    [ReliesOn("finalizers")]
    public async Task An_object_with_a_finalizer_goes_when_the_last_one_is_removed()
    {
        var (name, path) = await MakeAsync("\"finalizers\":[\"conformance.governor.dev/a\",\"conformance.governor.dev/b\"]");
        var marked = await target.Wire.DeleteAsync(path);
        Assert.Equal((200, true, 2L), (marked.Code, marked.IsBeingDeleted, marked.Generation));
        Assert.Equal(marked.Version, (await target.Wire.DeleteAsync(path)).Version); // asking twice changes nothing
        Assert.Equal((409, "AlreadyExists"), await target.Wire.PostAsync(target.Gears, target.GearJson(name)) is var taken ? (taken.Code, taken.Reason) : default);
        Assert.Equal(200, (await target.Wire.MergeAsync(path + "/status", """{"status":{"phase":"Going"}}""")).Code);

        var one = await target.Wire.MergeAsync(path, """{"metadata":{"finalizers":["conformance.governor.dev/b"]}}""");
        Assert.Equal(["conformance.governor.dev/b"], one.Finalizers);
        Assert.Equal(200, (await target.Wire.MergeAsync(path, """{"metadata":{"finalizers":null}}""")).Code);
        Assert.Equal(404, (await target.Wire.GetAsync(path)).Code);
    }

    [ReliesOn("a deletion that has begun cannot be taken back or held up further")]
    public async Task Finalizers_only_go_once_deletion_has_begun()
    {
        var (_, path) = await MakeAsync("\"finalizers\":[\"conformance.governor.dev/a\"]");
        await target.Wire.DeleteAsync(path);

        var added = await target.Wire.MergeAsync(path, """{"metadata":{"finalizers":["conformance.governor.dev/a","conformance.governor.dev/b"]}}""");
        Assert.Equal(422, added.Code);
        Assert.Contains("FieldValueForbidden metadata.finalizers", added.Causes);
        Assert.True((await target.Wire.MergeAsync(path, """{"metadata":{"deletionTimestamp":null}}""")).IsBeingDeleted);
        Assert.Equal(200, (await target.Wire.MergeAsync(path, """{"metadata":{"finalizers":null}}""")).Code);
    }

    [ReliesOn("propagationPolicy: Foreground and Orphan hold the object by a finalizer of the server's own")]
    public async Task What_becomes_of_dependents_is_written_on_the_object_first()
    {
        var (_, foreground) = await MakeAsync();
        var first = await target.Wire.DeleteAsync(foreground, "\"propagationPolicy\":\"Foreground\"");
        Assert.Equal((200, true), (first.Code, first.IsBeingDeleted));
        Assert.Equal(["foregroundDeletion"], first.Finalizers);

        var (_, orphan) = await MakeAsync();
        var second = await target.Wire.DeleteAsync(orphan, "\"propagationPolicy\":\"Orphan\"");
        Assert.Equal(["orphan"], second.Finalizers);

        var (_, background) = await MakeAsync();
        var third = await target.Wire.DeleteAsync(background, "\"propagationPolicy\":\"Background\"");
        Assert.Equal((200, "Status", "Success"), (third.Code, third.Kind, third.Find("status")));
        Assert.Equal(404, (await target.Wire.GetAsync(background)).Code);
        Assert.Equal(422, (await target.Wire.DeleteAsync(orphan, "\"propagationPolicy\":\"Sideways\"")).Code);
    }

    [ReliesOn("garbage collection by owner references (kube-controller-manager)")]
    public async Task Dependents_follow_their_owner_where_somebody_collects_garbage()
    {
        var (name, path) = await MakeAsync();
        var owner = await target.Wire.GetAsync(path);
        var dependent = target.NewName("dependent");
        var made = await target.Wire.PostAsync(target.ConfigMaps, Target.ConfigMapJson(
            dependent, metadata: $$"""
            "ownerReferences":[{"apiVersion":"{{target.Group}}/v1","kind":"Gear","name":"{{name}}","uid":"{{owner.Uid}}"}]
            """));
        Assert.Equal(201, made.Code);
        await target.Cluster.DeleteAsync(target.Gear, target.Key(name), owner.Uid, default);
        try
        {
            await target.EventuallyAsync("the dependent is gone", async () => (await target.Wire.GetAsync($"{target.ConfigMaps}/{dependent}")).Code == 404);
        }
        catch (TimeoutException)
        {
            var lease = await target.Wire.GetAsync("apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager");
            if (lease.Code == 404)
                throw new LackingException("no kube-controller-manager holds a lease on this cluster: nobody collects garbage");
            throw;
        }
    }

    [ReliesOn("deletecollection")]
    public async Task A_selection_is_deleted_at_once_and_nothing_beside_it()
    {
        var label = target.NewName("batch");
        for (var i = 0; i < 3; i++)
            await target.MakeAsync($"{label}-{i}", metadata: $"\"labels\":{{\"batch\":\"{(i < 2 ? label : "other")}\"}}");

        Assert.Equal(200, (await target.Wire.DeleteAsync($"{target.Gears}?labelSelector=batch%3D{label}")).Code);

        Assert.Empty((await target.Wire.GetAsync($"{target.Gears}?labelSelector=batch%3D{label}")).Names);
        Assert.Equal(200, (await target.Wire.GetAsync($"{target.Gears}/{label}-2")).Code);
    }

    [ReliesOn("DeleteOptions in the body: dryRun")]
    public async Task A_dry_run_deletes_nothing()
    {
        var (_, path) = await MakeAsync();

        Assert.Equal(200, (await target.Wire.DeleteAsync(path, "\"dryRun\":[\"All\"]")).Code);

        Assert.Equal((200, false), await target.Wire.GetAsync(path) is var left ? (left.Code, left.IsBeingDeleted) : default);
    }

    private async Task<(string Name, string Path)> MakeAsync(string metadata = "")
    {
        var name = target.NewName();
        await target.MakeAsync(name, metadata: metadata);
        return (name, $"{target.Gears}/{name}");
    }
}
