using System.Text.Json.Serialization;
using Governor.Domain.Kinds;

namespace Governor.Domain.Packs;

/// <summary>What applying an object did to the target.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ApplyOutcome>))]
public enum ApplyOutcome
{
    /// <summary>It is there because of us.</summary>
    Created,

    /// <summary>It was there, and may be another now.</summary>
    Applied,

    /// <summary>It was there as it should be.</summary>
    Unchanged,
}

/// <summary>One object of a delivery, as the target answered.</summary>
/// <param name="Answer">The object right after it was applied: what it says about itself may already be that it is ready.</param>
/// <param name="Created">Whether the object exists because this owner made it, in this attempt or in one before: <see cref="PackOwner.HasCreated"/>.</param>
public sealed record AppliedObject(KubeObject Answer, ApplyOutcome Outcome, bool Created)
{
    /// <summary>What a release remembers of it.</summary>
    public DeployedResource ToDeployed() => new(Answer.ApiVersion, Answer.Kind, Answer.Namespace, Answer.Name, Answer.Uid, Created);

    /// <summary>How many of each outcome, for people.</summary>
    public static string Describe(IReadOnlyCollection<AppliedObject> applied) =>
        $"{applied.Count} objects applied: {applied.Count(o => o.Outcome == ApplyOutcome.Created)} created, "
        + $"{applied.Count(o => o.Outcome == ApplyOutcome.Applied)} changed, {applied.Count(o => o.Outcome == ApplyOutcome.Unchanged)} unchanged";
}
