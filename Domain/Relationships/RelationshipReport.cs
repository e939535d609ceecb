using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Governor.Domain.Relationships;

/// <summary>How a relationship, or one link of it, stands.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<RelationshipState>))]
public enum RelationshipState
{
    /// <summary>There is nothing yet that it could hold between.</summary>
    Unobserved,
    Holds,

    /// <summary>Not everywhere, or not yet.</summary>
    Degraded,

    /// <summary>Nowhere; or, where trust is at stake, not somewhere.</summary>
    Broken,
}

/// <summary>One thing that happened, or did not.</summary>
/// <param name="Subject">Of whom, as <c>Kind name</c>.</param>
public sealed record RelationshipEvidence(string Subject, RelationshipState State, string Reason, string Message);

/// <summary>A relationship, and what was found of it.</summary>
/// <param name="Holding">Links that hold.</param>
/// <param name="Links">Links that there should be.</param>
/// <param name="Against">Links that do not hold, the worst first; at most <see cref="MostNamed"/>.</param>
public sealed record RelationshipReport(DomainRelationship Relationship, RelationshipState State, int Holding, int Links, ImmutableArray<RelationshipEvidence> Against)
{
    public const int MostNamed = 20;

    public static RelationshipReport Of(DomainRelationship relationship, IEnumerable<RelationshipEvidence> evidence)
    {
        var all = evidence.ToArray();
        var against = all.Where(link => link.State != RelationshipState.Holds)
            .OrderByDescending(link => link.State).ThenBy(link => link.Subject, StringComparer.Ordinal).ToArray();
        var state = all.Length == 0 ? RelationshipState.Unobserved
            : against.Length == 0 ? RelationshipState.Holds
            : relationship.Binding == RelationshipBinding.Snapshot ? against[0].State
            : against.Length == all.Length ? RelationshipState.Broken
            : RelationshipState.Degraded;
        return new RelationshipReport(relationship, state, all.Length - against.Length, all.Length, [.. against.Take(MostNamed)]);
    }
}
