using System.Collections.Immutable;
using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Facts;

namespace Governor.Domain.Admission;

/// <summary>What the recorder of refusals remembers: numbers, and which it has just recorded.</summary>
/// <param name="Recent">The last ones' ids, oldest first: what is told twice is recorded once.</param>
public sealed record RefusalState(long Denied, long Observed, ImmutableArray<string> Recent)
{
    public static RefusalState Initial { get; } = new(0, 0, []);
}

/// <summary>Refusals, in the order in which they happened.</summary>
public sealed record RefusalInput(ImmutableArray<Refusal> Refusals);

/// <summary>How refusals come into the audit trail, each attributed to whoever asked. Pure.</summary>
public static class RefusalRules
{
    public const string Key = "management";

    /// <summary>Refusals in one commit.</summary>
    public const int MostAtOnce = 64;

    private const int Remembered = 512;

    public static Decision<RefusalState> Decide(RefusalState state, RefusalInput input, ApprovalPolicy policy)
    {
        var known = state.Recent.ToHashSet(StringComparer.Ordinal);
        var fresh = input.Refusals.Where(refusal => known.Add(IdOf(refusal))).ToImmutableArray();
        if (fresh.IsEmpty)
            return Decision.Of(state);
        var recent = state.Recent.AddRange(fresh.Select(IdOf));
        var next = new RefusalState(
            state.Denied + fresh.Where(refusal => refusal.WasDenied).Sum(refusal => (long)refusal.Count),
            state.Observed + fresh.Where(refusal => !refusal.WasDenied).Sum(refusal => (long)refusal.Count),
            recent.Length > Remembered ? recent[^Remembered..] : recent);
        return new Decision<RefusalState>(next, [.. fresh.Select(refusal => Event(refusal, policy))]);
    }

    // The first of a window and the count of the rest may be told with the same review's id.
    private static string IdOf(Refusal refusal) => $"{refusal.Id}/{refusal.Count}";

    private static GovernanceEvent Event(Refusal refusal, ApprovalPolicy policy) => new EventContext(
        new EventSubject(refusal.Kind.Group, refusal.Kind.Kind, refusal.Object.Namespace, refusal.Object.Name, refusal.Uid, refusal.Generation),
        refusal.By.Name.Length > 0 ? refusal.By.Name : "system:anonymous", policy.RoleOf(refusal.By), refusal.Uid, "", refusal.Id)
        .Governance(
            refusal.At, refusal.WasDenied ? "admission.denied" : "admission.would-deny", refusal.Field, null, refusal.Rule,
            $"{refusal.Wanted} by {refusal.By.Name} of {string.Join(", ", refusal.By.Groups)}{(refusal.Count > 1 ? $", {refusal.Count} times since the last record" : "")}: {refusal.Message}");
}
