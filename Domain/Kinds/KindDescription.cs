using System.Collections.Immutable;

namespace Governor.Domain.Kinds;

/// <summary>Where the objects of a kind live.</summary>
public enum KindScope
{
    Namespaced,
    Cluster,
}

/// <summary>The operator that is responsible for a kind; also the value of the <c>seam-operator</c> label.</summary>
public enum SeamOperator
{
    Guardian,
    Platform,
    Wrapper,
    Conductor,
    SeamCore,
}

/// <summary>Whether an object of a kind starts a lineage of its own.</summary>
public enum LineageRoot
{
    /// <summary>Always derived, or not governed by lineage.</summary>
    Never,

    /// <summary>A root when a human declared it: that is, when it carries no sealed <c>spec.lineage</c>.</summary>
    WhenUnsealed,

    /// <summary>A kind that only humans declare.</summary>
    Always,
}

/// <summary>A name under which another implementation serves the same kind.</summary>
/// <param name="Set">The alias set it belongs to; see <see cref="AliasSets"/>.</param>
public sealed record KindAlias(string Set, GroupVersionKind Gvk);

/// <summary>One governed kind: what CRDs, watch routes, admission, RBAC manifests and aliases are made from.</summary>
/// <param name="ShortNames">What <c>kubectl</c> accepts besides plural and singular.</param>
/// <param name="Owner">The operator that reconciles it.</param>
/// <param name="Watched">The management cluster is watched for it.</param>
public sealed record KindDescription(
    string Group,
    string Version,
    string Kind,
    string Plural,
    string Singular,
    ImmutableArray<string> ShortNames,
    KindScope Scope,
    SeamOperator Owner,
    LineageRoot LineageRoot,
    ImmutableArray<KindAlias> Aliases,
    bool Watched)
{
    public GroupVersionKind Gvk => new(Group, Version, Kind);

    /// <summary>Only humans declare this kind; see <see cref="IsRoot"/> for one object.</summary>
    public bool IsLineageRoot => LineageRoot == LineageRoot.Always;

    /// <summary>The name of its CustomResourceDefinition.</summary>
    public string CrdName => $"{Plural}.{Group}";

    /// <summary>Whether this object starts a lineage of its own.</summary>
    public bool IsRoot(KubeObject candidate) => LineageRoot switch
    {
        LineageRoot.Always => true,
        LineageRoot.WhenUnsealed => candidate.Find("spec", "lineage").ValueKind != System.Text.Json.JsonValueKind.Object,
        _ => false,
    };
}

/// <summary>The alias sets: one per group under which releases of the reference implementation serve their kinds.</summary>
public static class AliasSets
{
    /// <summary><c>infrastructure.ontai.dev/Infrastructure*</c>, and the kinds that shared that group.</summary>
    public const string Infrastructure = "infrastructure.ontai.dev";

    /// <summary>Guardian's kinds under their later group.</summary>
    public const string Guardian = "guardian.ontai.dev";

    /// <summary>The cross-operator kinds under their later group.</summary>
    public const string Seam = "seam.ontai.dev";

    /// <summary>The machines of Cluster API, under the group of infrastructure providers.</summary>
    public const string ClusterApi = "infrastructure.cluster.x-k8s.io";

    public static ImmutableArray<string> All { get; } = [Infrastructure, Guardian, Seam, ClusterApi];
}

public static class SeamOperatorNames
{
    /// <summary>The operator's name as labels, lineage and audit spell it.</summary>
    public static string Name(this SeamOperator @operator) => @operator switch
    {
        SeamOperator.Guardian => "guardian",
        SeamOperator.Platform => "platform",
        SeamOperator.Wrapper => "wrapper",
        SeamOperator.Conductor => "conductor",
        SeamOperator.SeamCore => "seam-core",
        _ => throw new ArgumentOutOfRangeException(nameof(@operator), @operator, "no such operator"),
    };
}
