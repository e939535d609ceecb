using System.Collections.Immutable;
using Governor.Domain.Audit;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;

namespace Governor.Domain.Permissions;

/// <summary>How a cluster's RBAC is decided on. Pure.</summary>
public static class MaterialisationRules
{
    /// <summary>Reasons of the condition <see cref="Condition"/>.</summary>
    public const string Conflict = "RBACConflict", Refused = "RBACMaterializationFailed", Pending = "RBACPending", NamespaceMissing = "NamespaceMissing";

    private const string Materialised = "RBACMaterialised", RoleMissing = "RoleMissing";

    /// <summary>On the PermissionSnapshot.</summary>
    public const string Condition = "Materialised";

    private const int MostNamed = 5;

    /// <summary>A watch that has ended tells nobody, and what was refused may be allowed by now: everything is looked at again.</summary>
    public static TimeSpan LookAgain { get; } = TimeSpan.FromMinutes(5);

    public static Decision<MaterialisationState> Decide(MaterialisationState state, MaterialisationInput input, DateTimeOffset now) => input switch
    {
        MaterialisationInput.Told(RightsFact rights) => rights.Supersedes(state.Rights) ? Decision.Of(Record(state with { Rights = rights })) : Decision.Of(state),
        MaterialisationInput.Told(ConductorFact conductor) => conductor.Supersedes(state.Conductor) ? Decision.Of(Meet(state with { Conductor = conductor })) : Decision.Of(state),
        MaterialisationInput.Told => Decision.Of(state),
        MaterialisationInput.Found(var strays) => Decision.Of(state with
        {
            Inventory = state.Inventory.AddRange(
                strays.Select(stray => KeyValuePair.Create(RbacObject.IdOf(stray.Kind, stray.Key), stray)).Where(stray => !state.Inventory.ContainsKey(stray.Key))),
        }),
        MaterialisationInput.Looked(var outcomes) => Take(state, outcomes, now),
        MaterialisationInput.Ticked => Decision.Of(state),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>Whether the cluster answers, and what it should have is known and in date.</summary>
    public static bool CanAct(MaterialisationState state, DateTimeOffset now) =>
        state is { Rights: { } rights, Conductor.Readiness: ConductorReadiness.Ready } && now <= rights.FreshUntil;

    public static DateTimeOffset? NextTick(MaterialisationState state, DateTimeOffset now) => state.Rights is null ? null : now + LookAgain;

    public static RbacPlan Plan(MaterialisationState state) =>
        state.Rights is { } rights ? Materialisation.Desired(rights.Permissions) : new RbacPlan([], []);

    /// <summary>The role that a binding needs does not stand.</summary>
    public static RbacTrouble WithoutRole(RbacObject binding) => new(RoleMissing, $"{binding.Needs} does not stand: nothing is bound to it");

    public static IEnumerable<Letter> Outbox(MaterialisationState state)
    {
        if (state.Rights is null)
            yield break;
        yield return new Letter(new Address(Subjects.Cluster, state.Cluster.Value), new Interest());
        yield return new Letter(new Address(Subjects.Permission, state.Cluster.Value), Fact(state));
    }

    public static MaterialisationFact Fact(MaterialisationState state)
    {
        var plan = Plan(state);
        var wanted = plan.Objects.ToDictionary(item => item.Id, item => item.Digest, StringComparer.Ordinal);
        var troubles = state.Inventory.Values.Where(record => record.Trouble is not null)
            .Select(record => (record.Trouble!.Reason, $"{record.Kind.Kind} {record.Key}: {record.Trouble.Message}"))
            .Concat(plan.Impossible.Select(text => (Refused, text))).ToArray();
        if (troubles.Length > 0)
        {
            var reason = new[] { Conflict, Refused, NamespaceMissing, Pending }.FirstOrDefault(known => troubles.Any(trouble => trouble.Item1 == known)) ?? Pending;
            var more = troubles.Length > MostNamed ? $"; and {troubles.Length - MostNamed} more" : "";
            return new MaterialisationFact(state.Cluster, false, reason, string.Join("; ", troubles.Take(MostNamed).Select(trouble => trouble.Item2)) + more);
        }
        var owed = state.Inventory.Count(entry => entry.Value.Written != wanted.GetValueOrDefault(entry.Key, "gone"));
        return owed == 0
            ? new MaterialisationFact(state.Cluster, true, Materialised, $"{wanted.Count} objects hold the rights of {state.Rights?.SnapshotVersion}")
            : new MaterialisationFact(state.Cluster, false, Pending, $"{owed} objects are to be written or removed");
    }

    // Before anything is written: whoever dies in between finds here what may be there.
    private static MaterialisationState Record(MaterialisationState state)
    {
        var inventory = state.Inventory.ToBuilder();
        foreach (var item in Plan(state).Objects)
            if (!inventory.ContainsKey(item.Id))
                inventory[item.Id] = new RbacRecord(item.Intent.Gvk, item.Intent.Key, item.Principal);
        return state with { Inventory = inventory.ToImmutable() };
    }

    // Another API server has nothing of ours yet, as far as we know.
    private static MaterialisationState Meet(MaterialisationState state)
    {
        var there = state.Conductor!.ApiUid;
        if (there.Length == 0 || there == state.ApiUid)
            return state;
        return state with
        {
            ApiUid = there,
            Inventory = state.Inventory.SetItems(state.Inventory.Select(entry => KeyValuePair.Create(entry.Key, entry.Value with { Uid = "", Written = "", Trouble = null }))),
        };
    }

    private static Decision<MaterialisationState> Take(MaterialisationState state, ImmutableArray<RbacOutcome> outcomes, DateTimeOffset now)
    {
        var (inventory, events) = (state.Inventory.ToBuilder(), ImmutableArray.CreateBuilder<GovernanceEvent>());
        var wanted = Plan(state).Objects.Select(item => item.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var outcome in outcomes)
        {
            if (!inventory.TryGetValue(outcome.Id, out var known))
                continue;
            switch (outcome)
            {
                case RbacOutcome.Stands stands:
                    inventory[outcome.Id] = known with { Uid = stands.Uid, Written = stands.Digest, Trouble = null };
                    if (known.Written != stands.Digest)
                        Say("rbac.materialised", Previous(known), stands.Summary, $"rights of {known.Principal}");
                    else if (stands.Changed)
                        Say("rbac.repaired", Previous(known), stands.Summary, $"rights of {known.Principal}: somebody had changed it");
                    break;
                case RbacOutcome.Gone gone:
                    // It may be wanted again by now.
                    if (wanted.Contains(outcome.Id))
                        inventory[outcome.Id] = known with { Uid = "", Written = "", Trouble = null };
                    else
                        inventory.Remove(outcome.Id);
                    if (known.Written.Length > 0)
                        Say("rbac.withdrawn", Previous(known), null, $"rights of {known.Principal}: {gone.How}");
                    break;
                case RbacOutcome.Hindered hindered:
                    inventory[outcome.Id] = (hindered.Nothing ? known with { Uid = "", Written = "" } : known) with { Trouble = hindered.Trouble };
                    // What merely waits has decided nothing, and whether it had to depends on who was first.
                    if (known.Trouble != hindered.Trouble && hindered.Trouble.Reason is (Conflict or Refused))
                        Say(hindered.Trouble.Reason == Conflict ? "rbac.conflict" : "rbac.refused", null, hindered.Trouble.Reason, $"rights of {known.Principal}: {hindered.Trouble.Message}");
                    break;
            }

            void Say(string action, string? previous, string? next, string rationale) => events.Add(
                GuardianEvents.Of(known.Kind, known.Key, "", 0, state.Cluster.Value).Governance(now, action, "rules", previous, next, rationale));
        }
        return new Decision<MaterialisationState>(state with { Inventory = inventory.ToImmutable() }, events.ToImmutable());
    }

    private static string? Previous(RbacRecord known) => known.Written.Length == 0 ? null : known.Written;
}
