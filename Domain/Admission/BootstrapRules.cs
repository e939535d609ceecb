using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Admission;

/// <summary>
/// How the bootstrap window opens and closes. Pure. There is no input that opens it a second time, or that moves its end. It closes when
/// the family is complete and has stayed so for a while, when somebody closes it, and at its end, whichever comes first.
/// </summary>
public static class BootstrapRules
{
    /// <summary>There is one window.</summary>
    public const string Key = "management";

    /// <summary>Where the family's own operators have their profiles and memberships.</summary>
    public const string FamilyNamespace = "seam-system";

    /// <summary>On the Guardian object.</summary>
    public const string Condition = "BootstrapComplete";

    private const string Itself = "system:governor:guardian";
    private const string ProfilesReady = "BootstrapProfilesReady", ProfilesPending = "BootstrapProfilesPending", WindowClosed = "BootstrapWindowClosed";

    private static readonly Address Roster = new(Subjects.Roster, FamilyNamespace);

    /// <summary>The object that shows how far this is.</summary>
    public static ObjectKey Guardian { get; } = new(FamilyNamespace, "guardian");

    public static Decision<BootstrapState> Decide(BootstrapState state, BootstrapInput input, ApprovalPolicy policy, DateTimeOffset now)
    {
        // Whatever comes too late cannot keep it open: others have acted on its end already.
        if (Expire(state, now) is { } expired)
            return expired;
        return input switch
        {
            BootstrapInput.Started(var length, var settling) => state.OpenedAt is null ? Open(length, settling, now) : Decision.Of(state),
            BootstrapInput.Closed(var by, var why) => state.ClosedAt is null ? Close(state, by.Name, policy.RoleOf(by), WindowClosed, why, now) : Decision.Of(state),
            BootstrapInput.Told(RosterFact family) => state is { OpenedAt: not null, ClosedAt: null } && family.Supersedes(state.Family) ? Meet(state, family, now) : Decision.Of(state),
            BootstrapInput.Told or BootstrapInput.Ticked => Decision.Of(state),
            _ => throw new ArgumentOutOfRangeException(nameof(input)),
        };
    }

    /// <summary>When the window closes by itself; null when nothing is open.</summary>
    public static DateTimeOffset? NextTick(BootstrapState state) => state.ClosedAt is null ? state.End : null;

    /// <summary>The family's roster is listened to for as long as the window is open.</summary>
    public static IEnumerable<Letter> Outbox(BootstrapState state) =>
        state.OpenedAt is null ? [] : [new Letter(Roster, new Interest(state.ClosedAt is null))];

    /// <summary>The Guardian object; null before anything was decided.</summary>
    public static KubeObject? Desired(BootstrapState state) => state.OpenedAt is null ? null : KubeObject.From(new JsonObject
    {
        ["apiVersion"] = KnownKinds.Guardian.ApiVersion,
        ["kind"] = KnownKinds.Guardian.Kind,
        ["metadata"] = new JsonObject { ["name"] = Guardian.Name, ["namespace"] = Guardian.Namespace },
    });

    public static JsonObject Status(BootstrapState state) => new()
    {
        ["webhookMode"] = state.ClosedAt is null ? "Initialising" : "Enforcing",
        ["conditions"] = state.Conditions.ToJson(),
    };

    /// <summary>What keeps the family from being complete; empty when nothing does.</summary>
    public static ImmutableArray<string> Missing(RosterFact? family) => family switch
    {
        null or { Profiles.IsEmpty: true } => [$"an RBACProfile in {FamilyNamespace}"],
        _ =>
        [
            .. family.Profiles.Where(profile => !profile.Provisioned).Select(profile => $"RBACProfile {profile.Key} to be provisioned"),
            .. family.Memberships.Where(membership => !membership.Admitted).Select(membership => $"SeamMembership {membership.Key} to be admitted"),
        ],
    };

    private static Decision<BootstrapState> Open(TimeSpan length, TimeSpan settling, DateTimeOffset now)
    {
        var opened = new BootstrapState(now, now + length, null, "") { Settling = settling };
        return length <= TimeSpan.Zero
            ? Close(opened, Itself, "guardian", WindowClosed, "the configuration gives it no time", now)
            : Decision.Of(
                Describe(opened, now),
                Events(Itself, "guardian").Governance(
                    now, "admission.bootstrap-opened", "until", null, KubeTime.Format(now + length),
                    "the first silo of this management cluster has started: RBAC and operators' objects may be put in place by hand until then"));
    }

    private static Decision<BootstrapState>? Expire(BootstrapState state, DateTimeOffset now) =>
        state.ClosedAt is not null || state.End is not { } end || now < end ? null
        : end < state.Until ? Close(state, Itself, "guardian", ProfilesReady, $"all profiles of {FamilyNamespace} are provisioned and all memberships admitted since {KubeTime.Format(state.CompleteSince!.Value)}", now)
        : Close(state, Itself, "guardian", WindowClosed, "its time is over", now);

    private static Decision<BootstrapState> Meet(BootstrapState state, RosterFact family, DateTimeOffset now) => Decision.Of(Describe(
        state with { Family = family, CompleteSince = Missing(family).IsEmpty ? state.CompleteSince ?? now : null }, now));

    private static BootstrapState Describe(BootstrapState state, DateTimeOffset now)
    {
        var missing = Missing(state.Family);
        return Describe(state, false, ProfilesPending, missing.IsEmpty ? $"closes at {KubeTime.Format(state.End!.Value)}" : $"waits for {string.Join(", ", missing)}; closes at {KubeTime.Format(state.Until!.Value)} at the latest", now);
    }

    private static BootstrapState Describe(BootstrapState state, bool complete, string reason, string message, DateTimeOffset now) => state with
    {
        Conditions = state.Conditions.Apply([ConditionClaim.Of(Condition, complete, reason, message), .. Conditions.Standing(complete, stalled: false, reason, message)], 0, now),
    };

    // Also of a window that nobody has opened: then it never will be.
    private static Decision<BootstrapState> Close(BootstrapState state, string by, string role, string reason, string why, DateTimeOffset now) => Decision.Of(
        Describe(
            state with { OpenedAt = state.OpenedAt ?? now, Until = state.Until ?? now, ClosedAt = now, ClosedBy = by, Family = null },
            true, reason, $"closed for good by {by}: {why}", now),
        Events(by, role).Governance(now, "admission.bootstrap-closed", "closedAt", null, KubeTime.Format(now), $"{why}; it is closed for good"));

    private static EventContext Events(string actor, string role) => new(
        new EventSubject(AdmissionNames.Group, "BootstrapWindow", "", Key, "", 0), actor, role, "", "", "bootstrap");
}
