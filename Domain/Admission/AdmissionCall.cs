using System.Collections.Immutable;

namespace Governor.Domain.Admission;

/// <summary>What a webhook of ours looks at.</summary>
public enum AdmissionCheck
{
    /// <summary>RBAC objects, the ceilings of profiles, and the modes of namespaces: <c>/validate-rbac</c>.</summary>
    Rbac,

    /// <summary>What is sealed on governed objects, and lineage indices: <c>/validate-lineage</c>.</summary>
    Lineage,

    /// <summary>What operators write, and nobody by hand: <c>/validate-operator-cr</c>.</summary>
    OperatorObject,

    /// <summary>SeamMemberships: <c>/validate-membership</c>.</summary>
    Membership,

    /// <summary>Stamps who declared a root: <c>/mutate-declaring-principal</c>.</summary>
    DeclaringPrincipal,
}

/// <summary>What becomes of an objection.</summary>
public enum AdmissionMode
{
    /// <summary>It denies the write.</summary>
    Enforce,

    /// <summary>The write goes through with a warning, and the objection is recorded.</summary>
    Observe,
}

/// <summary>
/// One way into admission. The mode is part of the path: the API server's own namespace selectors choose it, from the namespace as it is
/// at that moment. So there is no label to be looked up, no copy of labels to be late, and nothing to be lost in a restart.
/// </summary>
public sealed record AdmissionCall(AdmissionCheck Check, AdmissionMode Mode)
{
    private const string ObservePath = "/observe";

    public static ImmutableArray<AdmissionCall> All { get; } =
    [
        .. from check in Enum.GetValues<AdmissionCheck>()
           from mode in Enum.GetValues<AdmissionMode>()
           where check != AdmissionCheck.DeclaringPrincipal || mode == AdmissionMode.Enforce
           select new AdmissionCall(check, mode),
    ];

    /// <summary>The path of the HTTPS endpoint.</summary>
    public string Path => $"{PathOf(Check)}{(Mode == AdmissionMode.Observe ? ObservePath : "")}";

    private static string PathOf(AdmissionCheck check) => check switch
    {
        AdmissionCheck.Rbac => "/validate-rbac",
        AdmissionCheck.Lineage => "/validate-lineage",
        AdmissionCheck.OperatorObject => "/validate-operator-cr",
        AdmissionCheck.Membership => "/validate-membership",
        AdmissionCheck.DeclaringPrincipal => "/mutate-declaring-principal",
        _ => throw new ArgumentOutOfRangeException(nameof(check), check, "no such check"),
    };
}
