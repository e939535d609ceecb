using System.Collections.Immutable;
using System.Globalization;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>
/// What a pack lineage shall have on its target, and which attempt may go for it. What is wanted follows from what is declared and from
/// nothing else, so it does not matter by which way the declarations came about. Pure.
/// </summary>
internal static class InstanceAim
{
    /// <summary>Brings aim, turn, restoration and removal into line with the rest of the state.</summary>
    public static InstanceState Settle(InstanceState state, ImmutableArray<GovernanceEvent>.Builder events, DateTimeOffset now)
    {
        var next = Aim(state, events, now);
        // Who holds the turn has to have heard of the new aim before anything else is done.
        if (next.Aim != state.Aim)
            next = next with { TurnNumber = next.TurnNumber + 1 };
        next = InstanceRemoval.Follow(next, events, now);
        if (TurnOf(next) is var turn && turn != next.Turn)
            next = next with { Turn = turn, TurnNumber = next.TurnNumber + 1 };
        return next with { Attempts = Forget(next) };
    }

    /// <summary>Whose turn it is, told to everybody whom it may concern; and to a restoration what it restores.</summary>
    public static IEnumerable<Letter> Letters(InstanceState state)
    {
        var executions = state.Declared.Values.Select(pack => ExecutionOf(pack, state.Cluster).ToString())
            .Concat(state.Attempts.Keys).Append(state.Turn).Append(state.Aim).Where(key => key.Length > 0).Distinct(StringComparer.Ordinal);
        foreach (var execution in executions)
        {
            var isAim = execution == state.Aim;
            yield return new Letter(
                new Address(Subjects.Execution, execution),
                new TurnFact(state.Key, state.TurnNumber, state.Turn, isAim ? "" : InPlaceOf(state), isAim && state.Turn != execution ? Blocker(state) : ""));
        }
        if (state.Restoration is { } restoration)
            yield return new Letter(
                new Address(Subjects.Execution, restoration.Execution.ToString()),
                new ReleaseFact(state.Key, restoration.Revision, state.Find(restoration.Revision), RefusalOf(state, restoration)));
    }

    /// <summary>Whether the attempt that may write can be kept from it, or is over: nobody else may before.</summary>
    public static bool IsFree(InstanceState state) =>
        state.Turn.Length == 0
        || (state.Attempts.GetValueOrDefault(state.Turn) is { } attempt && attempt.Heard >= state.TurnNumber
            && (!attempt.Exists || attempt.Standing is AttemptStanding.Superseded or AttemptStanding.Failed || (attempt.Standing == AttemptStanding.Succeeded && IsRecorded(state, attempt))));

    public static ObjectKey ExecutionOf(PackFact pack, string cluster) => new(pack.Pack.Namespace, ExecutionSpec.NameOf(pack.Pack.Name, cluster));

    private static InstanceState Aim(InstanceState state, ImmutableArray<GovernanceEvent>.Builder events, DateTimeOffset now)
    {
        var wanted = PackOrder.Newest(state.Declared.Values);
        if (wanted is null)
            return state with { Aim = "", Restoration = null, Problem = "" };
        var (restored, problem) = Restored(state, wanted);
        var next = state with { Problem = problem, Retain = wanted.Spec!.RetainOnDeletion };
        if (restored is not { } release)
            return next with { Aim = problem.Length > 0 || IsRolledBack(state, wanted) ? "" : ExecutionOf(wanted, state.Cluster).ToString(), Restoration = null };
        if (state.Restoration is { } known && known.Revision == release.Revision && known.AskedBy == wanted.Uid)
            return next with { Aim = known.Execution.ToString() };

        var number = state.Restorations + 1;
        var isRollback = wanted.Spec!.RollbackToRevision > 0;
        var why = isRollback
            ? string.Create(CultureInfo.InvariantCulture, $"ClusterPack {wanted.Pack.Name} asks for revision {release.Revision}")
            : $"{release.Version} is wanted again, and was delivered as revision {release.Revision}";
        var made = new Restoration(release.Revision, wanted.Uid, new ObjectKey(state.Key.Namespace, ExecutionSpec.RestorationOf(state.Key, number)), isRollback, why);
        events.Add(InstanceRules.Context(state).Operational(
            now, "packinstance.restoration-declared", "spec.version", state.Current?.Version, release.Version, $"{why}; by PackExecution {made.Execution}"));
        return next with { Restoration = made, Restorations = number, Aim = made.Execution.ToString() };
    }

    // What is wanted is brought back from the history where its own attempt cannot bring it: it is another release, or that attempt is over.
    private static (Release? Release, string Problem) Restored(InstanceState state, PackFact wanted)
    {
        var current = IsGone(state) ? null : state.Current;
        if (wanted.Spec!.RollbackToRevision is > 0 and var revision)
            return IsRolledBack(state, wanted) ? (null, "")
                : state.Find(revision) is { Document.Length: > 0 } asked ? (asked, "")
                : (null, string.Create(CultureInfo.InvariantCulture, $"ClusterPack {wanted.Pack.Name}: spec.rollbackToRevision: expected a retained revision ({Retained(state)}), found {revision}"));
        if (current?.PackUid == wanted.Uid)
            return (null, "");
        var own = state.Attempts.GetValueOrDefault(ExecutionOf(wanted, state.Cluster).ToString());
        if (own is not { Exists: true, Standing: AttemptStanding.Succeeded } || !IsRecorded(state, own))
            return (null, "");
        return state.Releases.LastOrDefault(release => release.PackUid == wanted.Uid && release.Document.Length > 0) is { } delivered
            ? (delivered, "")
            : (null, $"{wanted.Spec.Version} was delivered before and is no longer retained ({Retained(state)}); delete PackExecution {own.Execution} to deliver it again");
    }

    private static bool IsRolledBack(InstanceState state, PackFact wanted) =>
        wanted.Spec!.RollbackToRevision is > 0 and var revision && !IsGone(state) && state.Current is { } current
        && (current.Revision == revision || (current.RestoredFrom == revision && current.AskedBy == wanted.Uid));

    private static bool IsGone(InstanceState state) => state.Standing is InstanceStanding.Removed or InstanceStanding.Abandoned;

    private static string Retained(InstanceState state) => state.Releases.IsEmpty
        ? "none"
        : string.Join(", ", state.Releases.Select(release => release.Revision.ToString(CultureInfo.InvariantCulture)));

    private static string TurnOf(InstanceState state)
    {
        if (state.Turn == state.Aim && state.Removal is null)
            return state.Turn;
        if (!IsFree(state))
            return state.Turn;
        return state.Removal is null ? state.Aim : "";
    }

    // A success counts as over when the release that it made is recorded: until then it is not known what stands on the target.
    private static bool IsRecorded(InstanceState state, AttemptFact attempt) =>
        state.Current is { } current && (current.DeployedAt >= attempt.FinishedAt || state.Releases.Any(release => release.ExecutionUid == attempt.Uid));

    private static ImmutableSortedDictionary<string, AttemptFact> Forget(InstanceState state) => state.Attempts.RemoveRange(
        state.Attempts.Where(attempt => !attempt.Value.Exists && attempt.Key != state.Turn && attempt.Key != state.Aim).Select(attempt => attempt.Key));

    private static string InPlaceOf(InstanceState state) =>
        state.Restoration is { } restoration ? $"the restoration of revision {restoration.Revision}"
        : PackOrder.Newest(state.Declared.Values) is not { } wanted ? "nothing: no ClusterPack is meant for the target"
        : wanted.Spec!.RollbackToRevision > 0 ? $"the rollback to revision {wanted.Spec.RollbackToRevision}"
        : $"ClusterPack {wanted.Pack.Name} {wanted.Spec.Version}";

    private static string Blocker(InstanceState state) =>
        state.Removal is { } removal ? $"the removal of {removal.Pending.Length} objects ({removal.Cause})" : state.Turn.Length > 0 ? $"PackExecution {state.Turn}" : "";

    private static string RefusalOf(InstanceState state, Restoration restoration) =>
        state.Find(restoration.Revision) is { } release && state.Keys?.RevocationOf(release.KeyId) is { } why
            ? $"release {release.Revision} was signed by key {Signing.SigningKeyRules.Short(release.KeyId)}, which is revoked: {why}"
            : "";
}
