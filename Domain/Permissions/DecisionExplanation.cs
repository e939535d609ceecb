using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;

namespace Governor.Domain.Permissions;

/// <summary>What one declared right means for one question.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RightVerdict>))]
public enum RightVerdict
{
    /// <summary>It grants what was asked for.</summary>
    Grants,

    /// <summary>It is about the resource, but was never declared for this verb, name or place.</summary>
    NotDeclared,

    /// <summary>It was declared, and the ceiling of the cluster's policy cuts it off.</summary>
    OutsideClusterCeiling,

    /// <summary>It was declared, and the platform's ceiling cuts it off.</summary>
    OutsidePlatformCeiling,

    /// <summary>It would grant it, and the principal's rights do not fit into the snapshot.</summary>
    LeftOut,
}

/// <summary>One declared right that is about the resource asked for: what it means here, and what became of it altogether.</summary>
public sealed record RightEvidence(RightVerdict Verdict, RightExplanation Right);

/// <summary>A profile that brings nothing to the cluster, and why.</summary>
public sealed record WithheldProfile(ObjectKey Profile, string Why);

/// <summary>An answer with everything that it was decided on.</summary>
/// <param name="Evidence">Of the principal's profiles, in their order.</param>
/// <param name="Withheld">Profiles of the cluster that bring nothing now, whosever they are: asked only when the answer is no.</param>
public sealed record DecisionExplanation(PermissionAnswer Answer, ImmutableArray<RightEvidence> Evidence, ImmutableArray<WithheldProfile> Withheld)
{
    public static DecisionExplanation Of(PermissionState state, PermissionQuestion question)
    {
        var answer = PermissionQueries.Check(state, question);
        if (state.Platform is not { } platform)
            return new DecisionExplanation(answer, [], Withholding(state));
        var ceiling = PlatformCeiling.Of(platform);
        var subjects = question.Subjects.ToHashSet(StringComparer.Ordinal);
        var evidence = state.Grants.Values.Select(fact => fact.Grant).OfType<Grant>()
            .Where(grant => subjects.Contains(grant.Principal))
            .SelectMany(grant => Weigh(grant with { PlatformCeiling = ceiling }, question, state.Snapshot?.LeftOut.Contains(grant.Principal) == true));
        return new DecisionExplanation(answer, [.. evidence], answer.Allowed ? [] : Withholding(state));
    }

    private static ImmutableArray<WithheldProfile> Withholding(PermissionState state) =>
        [.. state.Grants.Values.Where(fact => fact.Grant is null && fact.Withheld.Length > 0).Select(fact => new WithheldProfile(fact.Profile, fact.Withheld))];

    // Right by right, so that nothing is explained that has nothing to do with the question.
    private static IEnumerable<RightEvidence> Weigh(Grant grant, PermissionQuestion question, bool leftOut) =>
        from declaration in grant.Declarations
        from indexed in declaration.Rules.Select((rule, index) => (Rule: rule, Index: index))
        from @group in indexed.Rule.EffectiveGroups.Distinct()
        where ResourcePattern.MeetGroups(@group, question.ApiGroup) is not null
        from resource in indexed.Rule.Resources.Distinct()
        where ResourcePattern.MeetResources(resource, question.Resource) is not null
        let single = indexed.Rule with { ApiGroups = [@group], Resources = [resource] }
        let alone = grant with { Declarations = [declaration with { Rules = [single] }] }
        from right in Explanation.Explain(alone)
        select new RightEvidence(Judge(alone, question, right, leftOut), right with { RuleIndex = indexed.Index });

    private static RightVerdict Judge(Grant alone, PermissionQuestion question, RightExplanation right, bool leftOut)
    {
        var remaining = new PrincipalPermissions(alone.Principal, right.Remaining);
        if (remaining.Match(question.ApiGroup, question.Resource, question.Verb, question.ResourceName, question.Namespace) is not null)
            return leftOut ? RightVerdict.LeftOut : RightVerdict.Grants;
        var declaration = alone.Declarations[0];
        if (!alone.Places(declaration).Any(place => place.Length == 0 || place == question.Namespace) || !Covers(declaration.Rules, question))
            return RightVerdict.NotDeclared;
        return Covers(alone.ClusterCeiling.Rules, question) ? RightVerdict.OutsidePlatformCeiling : RightVerdict.OutsideClusterCeiling;
    }

    private static bool Covers(ImmutableArray<PermissionRule> rules, PermissionQuestion question)
    {
        // A verb that we do not know is in no rule but those about all verbs.
        var verb = VerbMasks.Parse(question.Verb);
        return Ceiling.Of(rules).Excess(
            question.ApiGroup, question.Resource, verb == VerbMask.None ? VerbMask.Any : verb,
            string.IsNullOrEmpty(question.ResourceName) ? [] : [question.ResourceName]) == VerbMask.None;
    }
}
