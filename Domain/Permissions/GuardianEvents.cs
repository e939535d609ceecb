using Governor.Domain.Audit;
using Governor.Domain.Kinds;

namespace Governor.Domain.Permissions;

/// <summary>The events of Guardian's decisions, and of the Conductor that signs and verifies what Guardian computes.</summary>
internal static class GuardianEvents
{
    public static EventContext Of(GroupVersionKind kind, ObjectKey key, string uid, long generation, string cluster = "", string role = "guardian") => new(
        new EventSubject(kind.Group, kind.Kind, key.Namespace, key.Name, uid, generation), $"system:governor:{role}", role, uid, cluster, uid);
}
