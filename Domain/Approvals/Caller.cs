using System.Collections.Immutable;
using Orleans;

namespace Governor.Domain.Approvals;

/// <summary>Who acts, as the management cluster's TokenReview says.</summary>
[GenerateSerializer, Immutable]
public sealed record Caller(string Name, ImmutableArray<string> Groups);

/// <summary>What kind of actor a caller is; only a human decides.</summary>
public enum CallerKind
{
    Human,

    /// <summary>A service account, a node, a component of the cluster.</summary>
    Workload,

    /// <summary>Labelled as AI: drafts and reads, never decides.</summary>
    Ai,
}

/// <summary>What is the same for all approvals.</summary>
/// <param name="AiGroups">Whoever is in one of these groups is labelled as AI.</param>
/// <param name="Lifetime">How long a request waits for its decision.</param>
public sealed record ApprovalPolicy(ImmutableArray<string> AiGroups, TimeSpan Lifetime)
{
    /// <summary>The prefixes of the names that Kubernetes gives to what is no person.</summary>
    private static readonly string[] Workloads = ["system:serviceaccount:", "system:node:", "system:kube-", "system:governor:", "system:anonymous"];

    public CallerKind KindOf(Caller caller) =>
        caller.Groups.Any(group => AiGroups.Contains(group, StringComparer.Ordinal)) ? CallerKind.Ai
        : Workloads.Any(prefix => caller.Name.StartsWith(prefix, StringComparison.Ordinal)) ? CallerKind.Workload
        : CallerKind.Human;

    /// <summary>The role under which a caller stands in the audit trail.</summary>
    public string RoleOf(Caller caller) => KindOf(caller) switch
    {
        CallerKind.Human => "human",
        CallerKind.Workload => "workload",
        CallerKind.Ai => "ai",
        _ => throw new ArgumentOutOfRangeException(nameof(caller)),
    };
}
