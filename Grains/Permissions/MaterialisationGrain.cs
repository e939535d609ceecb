using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Clusters;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;

namespace Governor.Grains.Permissions;

/// <summary>
/// Guardian's hand on one cluster: makes Kubernetes' own RBAC what the cluster's permissions are, follows what it made, and takes it
/// back. What it writes is in the committed inventory before.
/// </summary>
public sealed class MaterialisationGrain(GovernedServices services, TenantClusters tenants)
    : GovernedGrain<MaterialisationState, MaterialisationInput>(services, Subjects.Rbac), IMaterialisationGrain
{
    private const int MostPerCommit = 64;

    private static readonly ImmutableArray<GroupVersionKind> Kinds =
        [KnownKinds.ServiceAccount, KnownKinds.ClusterRole, KnownKinds.ClusterRoleBinding, KnownKinds.Role, KnownKinds.RoleBinding];

    private readonly HashSet<GroupVersionKind> _followed = [];
    private (RightsFact? Rights, RbacPlan Plan, Dictionary<string, RbacObject> ById) _planned = (null, new RbacPlan([], []), []);

    protected override MaterialisationState Initial() => MaterialisationState.Initial(new ClusterName(Key));

    protected override Decision<MaterialisationState> Decide(MaterialisationState state, MaterialisationInput input, DateTimeOffset now) =>
        MaterialisationRules.Decide(state, input, now);

    protected override MaterialisationInput Receive(Fact fact) => new MaterialisationInput.Told(fact);

    protected override MaterialisationInput? Read(Observation seen) => null;

    // What a stream shows may be old by the time it is told: it says that there is something to look at, not what.
    protected override MaterialisationInput? ReadFollowed(Observation seen)
    {
        var id = RbacObject.IdOf(seen.Kind, seen.Key);
        var wanted = Planned().ById.GetValueOrDefault(id);
        var isAsItShouldBe = seen.Kind == KnownKinds.Namespace ? seen.Object is null
            : seen.Object is { } there ? wanted?.Is(there) == true
            : wanted is null;
        if (!isAsItShouldBe)
            _ = ResumeAsync();
        return null;
    }

    protected override IEnumerable<Letter> Outbox(MaterialisationState state) => MaterialisationRules.Outbox(state);

    protected override DateTimeOffset? NextTick(MaterialisationState state) => MaterialisationRules.NextTick(state, Clock.GetUtcNow());

    protected override MaterialisationInput Tick() => new MaterialisationInput.Ticked();

    protected override async Task ActAsync(CancellationToken cancellation)
    {
        if (!MaterialisationRules.CanAct(State, Clock.GetUtcNow()))
            return;
        var cluster = State.Cluster == Clusters.Management.Name
            ? Clusters.Management
            : (await tenants.ConnectAsync(State.Cluster, State.Conductor!.ApiUid, cancellation)).Cluster;
        var live = await ListAsync(cluster, cancellation);
        if (Strays(live) is { IsEmpty: false } strays)
            await DecideAsync(new MaterialisationInput.Found(strays));
        await BringIntoLineAsync(new RbacWriter(cluster, live), cancellation);
        await FollowAsync(cluster.Name);
    }

    // Worked out once per snapshot: a stream asks it of every object.
    private (RightsFact? Rights, RbacPlan Plan, Dictionary<string, RbacObject> ById) Planned()
    {
        if (!ReferenceEquals(_planned.Rights, State.Rights))
        {
            var plan = MaterialisationRules.Plan(State);
            _planned = (State.Rights, plan, plan.Objects.ToDictionary(item => item.Id, StringComparer.Ordinal));
        }
        return _planned;
    }

    private static async Task<Dictionary<string, KubeObject>> ListAsync(ICluster cluster, CancellationToken cancellation)
    {
        var live = new Dictionary<string, KubeObject>(StringComparer.Ordinal);
        foreach (var kind in Kinds)
            foreach (var item in await cluster.ListAsync(kind, null, RbacObject.Selector, cancellation))
                live[RbacObject.IdOf(kind, item.Key)] = item;
        return live;
    }

    private ImmutableArray<RbacRecord> Strays(Dictionary<string, KubeObject> live) =>
        [.. live.Where(entry => !State.Inventory.ContainsKey(entry.Key)).Select(entry => RbacObject.Stray(entry.Value)).OfType<RbacRecord>()];

    // What is taken away goes first, then bindings find out whether their roles stand.
    private async Task BringIntoLineAsync(RbacWriter writer, CancellationToken cancellation)
    {
        var state = State;
        var (_, plan, wanted) = Planned();
        var outcomes = ImmutableArray.CreateBuilder<RbacOutcome>();
        var standing = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            // Bindings before their roles: ids of bindings sort after those of roles.
            foreach (var (id, record) in state.Inventory.Where(entry => !wanted.ContainsKey(entry.Key)).OrderByDescending(entry => entry.Key, StringComparer.Ordinal))
                await TakeAsync(await writer.WithdrawAsync(id, record, cancellation));
            foreach (var item in plan.Objects.Where(item => state.Inventory.ContainsKey(item.Id)))
            {
                var record = state.Inventory[item.Id];
                var outcome = item.Needs.Length == 0 || standing.Contains(item.Needs)
                    ? await writer.WriteAsync(record, item, cancellation)
                    : new RbacOutcome.Hindered(item.Id, MaterialisationRules.WithoutRole(item), (await writer.WithdrawAsync(item.Id, record, cancellation)) is RbacOutcome.Gone);
                if (outcome is RbacOutcome.Stands)
                    standing.Add(item.Id);
                await TakeAsync(outcome);
            }
        }
        finally
        {
            // What was done is said, also when the next thing could not be.
            await SayAsync();
        }

        async Task TakeAsync(RbacOutcome outcome)
        {
            outcomes.Add(outcome);
            if (outcomes.Count >= MostPerCommit)
                await SayAsync();
        }

        async Task SayAsync()
        {
            if (outcomes.Count == 0)
                return;
            var said = new MaterialisationInput.Looked(outcomes.ToImmutable());
            outcomes.Clear();
            await DecideAsync(said);
        }
    }

    private async Task FollowAsync(ClusterName cluster)
    {
        var objects = State.Inventory.Values.GroupBy(record => record.Kind, record => record.Key).ToDictionary(kind => kind.Key, kind => kind.ToImmutableArray());
        var awaited = State.Inventory.Values.Where(record => record.Trouble?.Reason == MaterialisationRules.NamespaceMissing)
            .Select(record => new ObjectKey("", record.Key.Namespace)).Distinct().ToImmutableArray();
        if (awaited.Length > 0)
            objects[KnownKinds.Namespace] = awaited;
        foreach (var kind in _followed.Union(objects.Keys).ToArray())
        {
            await GrainFactory.GetGrain<IWatchGrain>(WatchKey.Of(cluster, kind)).FollowAsync(new Address(Subject, Key), objects.GetValueOrDefault(kind, []));
            if (objects.ContainsKey(kind))
                _followed.Add(kind);
            else
                _followed.Remove(kind);
        }
    }
}
