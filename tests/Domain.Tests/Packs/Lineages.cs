using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

/// <summary>One pack lineage on its target, and the steps that bring it about, as the actors would tell them.</summary>
internal sealed class LineageOnTarget
{
    private const string Ns = "seam-tenant-ccs-dev";

    private long _version;

    public InstanceState State { get; private set; } = InstanceState.Initial with { Key = new ObjectKey(Ns, "web-ccs-dev") };

    public List<GovernanceEvent> Events { get; } = [];

    public DateTimeOffset Now { get; private set; } = Make.Now;

    public IEnumerable<string> Actions => Events.Select(e => e.Action);

    public static DeployedResource Config(string name, string uid = "", bool created = true) => new("v1", "ConfigMap", "web", name, uid.Length > 0 ? uid : $"uid-of-{name}", created);

    public static ObjectKey Execution(string pack) => new(Ns, $"{pack}-ccs-dev");

    public PackFact Fact(string pack, string version, long rollback = 0, bool retain = true, bool exists = true, int declared = 0, PackTrust trust = PackTrust.Signed) => new(
        new ObjectKey(Ns, pack), exists, $"uid-of-{pack}",
        Make.Spec with { Version = version, BasePackName = "web", RollbackToRevision = rollback, RetainOnDeletion = retain }, trust, "PackSigned", "signed", "key",
        Make.Now.AddMinutes(declared), $"sha256:{pack}", Make.Needs)
    {
        From = new Address(Subjects.Pack, $"{Ns}/{pack}"),
        Version = ++_version,
    };

    public void Tell(Fact fact) => Do(new InstanceInput.Told(fact));

    public void Do(InstanceInput input)
    {
        Now = Now.AddSeconds(1);
        var decision = InstanceRules.Decide(State, input, Now);
        State = decision.State;
        Events.AddRange(decision.Events);
    }

    public void Declare(string pack, string version, long rollback = 0, bool retain = true, int declared = 0) => Tell(Fact(pack, version, rollback, retain, declared: declared));

    public void Delete(string pack) => Tell(Fact(pack, State.Declared[$"{Ns}/{pack}"].Spec!.Version, exists: false));

    /// <summary>What an execution says about itself, having heard the newest turn.</summary>
    public void Say(string execution, AttemptStanding standing, bool exists = true, params DeployedResource[] inventory) => Tell(
        new AttemptFact(new ObjectKey(Ns, execution), $"uid-of-{execution}", exists, standing, State.TurnNumber, standing is AttemptStanding.Succeeded or AttemptStanding.Failed ? Now : null, [.. inventory])
        {
            From = new Address(Subjects.Execution, $"{Ns}/{execution}"),
            Version = ++_version,
        });

    /// <summary>The attempt whose turn it is delivers.</summary>
    public void Deliver(string pack, string version, params DeployedResource[] inventory)
    {
        Assert.Equal(State.Aim, State.Turn);
        var execution = ObjectKey.Parse(State.Turn);
        Now = Now.AddSeconds(1);
        Tell(new DeliveredFact(
            execution, $"uid-of-{execution.Name}", new ObjectKey(Ns, pack), $"uid-of-{pack}", version, "ccs-dev", Make.Spec with { Version = version, BasePackName = "web" },
            [.. inventory], Now, null, $"sha256:{pack}", "{}", "key"));
        Say(execution.Name, AttemptStanding.Succeeded);
    }

    /// <summary>What its PackInstance tells an execution.</summary>
    public TurnFact Turn(string execution) =>
        InstanceRules.Outbox(State).Where(l => l.To.Key == $"{Ns}/{execution}").Select(l => l.Fact).OfType<TurnFact>().Single();

    /// <summary>Everything pending goes, as a target that has all of it would answer.</summary>
    public void RemoveAll()
    {
        while (State.Removal is { Pending: [var entry, ..] } order)
            Do(new InstanceInput.ObjectDone(order.Id, entry, RemovalOutcome.Removed, "", "deleted"));
    }
}
