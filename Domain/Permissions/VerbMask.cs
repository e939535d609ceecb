using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Governor.Domain.Permissions;

/// <summary>
/// A set of verbs in one machine word, so that rules intersect and merge without allocating. <see cref="Any"/> is every verb there is
/// or ever will be, and stands alone: a mask that has it has no other bit.
/// </summary>
[Flags]
internal enum VerbMask : uint
{
    None = 0,
    Get = 1 << 0,
    List = 1 << 1,
    Watch = 1 << 2,
    Create = 1 << 3,
    Update = 1 << 4,
    Patch = 1 << 5,
    Delete = 1 << 6,
    DeleteCollection = 1 << 7,
    Use = 1 << 8,
    Bind = 1 << 9,
    Escalate = 1 << 10,
    Impersonate = 1 << 11,
    Approve = 1 << 12,
    Sign = 1 << 13,
    Attest = 1 << 14,
    Any = 1u << 31,
}

internal static class VerbMasks
{
    private static readonly ConcurrentDictionary<VerbMask, ImmutableArray<string>> Spelled = new();

    /// <summary>The bit of a verb; <see cref="VerbMask.None"/> for one we do not know, which therefore grants nothing.</summary>
    public static VerbMask Parse(string verb) => verb switch
    {
        "get" => VerbMask.Get,
        "list" => VerbMask.List,
        "watch" => VerbMask.Watch,
        "create" => VerbMask.Create,
        "update" => VerbMask.Update,
        "patch" => VerbMask.Patch,
        "delete" => VerbMask.Delete,
        "deletecollection" => VerbMask.DeleteCollection,
        "use" => VerbMask.Use,
        "bind" => VerbMask.Bind,
        "escalate" => VerbMask.Escalate,
        "impersonate" => VerbMask.Impersonate,
        "approve" => VerbMask.Approve,
        "sign" => VerbMask.Sign,
        "attest" => VerbMask.Attest,
        "*" => VerbMask.Any,
        _ => VerbMask.None,
    };

    public static VerbMask Of(ImmutableArray<string> verbs)
    {
        var mask = VerbMask.None;
        if (!verbs.IsDefault)
            foreach (var verb in verbs)
                mask = mask.Or(Parse(verb));
        return mask;
    }

    public static VerbMask And(this VerbMask left, VerbMask right) =>
        left == VerbMask.Any ? right : right == VerbMask.Any ? left : left & right;

    public static VerbMask Or(this VerbMask left, VerbMask right) =>
        left == VerbMask.Any || right == VerbMask.Any ? VerbMask.Any : left | right;

    /// <summary>What remains when the cover grants the rest. All verbs less some are still all verbs: the mask cannot say it, and need not.</summary>
    public static VerbMask Less(this VerbMask verbs, VerbMask cover) =>
        cover == VerbMask.Any ? VerbMask.None : verbs == VerbMask.Any ? VerbMask.Any : verbs & ~cover;

    /// <summary>Whether every verb on the right is on the left.</summary>
    public static bool Covers(this VerbMask left, VerbMask right) => right.Less(left) == VerbMask.None;

    /// <summary>The verbs, in the order of their bits.</summary>
    public static ImmutableArray<string> Spell(this VerbMask mask) => Spelled.GetOrAdd(mask, static verbs =>
        verbs == VerbMask.Any
            ? ["*"]
            : [.. Enum.GetValues<VerbMask>()
                .Where(verb => verb is not (VerbMask.None or VerbMask.Any) && verbs.HasFlag(verb))
                .Select(verb => verb.ToString().ToLowerInvariant())]);
}
