using System.Text.Json;
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
/// <param name="Created">Whether the object exists because this owner applied it first.</param>
public sealed record AppliedObject(KubeObject Answer, ApplyOutcome Outcome, bool Created)
{
    /// <param name="manager">The field manager that applied it.</param>
    /// <param name="before">Its resourceVersion before; "" when it was not there, null when nobody looked.</param>
    public static AppliedObject Of(KubeObject answer, string manager, string? before)
    {
        var created = before is "" || IsBornOf(answer, manager);
        var outcome = before switch
        {
            "" => ApplyOutcome.Created,
            null => created ? ApplyOutcome.Created : ApplyOutcome.Applied,
            _ => before == answer.ResourceVersion ? ApplyOutcome.Unchanged : ApplyOutcome.Applied,
        };
        return new AppliedObject(answer, outcome, created);
    }

    /// <summary>What a release remembers of it.</summary>
    public DeployedResource ToDeployed() => new(Answer.ApiVersion, Answer.Kind, Answer.Namespace, Answer.Name, Answer.Uid, Created);

    /// <summary>How many of each outcome, for people.</summary>
    public static string Describe(IReadOnlyCollection<AppliedObject> applied) =>
        $"{applied.Count} objects applied: {applied.Count(o => o.Outcome == ApplyOutcome.Created)} created, "
        + $"{applied.Count(o => o.Outcome == ApplyOutcome.Applied)} changed, {applied.Count(o => o.Outcome == ApplyOutcome.Unchanged)} unchanged";

    /// <summary>
    /// Whether a field manager brought an object into the world: it was there in the second of its birth, and nobody else was. An answer
    /// that was lost in a crash is read off the object in this way; where it stays open, the object is taken for somebody else's.
    /// </summary>
    private static bool IsBornOf(KubeObject live, string manager)
    {
        if (live.Find("metadata", "managedFields") is not { ValueKind: JsonValueKind.Array } entries)
            return false;
        var birth = live.FindText("metadata", "creationTimestamp");
        var midwives = entries.EnumerateArray()
            .Where(entry => StatusReading.Text(entry, "subresource").Length == 0 && StatusReading.Text(entry, "time") == birth)
            .Select(entry => StatusReading.Text(entry, "manager"))
            .ToHashSet(StringComparer.Ordinal);
        return midwives.Count == 1 && midwives.Contains(manager);
    }
}
