using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Domain.Lineage;

[JsonConverter(typeof(JsonStringEnumConverter<OutcomeType>))]
public enum OutcomeType
{
    Succeeded,
    Failed,
    Drifted,
    Superseded,
}

/// <summary>One object that exists because of a root.</summary>
public sealed record Descendant(
    GroupVersionKind Kind, ObjectKey Key, string Uid, string Operator, CreationRationale Rationale, long RootGeneration, DateTimeOffset RegisteredAt, string ActorRef);

/// <summary>How a descendant ended: the first end is the end.</summary>
public sealed record Outcome(string Uid, OutcomeType Type, DateTimeOffset At, string Reference, string Detail);

/// <summary>The lineage index of one root declaration, keyed by the root's UID: a root that is made anew has an index of its own.</summary>
/// <param name="Root">What the root says of itself; null while only descendants have been heard of.</param>
public sealed record LineageIndex(string RootUid, RootFact? Root, ImmutableArray<Descendant> Descendants, ImmutableArray<Outcome> Outcomes)
{
    public static LineageIndex Empty(string rootUid) => new(rootUid, null, [], []);
}

public abstract record LineageInput
{
    private LineageInput()
    {
    }

    public sealed record Told(Fact Fact) : LineageInput;
}

/// <summary>How a lineage index grows: by appending, never otherwise. Pure.</summary>
public static class LineageRules
{
    public const string DomainRef = "infrastructure.core.ontai.dev";

    public static Decision<LineageIndex> Decide(LineageIndex index, LineageInput input, DateTimeOffset now) => input switch
    {
        LineageInput.Told(RootFact root) => Bind(index, root, now),
        LineageInput.Told(DescendantFact descendant) => Append(index, descendant, now),
        LineageInput.Told(OutcomeFact outcome) => End(index, outcome, now),
        LineageInput.Told => Decision.Of(index),
        _ => throw new ArgumentOutOfRangeException(nameof(input)),
    };

    /// <summary>The InfrastructureLineageIndex object that has to exist, or null while the root is unknown.</summary>
    public static KubeObject? Desired(LineageIndex index)
    {
        if (index.Root is not { } root)
            return null;
        return KubeObject.From(new JsonObject
        {
            ["apiVersion"] = KnownKinds.InfrastructureLineageIndex.ApiVersion,
            ["kind"] = KnownKinds.InfrastructureLineageIndex.Kind,
            ["metadata"] = new JsonObject
            {
                ["name"] = Descent.IndexName(root.Kind.Kind, root.Key.Name),
                ["namespace"] = root.Key.Namespace,
                ["labels"] = new JsonObject
                {
                    ["infrastructure.ontai.dev/root-kind"] = root.Kind.Kind.ToLowerInvariant(),
                    ["infrastructure.ontai.dev/root-name"] = Descent.LabelValue(root.Key.Name),
                },
                ["annotations"] = new JsonObject
                {
                    ["governance.infrastructure.ontai.dev/controller-authored"] = "true",
                    ["governance.infrastructure.ontai.dev/root-kind"] = root.Kind.Kind,
                    ["governance.infrastructure.ontai.dev/root-name"] = root.Key.Name,
                    ["governance.infrastructure.ontai.dev/root-namespace"] = root.Key.Namespace,
                },
            },
            ["spec"] = new JsonObject
            {
                ["domainRef"] = DomainRef,
                ["rootBinding"] = new JsonObject
                {
                    ["rootKind"] = root.Kind.Kind,
                    ["rootName"] = root.Key.Name,
                    ["rootNamespace"] = root.Key.Namespace,
                    ["rootUID"] = root.Uid,
                    ["rootObservedGeneration"] = root.Generation,
                    ["declaringPrincipal"] = root.Declarer,
                },
                ["descendantRegistry"] = new JsonArray([.. index.Descendants.Select(Render)]),
                ["outcomeRegistry"] = new JsonArray([.. index.Outcomes.Select(Render)]),
            },
        });
    }

    private static Decision<LineageIndex> Bind(LineageIndex index, RootFact root, DateTimeOffset now)
    {
        if (index.Root is { } known)
        {
            // The binding is immutable; only whether the root still exists may change.
            return known.Exists == root.Exists || !root.Supersedes(known)
                ? Decision.Of(index)
                : Decision.Of(
                    index with { Root = known with { Exists = root.Exists, Version = root.Version } },
                    Context(index, known).Operator(now, "lineage.root-gone", "spec.rootBinding", $"{known.Exists}", $"{root.Exists}", "the index outlives its root"));
        }
        return Decision.Of(
            index with { Root = root },
            Context(index, root).Operator(now, "lineage.index-created", "spec.rootBinding", null, root.Uid, $"declared by {root.Declarer}"));
    }

    private static Decision<LineageIndex> Append(LineageIndex index, DescendantFact told, DateTimeOffset now)
    {
        if (index.Descendants.Any(d => d.Uid == told.Uid))
            return Decision.Of(index);
        var descendant = new Descendant(
            told.Kind, told.Key, told.Uid, told.Operator, told.Chain.Rationale, told.Chain.RootGeneration, now, index.Root?.Declarer ?? told.ActorRef);
        return Decision.Of(
            index with { Descendants = index.Descendants.Add(descendant) },
            Context(index, index.Root).Operator(now, "lineage.descendant-registered", "spec.descendantRegistry", null, $"{told.Kind.Kind} {told.Key} {told.Uid}", told.Chain.Rationale.ToString()));
    }

    private static Decision<LineageIndex> End(LineageIndex index, OutcomeFact told, DateTimeOffset now) => index.Outcomes.Any(o => o.Uid == told.Uid)
        ? Decision.Of(index)
        : Decision.Of(
            index with { Outcomes = index.Outcomes.Add(new Outcome(told.Uid, told.Type, told.At, told.Reference, told.Detail)) },
            Context(index, index.Root).Operator(now, "lineage.outcome-registered", "spec.outcomeRegistry", null, $"{told.Type} {told.Uid}", $"{told.Reference}: {told.Detail}"));

    private static EventContext Context(LineageIndex index, RootFact? root) => new(
        new EventSubject(
            KnownKinds.InfrastructureLineageIndex.Group, KnownKinds.InfrastructureLineageIndex.Kind, root?.Key.Namespace ?? "",
            root is null ? index.RootUid : Descent.IndexName(root.Kind.Kind, root.Key.Name), "", root?.Generation ?? 0),
        "system:governor:seam-core", "seam-core", index.RootUid, "", index.RootUid);

    private static JsonNode Render(Descendant d) => new JsonObject
    {
        ["group"] = d.Kind.Group,
        ["version"] = d.Kind.Version,
        ["kind"] = d.Kind.Kind,
        ["name"] = d.Key.Name,
        ["namespace"] = d.Key.Namespace,
        ["uid"] = d.Uid,
        ["seamOperator"] = d.Operator,
        ["creationRationale"] = d.Rationale.ToString(),
        ["rootGenerationAtCreation"] = d.RootGeneration,
        ["createdAt"] = KubeTime.Format(d.RegisteredAt),
        ["actorRef"] = d.ActorRef,
    };

    private static JsonNode Render(Outcome o) => new JsonObject
    {
        ["derivedObjectUID"] = o.Uid,
        ["outcomeType"] = o.Type.ToString(),
        ["outcomeTimestamp"] = KubeTime.Format(o.At),
        ["outcomeRef"] = o.Reference,
        ["outcomeDetail"] = o.Detail,
    };
}
