using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Lineage;

/// <summary>The root declaration that an index belongs to. Never changes.</summary>
/// <param name="RootKind">The kind under our name.</param>
/// <param name="RootObservedGeneration">The root's generation when it was bound.</param>
[GenerateSerializer, Immutable]
public sealed record RootBinding(
    string RootKind, string RootName, string RootNamespace, string RootUid, long RootObservedGeneration, string DeclaringPrincipal)
{
    /// <summary>Binds a root as it is now; its principal is who the admission webhook saw create it.</summary>
    /// <exception cref="ArgumentException">The root has no UID.</exception>
    public static RootBinding Of(KindDescription kind, KubeObject root)
    {
        if (root.Uid.Length == 0)
            throw new ArgumentException($"expected a stored root with a UID, found {root} without", nameof(root));
        var principal = root.Annotations.GetValueOrDefault(LineageNames.DeclaringPrincipal);
        return new RootBinding(kind.Kind, root.Name, root.Namespace, root.Uid, root.Generation,
            string.IsNullOrEmpty(principal) ? LineageNames.UnknownPrincipal : principal);
    }
}

/// <summary>One object that was derived from a root.</summary>
/// <param name="RootGenerationAtCreation">The root's generation when the object was created.</param>
/// <param name="ActorRef">The principal of the root.</param>
/// <param name="Sequence">Its place in the registry, from 0.</param>
[GenerateSerializer, Immutable]
public sealed record Descendant(
    string Group,
    string Version,
    string Kind,
    string Name,
    string Namespace,
    string Uid,
    string SeamOperator,
    CreationRationale CreationRationale,
    long RootGenerationAtCreation,
    DateTimeOffset CreatedAt,
    string ActorRef,
    int Sequence);

/// <summary>What can become of a derived object.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OutcomeType>))]
public enum OutcomeType
{
    Succeeded,
    Failed,
    Drifted,
    Superseded,
}

/// <summary>The terminal outcome of one derived object.</summary>
/// <param name="Reference">The evidence, e.g. the reason of the condition.</param>
/// <param name="Detail">A short summary.</param>
[GenerateSerializer, Immutable]
public sealed record Outcome(string DerivedObjectUid, OutcomeType Type, DateTimeOffset At, string Reference, string Detail);

/// <summary>The index after an attempt to add to it.</summary>
/// <param name="Reason">
/// <c>Registered</c>, <c>AlreadyRegistered</c>, <c>OtherRoot</c>, <c>Concluded</c>, <c>AlreadyConcluded</c> or <c>NotADescendant</c>.
/// </param>
[GenerateSerializer, Immutable]
public sealed record LineageChange(LineageIndex Index, bool Changed, string Reason, string Message);

/// <summary>
/// What a root declaration caused and what became of it. Only ever grows: a descendant is registered once under its UID, its first
/// terminal outcome stands. A root that was deleted and declared again has another UID, and therefore an index of its own.
/// </summary>
[GenerateSerializer, Immutable]
public sealed record LineageIndex(
    RootBinding Root,
    string GoverningOperator,
    ImmutableDictionary<string, Descendant> DescendantsByUid,
    ImmutableDictionary<string, Outcome> OutcomesByUid)
{
    /// <summary>The name of its object, unless an earlier root of the same name holds that.</summary>
    [JsonIgnore]
    public string Name => LineageNames.Index(Root.RootKind, Root.RootName);

    /// <summary>The descendants in the order of their registration.</summary>
    [JsonIgnore]
    public IEnumerable<Descendant> Descendants => DescendantsByUid.Values.OrderBy(descendant => descendant.Sequence);

    public static LineageIndex Bind(KindDescription kind, KubeObject root) =>
        new(RootBinding.Of(kind, root), kind.Owner.Name(), ImmutableDictionary<string, Descendant>.Empty, ImmutableDictionary<string, Outcome>.Empty);

    /// <summary>The index of a root as its own actor describes it.</summary>
    public static LineageIndex Bind(RootFact root) => new(
        new RootBinding(root.Kind.Kind, root.Key.Name, root.Key.Namespace, root.Uid, root.Generation, root.Declarer), root.Operator,
        ImmutableDictionary<string, Descendant>.Empty, ImmutableDictionary<string, Outcome>.Empty);

    /// <summary>
    /// Registers a derived object by the chain that is sealed into it. A chain of another root is refused, and so is an object without a
    /// UID: labels can be forged, and a recreated root inherits nothing.
    /// </summary>
    public LineageChange Register(GroupVersionKind kind, KubeObject derived, SealedCausalChain chain, DateTimeOffset now) =>
        Register(kind, derived.Key, derived.Uid, chain, now);

    /// <inheritdoc cref="Register(GroupVersionKind, KubeObject, SealedCausalChain, DateTimeOffset)"/>
    public LineageChange Register(GroupVersionKind kind, ObjectKey key, string uid, SealedCausalChain chain, DateTimeOffset now)
    {
        var derived = $"{kind.Kind} {key}";
        if (uid.Length == 0)
            return Unchanged("NotADescendant", $"{derived} has no UID: it was never stored");
        if (chain.RootUid != Root.RootUid)
            return Unchanged("OtherRoot", $"{derived} was derived from root {chain.RootUid}, not from {Root.RootUid}");
        if (DescendantsByUid.ContainsKey(uid))
            return Unchanged("AlreadyRegistered", $"{derived} ({uid}) is registered");
        var descendant = new Descendant(
            kind.Group, kind.Version, kind.Kind, key.Name, key.Namespace, uid, chain.CreatingOperator.Name, chain.CreationRationale,
            chain.RootGenerationAtCreation, now, Root.DeclaringPrincipal, DescendantsByUid.Count);
        return new LineageChange(this with { DescendantsByUid = DescendantsByUid.Add(uid, descendant) }, true, "Registered", $"{derived} ({uid})");
    }

    /// <summary>Records how a descendant ended. The first outcome stands.</summary>
    public LineageChange Conclude(Outcome outcome)
    {
        if (!DescendantsByUid.ContainsKey(outcome.DerivedObjectUid))
            return Unchanged("NotADescendant", $"{outcome.DerivedObjectUid} is not registered under root {Root.RootUid}");
        if (OutcomesByUid.TryGetValue(outcome.DerivedObjectUid, out var first))
            return Unchanged("AlreadyConcluded", $"{outcome.DerivedObjectUid} ended as {first.Type} at {KubeTime.Format(first.At)}");
        return new LineageChange(this with { OutcomesByUid = OutcomesByUid.Add(outcome.DerivedObjectUid, outcome) }, true, "Concluded",
            $"{outcome.DerivedObjectUid} ended as {outcome.Type}");
    }

    private LineageChange Unchanged(string reason, string message) => new(this, false, reason, message);
}
