using Governor.Domain.Approvals;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary>How the bootstrap window opens and closes. Pure. There is no input that opens it a second time, or that moves its end.</summary>
public static class BootstrapRules
{
    /// <summary>There is one window.</summary>
    public const string Key = "management";

    private const string Itself = "system:governor:guardian";

    public static Decision<BootstrapState> Decide(BootstrapState state, BootstrapInput input, ApprovalPolicy policy, DateTimeOffset now) => input switch
    {
        BootstrapInput.Started(var length) => state.OpenedAt is null ? Open(length, now) : Expire(state, now),
        BootstrapInput.Closed(var by, var why) => state.ClosedAt is null ? Close(state, by.Name, policy.RoleOf(by), why, now) : Decision.Of(state),
        BootstrapInput.Ticked => Expire(state, now),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>When the window closes by itself; null when nothing is open.</summary>
    public static DateTimeOffset? NextTick(BootstrapState state) => state.ClosedAt is null ? state.Until : null;

    private static Decision<BootstrapState> Open(TimeSpan length, DateTimeOffset now)
    {
        var opened = new BootstrapState(now, now + length, null, "");
        return length <= TimeSpan.Zero
            ? Close(opened, Itself, "guardian", "the configuration gives it no time", now)
            : Decision.Of(
                opened,
                Events(Itself, "guardian").Governance(
                    now, "admission.bootstrap-opened", "until", null, KubeTime.Format(now + length),
                    "the first silo of this management cluster has started: RBAC and operators' objects may be put in place by hand until then"));
    }

    private static Decision<BootstrapState> Expire(BootstrapState state, DateTimeOffset now) =>
        state.ClosedAt is null && now >= state.Until ? Close(state, Itself, "guardian", "its time is over", now) : Decision.Of(state);

    // Also of a window that nobody has opened: then it never will be.
    private static Decision<BootstrapState> Close(BootstrapState state, string by, string role, string why, DateTimeOffset now) => Decision.Of(
        state with { OpenedAt = state.OpenedAt ?? now, Until = state.Until ?? now, ClosedAt = now, ClosedBy = by },
        Events(by, role).Governance(now, "admission.bootstrap-closed", "closedAt", null, KubeTime.Format(now), $"{why}; it is closed for good"));

    private static EventContext Events(string actor, string role) => new(
        new EventSubject(AdmissionNames.Group, "BootstrapWindow", "", Key, "", 0), actor, role, "", "", "bootstrap");
}
