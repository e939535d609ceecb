using System.Collections.Immutable;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary>Who writes, as far as admission tells people apart.</summary>
public enum Requester
{
    /// <summary>Labelled as AI: drafts and reads, never applies.</summary>
    Ai,

    /// <summary>One of the family's own operators.</summary>
    Operator,

    /// <summary>One of the cluster's own hands.</summary>
    ClusterComponent,

    /// <summary>A human who answers for the whole cluster.</summary>
    Administrator,

    Human,
    Workload,
}

/// <summary>What is the same for all reviews.</summary>
/// <param name="Operators">The exact user names of our own operators. Never prefixes: whoever may make service accounts in a namespace could take on such a name.</param>
/// <param name="Administrators">Groups; their humans may adopt and delete what Guardian owns, and loosen a namespace's mode.</param>
/// <param name="Approvals">Who is labelled as AI, and who is no person.</param>
public sealed record AdmissionPolicy(ImmutableArray<string> Operators, ImmutableArray<string> Administrators, ApprovalPolicy Approvals)
{
    /// <summary>Every governed kind under every name: what is not read under a name today may be read tomorrow.</summary>
    public static KindTable Kinds { get; } = KindTable.Default.WithAliases(AliasSets.All);

    /// <summary>The strictest label wins: who is labelled as AI is that first of all.</summary>
    public Requester Classify(Caller caller) =>
        Approvals.KindOf(caller) is var kind && kind == CallerKind.Ai ? Requester.Ai
        : Operators.Contains(caller.Name, StringComparer.Ordinal) ? Requester.Operator
        : AdmissionNames.ClusterComponents.Contains(caller.Name) ? Requester.ClusterComponent
        : kind == CallerKind.Workload ? Requester.Workload
        : caller.Groups.Any(group => Administrators.Contains(group, StringComparer.Ordinal)) ? Requester.Administrator
        : Requester.Human;
}
