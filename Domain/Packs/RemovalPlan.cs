using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

[JsonConverter(typeof(JsonStringEnumConverter<RemovalCause>))]
public enum RemovalCause
{
    /// <summary>A release came that does not have it any more.</summary>
    Prune,

    /// <summary>No ClusterPack is meant for the target any more, and the last one said that nothing is to be kept.</summary>
    Deletion,
}

public enum RemovalOutcome
{
    Removed,

    /// <summary>It was not there.</summary>
    Absent,

    /// <summary>It stays, for a reason.</summary>
    Kept,
}

/// <summary>Objects that shall go from a target, one after the other.</summary>
/// <param name="Id">Of this order; an answer about another one is ignored.</param>
/// <param name="Pending">What is not dealt with yet, in the order in which it goes.</param>
/// <param name="IsCancelled">What is under way comes to its end; nothing further is begun.</param>
public sealed record RemovalOrder(string Id, RemovalCause Cause, ImmutableArray<DeployedResource> Pending, int Removed, bool IsCancelled, DateTimeOffset Since);

/// <summary>What becomes of one object.</summary>
public abstract record RemovalVerdict
{
    private RemovalVerdict()
    {
    }

    /// <summary>Delete it, if it is still the object with this UID.</summary>
    public sealed record Delete(string Uid) : RemovalVerdict;

    public sealed record Absent : RemovalVerdict;

    public sealed record Keep(string Reason, string Message) : RemovalVerdict;
}

/// <summary>
/// Which objects go, in which order, and which of them stay after all. Only what is in the inventory, was made by us, is still that very
/// object, and carries our mark is ever deleted. Where we died before we heard that we made it, the object's own mark says so. Pure.
/// </summary>
public static class RemovalPlan
{
    /// <summary>On an object, in the pack or on the target: it stays whatever happens to its pack.</summary>
    public const string RetainAnnotation = "ontai.dev/retain-on-deletion";

    /// <summary>On an object whose kind is kept when a release no longer has it: it may go all the same.</summary>
    public const string PruneAnnotation = "ontai.dev/prune";

    // What these hold is not theirs alone: data, other people's objects, every object of a kind.
    private static readonly ImmutableArray<GroupVersionKind> KeptInPrune =
        [KnownKinds.PersistentVolumeClaim, new("", "v1", "PersistentVolume"), KnownKinds.Namespace, KnownKinds.CustomResourceDefinition];

    /// <summary>Last come, first gone: in the reverse of the order in which it was put there. Namespaces and definitions go last of all.</summary>
    public static RemovalOrder Order(int revision, RemovalCause cause, IReadOnlyCollection<DeployedResource> objects, DateTimeOffset now) => new(
        string.Create(CultureInfo.InvariantCulture, $"{cause}-{revision}-{now.ToUnixTimeMilliseconds()}"), cause,
        [.. objects.Reverse().OrderBy(RankOf)], 0, false, now);

    /// <summary>Whether it has to be found out first what of other people's would go with it.</summary>
    public static bool HoldsOthers(DeployedResource entry) => RankOf(entry) > 0;

    /// <param name="live">As it is on the target now; null when it is not there.</param>
    /// <param name="others">What of other people's would go with it; "" when nothing would.</param>
    public static RemovalVerdict Judge(DeployedResource entry, KubeObject? live, PackOwner owner, RemovalCause cause, string others)
    {
        if (live is null)
            return new RemovalVerdict.Absent();
        if (entry.Uid.Length > 0 && entry.Uid != live.Uid)
            return Keep("AnotherObject", $"expected the object with UID {entry.Uid} that we put there, found {live.Uid}: somebody made it anew");
        if (PackOwner.Of(live) is not { } marked)
            return Keep("NotOurs", $"expected the mark {PackOwner.Annotation}: {owner.Instance}, found none");
        if (marked != owner)
            return Keep("NotOurs", $"expected the mark of {owner.Instance}, found that of {marked.Instance}");
        if (!entry.Created && !owner.HasCreated(live))
            return Keep("ExistedBefore", "it was there before we first applied it");
        if (IsTrue(live, RetainAnnotation))
            return Keep("Retained", $"it carries {RetainAnnotation}");
        if (cause == RemovalCause.Prune && KeptInPrune.Any(kind => kind.Group == live.Gvk.Group && kind.Kind == live.Kind) && !IsTrue(live, PruneAnnotation))
            return Keep("KindKept", $"a {live.Kind} goes only when it carries {PruneAnnotation}: \"true\", or when its pack is deleted");
        return others.Length > 0
            ? Keep("HoldsOthers", $"it holds what is not ours: {others}")
            : new RemovalVerdict.Delete(live.Uid);
    }

    private static RemovalVerdict.Keep Keep(string reason, string message) => new(reason, message);

    private static bool IsTrue(KubeObject live, string annotation) => live.Annotations.GetValueOrDefault(annotation) == "true";

    private static int RankOf(DeployedResource entry) => (GroupVersionKind.Of(entry.ApiVersion, entry.Kind).Group, entry.Kind) switch
    {
        ("apiextensions.k8s.io", "CustomResourceDefinition") => 1,
        ("", "Namespace") => 2,
        _ => 0,
    };
}
