using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;

namespace Governor.Domain.Lineage;

/// <summary>What a derived object carries to be found from its root.</summary>
public sealed record DescendantMarks(ImmutableDictionary<string, string> Labels, ImmutableDictionary<string, string> Annotations);

/// <summary>Lineage as Kubernetes objects.</summary>
public static class LineageRendering
{
    /// <summary>
    /// The labels and annotations of an object derived from this index's root. The principal is an annotation because label values
    /// cannot hold user names; a name too long for a label is shortened there and written out as an annotation.
    /// </summary>
    /// <param name="indexName">The name of the index object.</param>
    public static DescendantMarks Marks(this LineageIndex index, string indexName, string seamOperator, CreationRationale rationale)
    {
        var labels = ImmutableDictionary.CreateRange(StringComparer.Ordinal,
        [
            KeyValuePair.Create(LineageNames.RootIli, LineageNames.LabelValue(indexName)),
            KeyValuePair.Create(LineageNames.RootIliNamespace, LineageNames.LabelValue(index.Root.RootNamespace)),
            KeyValuePair.Create(LineageNames.SeamOperator, LineageNames.LabelValue(seamOperator)),
            KeyValuePair.Create(LineageNames.CreationRationale, rationale.ToString()),
        ]);
        var annotations = ImmutableDictionary<string, string>.Empty.WithComparers(StringComparer.Ordinal)
            .Add(LineageNames.ActorRef, index.Root.DeclaringPrincipal);
        return new DescendantMarks(labels, LineageNames.IsLabelValue(indexName) ? annotations : annotations.Add(LineageNames.RootIli, indexName));
    }

    /// <summary>The InfrastructureLineageIndex object, in its root's namespace.</summary>
    public static KubeObject ToObject(this LineageIndex index, string indexName) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = KnownKinds.InfrastructureLineageIndex.ApiVersion,
        ["kind"] = KnownKinds.InfrastructureLineageIndex.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = indexName,
            ["namespace"] = index.Root.RootNamespace,
            ["labels"] = new JsonObject
            {
                [LineageNames.RootKind] = LineageNames.LabelValue(index.Root.RootKind.ToLowerInvariant()),
                [LineageNames.RootName] = LineageNames.LabelValue(index.Root.RootName),
            },
            ["annotations"] = new JsonObject
            {
                [LineageNames.ControllerAuthored] = "true",
                [LineageNames.GovernanceRootKind] = index.Root.RootKind,
                [LineageNames.GovernanceRootName] = index.Root.RootName,
                [LineageNames.GovernanceRootNamespace] = index.Root.RootNamespace,
                [LineageNames.GovernanceRootUid] = index.Root.RootUid,
            },
        },
        ["spec"] = index.ToSpec(),
    });

    /// <summary>
    /// <c>spec</c> of the InfrastructureLineageIndex, in the order of registration. The index outlives its root: audit wins over tidiness.
    /// </summary>
    public static JsonObject ToSpec(this LineageIndex index) => new()
    {
        ["rootBinding"] = new JsonObject
        {
            ["rootKind"] = index.Root.RootKind,
            ["rootName"] = index.Root.RootName,
            ["rootNamespace"] = index.Root.RootNamespace,
            ["rootUID"] = index.Root.RootUid,
            ["rootObservedGeneration"] = index.Root.RootObservedGeneration,
            ["declaringPrincipal"] = index.Root.DeclaringPrincipal,
        },
        ["domainRef"] = LineageNames.DomainRef,
        ["governingOperator"] = index.GoverningOperator,
        ["descendantRegistry"] = new JsonArray([.. index.Descendants.Select(ToJson)]),
        ["outcomeRegistry"] = new JsonArray([.. index.OutcomesByUid.Values
            .OrderBy(outcome => index.DescendantsByUid[outcome.DerivedObjectUid].Sequence).Select(ToJson)]),
        ["retentionPolicy"] = new JsonObject { ["descendantRetentionDays"] = 30, ["deleteWithRoot"] = false },
    };

    private static JsonObject ToJson(Descendant descendant) => new()
    {
        ["group"] = descendant.Group,
        ["version"] = descendant.Version,
        ["kind"] = descendant.Kind,
        ["name"] = descendant.Name,
        ["namespace"] = descendant.Namespace,
        ["uid"] = descendant.Uid,
        ["seamOperator"] = descendant.SeamOperator,
        ["creationRationale"] = descendant.CreationRationale.ToString(),
        ["rootGenerationAtCreation"] = descendant.RootGenerationAtCreation,
        ["relationship"] = "generates",
        ["createdAt"] = KubeTime.Format(descendant.CreatedAt),
        ["actorRef"] = descendant.ActorRef,
    };

    private static JsonObject ToJson(Outcome outcome) => new()
    {
        ["derivedObjectUID"] = outcome.DerivedObjectUid,
        ["outcomeType"] = outcome.Type.ToString(),
        ["outcomeTimestamp"] = KubeTime.Format(outcome.At),
        ["outcomeRef"] = outcome.Reference,
        ["outcomeDetail"] = outcome.Detail,
    };
}
