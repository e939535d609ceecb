using System.Text.Json;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Memberships;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Watches;

/// <summary>
/// The objects that the actors believe to exist, read from what they have committed. What is missing from the first list of a stream
/// has gone while nobody watched.
/// </summary>
internal static class CommittedObjects
{
    /// <param name="kind">Our own name of the kind, not an alias.</param>
    /// <param name="one">The only object that matters, or null for all.</param>
    /// <returns>Keys and UIDs; the UID is "" where the actor does not keep it.</returns>
    public static async Task<Dictionary<ObjectKey, string>> ListAsync(
        IJournal journal, GroupVersionKind kind, ObjectKey? one, CancellationToken cancellation)
    {
        var known = new Dictionary<ObjectKey, string>();
        foreach (var stored in await StatesAsync(journal, kind, one, cancellation))
            if (Read(kind, stored) is (true, var key, var uid) && (one is null || one == key))
                known[key] = uid;
        return known;
    }

    /// <summary>Which API server a cluster has been known by; "" when it has not been reached yet.</summary>
    public static async Task<string> IdentityAsync(IJournal journal, ClusterName cluster, CancellationToken cancellation) =>
        await journal.LoadAsync(new GrainKey(Subjects.Cluster, cluster.Value), cancellation) is { } stored
            ? JsonSerializer.Deserialize<ClusterState>(stored.State.Span, StateJson.Options)!.ApiUid
            : "";

    private static async Task<IReadOnlyList<StoredState>> StatesAsync(IJournal journal, GroupVersionKind kind, ObjectKey? one, CancellationToken cancellation)
    {
        if (one is { } key)
            return Routes.Of(kind, key) is { } actor && await journal.LoadAsync(new GrainKey(actor.Subject, actor.Key), cancellation) is { } stored ? [stored] : [];
        // Any object of a kind leads to the subject that follows it; RunnerConfigs only from their one namespace.
        return Routes.Of(kind, new ObjectKey(ClusterRules.RunnerConfigNamespace, "any")) is { } any ? await journal.ListAsync(any.Subject, cancellation) : [];
    }

    private static (bool Exists, ObjectKey Key, string Uid) Read(GroupVersionKind kind, StoredState stored)
    {
        return stored.Grain.Subject switch
        {
            Subjects.Pack => Of<PackState>(s => (s.Exists, s.Key, s.Uid)),
            Subjects.Execution => Of<ExecutionState>(s => (s.Exists, s.Key, s.Uid)),
            Subjects.Instance => Of<InstanceState>(s => (s.Exists, s.Key, s.Uid)),
            Subjects.Policy => Of<PolicyState>(s => (s.Policy is not null, s.Key, s.Uid)),
            Subjects.Profile => Of<ProfileState>(s => (s.Profile is not null, s.Key, s.Uid)),
            Subjects.PermissionSet => Of<PermissionSetState>(s => (s.Set is not null, s.Key, s.Uid)),
            Subjects.IdentityProvider => Of<IdentityProviderState>(s => (s.Provider is not null, s.Key, s.Uid)),
            Subjects.IdentityBinding => Of<IdentityBindingState>(s => (s.Binding is not null, s.Key, s.Uid)),
            Subjects.Membership => Of<MembershipState>(s => (s.Membership is not null, s.Key, s.Uid)),
            Subjects.SigningKey => Of<SigningKeyState>(s => (s.KeyId.Length > 0, SigningKeyRules.Secret, s.SecretUid)),
            Subjects.Cluster => Of<ClusterState>(s =>
                kind == KnownKinds.Secret ? (s.KubeconfigRevision.Length > 0, ClusterRules.KubeconfigSecret(s.Name), "")
                : kind == KnownKinds.RunnerConfig ? (s.RunnerConfigExists, new ObjectKey(ClusterRules.RunnerConfigNamespace, s.Name.Value), s.RunnerConfigUid)
                : (s.Exists, s.Key, s.Uid)),
            _ => default,
        };

        (bool, ObjectKey, string) Of<TState>(Func<TState, (bool, ObjectKey, string)> read) =>
            read(JsonSerializer.Deserialize<TState>(stored.State.Span, StateJson.Options)!);
    }
}
