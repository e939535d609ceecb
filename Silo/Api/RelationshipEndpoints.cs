using Governor.Domain.Admission;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Memberships;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Relationships;

namespace Governor.Silo.Api;

/// <summary>One relationship between the family's operators, as it stands.</summary>
/// <param name="Holding">Links that hold, of <paramref name="Links"/>.</param>
/// <param name="Against">Links that do not, the worst first; at most twenty.</param>
public sealed record RelationshipView(
    string Name, string Source, string Type, string Target, string Protocol, RelationshipState State, int Holding, int Links, string Description,
    IReadOnlyList<RelationshipEvidence> Against)
{
    internal static RelationshipView Of(RelationshipReport report) => new(
        report.Relationship.Name, report.Relationship.Source, report.Relationship.Type, report.Relationship.Target, report.Relationship.Protocol,
        report.State, report.Holding, report.Links, report.Relationship.Description, report.Against);
}

/// <summary>The declared relationships of the family, each read off what the actors have committed at the moment of the question.</summary>
internal static class RelationshipEndpoints
{
    public static void MapRelationships(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/v1/relationships", async (CommittedStates states, CancellationToken stop) => RelationshipRules.Observe(new ObservedPlatform(
                await states.ListAsync<ClusterState>(Subjects.Cluster, stop),
                await states.ListAsync<PackState>(Subjects.Pack, stop),
                await states.ListAsync<ExecutionState>(Subjects.Execution, stop),
                await states.ListAsync<ReceiptState>(Subjects.Receipt, stop),
                await states.FindAsync<RosterState>(Subjects.Roster, BootstrapRules.FamilyNamespace, stop),
                await states.ListAsync<LineageState>(Subjects.Lineage, stop))).Select(RelationshipView.Of))
            .WithTags("governance").Reads(KnownKinds.DomainRelationship, "listRelationships")
            .WithSummary("How the six relationships between the family's operators stand: what holds, what does not, and why.");
}
