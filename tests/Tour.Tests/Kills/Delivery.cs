using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Sandbox;
using Governor.Sandbox.Faults;
using Governor.Tour.Tests.Support;

namespace Governor.Tour.Tests.Kills;

/// <summary>One delivery to a tenant of its own, which may be stopped in the middle of one write.</summary>
internal sealed class Delivery : IAsyncDisposable
{
    private readonly TestLandscape _landscape;
    private readonly Tenant _tenant;
    private readonly Stage? _stage;
    private readonly RequestHold _hold;
    private ArmedFault? _armed;

    private Delivery(TestLandscape landscape, Tenant tenant, Stage? stage, HoldPoint point)
    {
        _landscape = landscape;
        _tenant = tenant;
        _stage = stage;
        _hold = new RequestHold(point);
        if (stage is not null)
            _armed = Cluster.Faults.Arm(request => stage.Concerns(request, tenant.Name), new FaultEffect.Hold(_hold), from: stage.Number);
    }

    public string Name => _tenant.Name;

    public string Namespace => _tenant.Namespace;

    public IReadOnlyList<Stage> Stages =>
        [.. Stage.Of(_landscape.Landscape.Management.Writes, false, Name), .. Stage.Of(_tenant.Cluster.Writes, true, Name)];

    /// <summary>How many objects the delivery has put on the tenant.</summary>
    public int ObjectsOnTenant => _tenant.Delivered.Select(w => (w.Gvk, w.Key)).Distinct().Count();

    private SandboxCluster Cluster => _stage!.OnTenant ? _tenant.Cluster : _landscape.Landscape.Management;

    public static async Task<Delivery> StartAsync(TestLandscape landscape, string tenant, Stage? stage = null, HoldPoint point = HoldPoint.BeforeExecution) =>
        new(landscape, await Tenant.StartAsync(landscape.Landscape, tenant), stage, point);

    /// <summary>As unhelpfully as in the main job: the pack first, the tenant last.</summary>
    public async Task DeclareAsync(string pack)
    {
        await _tenant.DeclareAsync(pack, "ClusterPack");
        await _tenant.DeclareAccessAsync();
        await _tenant.DeclareClusterAsync(_tenant.Kubeconfig);
    }

    /// <summary>Waits until everything that a delivery brings about is there.</summary>
    public async Task CompleteAsync(CancellationToken cancellation = default)
    {
        await SeeAsync(KnownKinds.PackExecution, _tenant.Execution, "Succeeded", item => item.Condition("Succeeded", "True") is not null, cancellation);
        await SeeAsync(KnownKinds.PackInstance, _tenant.Execution, "Ready", item => item.Condition("Ready", "True") is not null, cancellation);
        await SeeAsync(
            KnownKinds.InfrastructureLineageIndex, new ObjectKey(Namespace, "clusterpack-web"), "two descendants and an outcome",
            item => Count(item, "descendantRegistry") == 2 && Count(item, "outcomeRegistry") == 1, cancellation);
    }

    /// <summary>Waits until the write is held; false when the delivery went by without it.</summary>
    public async Task<bool> ReachAsync()
    {
        using var enough = new CancellationTokenSource();
        var complete = CompleteAsync(enough.Token);
        var first = await Task.WhenAny(_hold.Held, complete);
        if (first == complete)
            await complete;
        await enough.CancelAsync();
        await complete.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_armed!.Hits > 0) // what completed the delivery may be the very write that is about to be held
            await Awaiting.DoneAsync(_hold.Held, $"{_stage} to be held {_hold.Point}", () => _landscape.Landscape.Silo.Tail);
        return _hold.Held.IsCompleted;
    }

    /// <summary>After the silo's death: what was held comes to nothing.</summary>
    public void Drop()
    {
        Cluster.Faults.Disarm(_armed!);
        _armed = null;
        _hold.Drop();
        if (!_hold.Held.IsCompleted)
            return;
        var done = Stages.Count(stage => stage.OnTenant == _stage!.OnTenant && stage.Item == _stage.Item);
        // What was refused was not done: what was believed to be new was there, and it would have been asked for otherwise next.
        var isDone = _hold is { Point: HoldPoint.BeforeAnswer, Answer: < 400 };
        Assert.True(
            done == (isDone ? _stage!.Number : _stage!.Number - 1),
            $"{_stage} was held {_hold.Point} with {_hold.Answer} when the silo was killed, but {done} such writes were done");
    }

    /// <summary>The same object was never given two contents.</summary>
    public void CheckTenant(int objects)
    {
        var contents = _tenant.Delivered.GroupBy(w => (w.Gvk, w.Key)).ToList();
        Assert.Equal(objects, contents.Count);
        Assert.All(contents, content => Assert.True(
            content.Select(w => w.Body).Distinct().Count() == 1, $"{Name}, {_stage}: {content.Key} was applied {content.Count()} times with different contents"));
    }

    public ValueTask DisposeAsync() => _tenant.DisposeAsync();

    private async Task SeeAsync(GroupVersionKind kind, ObjectKey key, string what, Func<KubeObject, bool> holds, CancellationToken cancellation) =>
        await Awaiting.ObjectAsync(
            _landscape.Landscape.ManagementClient, kind, key, what, holds, 
            async () => $"stage: {_stage} {_hold.Point}\n{await _landscape.TellAsync(Namespace)}", cancellation);

    private static int Count(KubeObject index, string registry) =>
        index.Find("spec", registry) is { ValueKind: JsonValueKind.Array } listed ? listed.GetArrayLength() : 0;
}
