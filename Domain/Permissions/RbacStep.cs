using Governor.Domain.Kinds;

namespace Governor.Domain.Permissions;

/// <summary>What has to be done about one object. Everything that changes what is there names the very object that was judged.</summary>
public abstract record RbacStep
{
    private RbacStep()
    {
    }

    /// <summary>It is as it should be.</summary>
    public sealed record Keep(string Uid) : RbacStep;

    /// <summary>It is not there.</summary>
    public sealed record Create : RbacStep;

    /// <summary>It is ours, and not as it should be.</summary>
    public sealed record Apply(string Uid, string ResourceVersion) : RbacStep;

    /// <summary>It is ours, and cannot become what it should be.</summary>
    public sealed record Replace(string Uid, string ResourceVersion) : RbacStep;

    /// <summary>It is ours, and should not be there.</summary>
    public sealed record Delete(string Uid, string ResourceVersion) : RbacStep;

    /// <summary>Others use it, too: only our marks go.</summary>
    public sealed record Release : RbacStep;

    /// <summary>Nothing of ours is there, and nothing should be.</summary>
    /// <param name="How">What is there instead.</param>
    public sealed record Forget(string How) : RbacStep;

    /// <summary>Somebody else's object has the name.</summary>
    public sealed record Leave(RbacTrouble Trouble) : RbacStep;

    /// <param name="wanted">What should be there, or null.</param>
    /// <param name="live">What is there, or null.</param>
    /// <param name="fieldManager">Under which name it is written.</param>
    public static RbacStep Judge(RbacRecord recorded, RbacObject? wanted, KubeObject? live, string fieldManager)
    {
        if (live is null)
            return wanted is null ? new Forget("it is not there") : new Create();
        // Whoever takes our marks away has not made the object his: the rights in it would stay for good.
        var ours = RbacObject.IsMarked(live, recorded.Principal) || (recorded.Uid.Length > 0 && live.Uid == recorded.Uid);
        if (live.Gvk == KnownKinds.ServiceAccount)
            return JudgeShared(wanted, live, ours, fieldManager);
        if (!ours)
            return wanted is null
                ? new Forget("somebody else's object has the name, and stays")
                : new Leave(new RbacTrouble(MaterialisationRules.Conflict,
                    $"{live} is somebody else's: expected {RbacObject.OwnerAnnotation}={RbacObject.Owner} and {RbacObject.PrincipalAnnotation}={recorded.Principal}; it is left as it is"));
        if (wanted is null)
            return new Delete(live.Uid, live.ResourceVersion);
        if (live.IsBeingDeleted)
            return new Leave(new RbacTrouble(MaterialisationRules.Pending, $"{live} is being deleted"));
        return wanted.Is(live) ? new Keep(live.Uid)
            : wanted.SameRole(live) ? new Apply(live.Uid, live.ResourceVersion)
            : new Replace(live.Uid, live.ResourceVersion);
    }

    // An account is an identity, not a right: whose it is does not matter to the bindings that name it.
    private static RbacStep JudgeShared(RbacObject? wanted, KubeObject live, bool ours, string fieldManager)
    {
        if (wanted is not null)
            return wanted.Is(live) ? new Keep(live.Uid) : new Apply(live.Uid, live.ResourceVersion);
        return !ours ? new Forget("somebody else's account has the name, and stays")
            : IsOthersToo(live, fieldManager) ? new Release()
            : new Delete(live.Uid, live.ResourceVersion);
    }

    private static bool IsOthersToo(KubeObject live, string fieldManager) =>
        live.Find("metadata", "managedFields") is { ValueKind: System.Text.Json.JsonValueKind.Array } managers
        && managers.EnumerateArray().Any(entry => !entry.TryGetProperty("manager", out var manager) || manager.GetString() != fieldManager);
}
