using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Domain.Packs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Governor.Silo.Api;

/// <summary>What the API answers about clusters, packs, deliveries and lineage. Reads only; every read is authorised.</summary>
internal static class GovernanceEndpoints
{
    public static void MapGovernance(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/v1").WithTags("governance");

        api.MapGet("/clusters", async (CommittedStates states, CancellationToken stop) =>
            (await states.ListAsync<ClusterState>(Subjects.Cluster, stop)).Select(ClusterView.Of)).Reads(KnownKinds.TalosCluster, "listClusters");
        api.MapGet("/clusters/{name}", async Task<Results<Ok<ClusterView>, ProblemHttpResult>> (string name, CommittedStates states, CancellationToken stop) =>
            await states.FindAsync<ClusterState>(Subjects.Cluster, name, stop) is { } found ? TypedResults.Ok(ClusterView.Of(found)) : Missing("cluster", name)).Reads(KnownKinds.TalosCluster, "getCluster");

        api.MapGet("/packs", async (CommittedStates states, CancellationToken stop) =>
            (await states.ListAsync<PackState>(Subjects.Pack, stop)).Where(p => p.Exists).Select(PackView.Of)).Reads(KnownKinds.ClusterPack, "listPacks");
        api.MapGet("/packs/{ns}/{name}", async Task<Results<Ok<PackView>, ProblemHttpResult>> (string ns, string name, CommittedStates states, CancellationToken stop) =>
            await states.FindAsync<PackState>(Subjects.Pack, $"{ns}/{name}", stop) is { } found ? TypedResults.Ok(PackView.Of(found)) : Missing("pack", $"{ns}/{name}")).Reads(KnownKinds.ClusterPack, "getPack");

        api.MapGet("/executions", async (CommittedStates states, CancellationToken stop) =>
            (await states.ListAsync<ExecutionState>(Subjects.Execution, stop)).Where(e => e.Exists).Select(ExecutionView.Of)).Reads(KnownKinds.PackExecution, "listExecutions");
        api.MapGet("/executions/{ns}/{name}", async Task<Results<Ok<ExecutionView>, ProblemHttpResult>> (string ns, string name, CommittedStates states, CancellationToken stop) =>
            await states.FindAsync<ExecutionState>(Subjects.Execution, $"{ns}/{name}", stop) is { } found ? TypedResults.Ok(ExecutionView.Of(found)) : Missing("execution", $"{ns}/{name}")).Reads(KnownKinds.PackExecution, "getExecution");
        api.MapGet("/executions/{ns}/{name}/explain", async Task<Results<Ok<Explanation>, ProblemHttpResult>> (string ns, string name, CommittedStates states, CancellationToken stop) =>
            await states.FindAsync<ExecutionState>(Subjects.Execution, $"{ns}/{name}", stop) is { } found ? TypedResults.Ok(Explanation.Of(found)) : Missing("execution", $"{ns}/{name}")).Reads(KnownKinds.PackExecution, "explainExecution");

        api.MapGet("/instances", async (CommittedStates states, CancellationToken stop) =>
            (await states.ListAsync<InstanceState>(Subjects.Instance, stop)).Where(i => i.Current is not null).Select(InstanceView.Of)).Reads(KnownKinds.PackInstance, "listInstances");
        api.MapGet("/instances/{ns}/{name}", async Task<Results<Ok<InstanceView>, ProblemHttpResult>> (string ns, string name, CommittedStates states, CancellationToken stop) =>
            await states.FindAsync<InstanceState>(Subjects.Instance, $"{ns}/{name}", stop) is { } found ? TypedResults.Ok(InstanceView.Of(found)) : Missing("instance", $"{ns}/{name}")).Reads(KnownKinds.PackInstance, "getInstance");
        api.MapGet("/instances/{ns}/{name}/explain", async Task<Results<Ok<Explanation>, ProblemHttpResult>> (string ns, string name, CommittedStates states, CancellationToken stop) =>
            await states.FindAsync<InstanceState>(Subjects.Instance, $"{ns}/{name}", stop) is { } found ? TypedResults.Ok(Explanation.Of(found)) : Missing("instance", $"{ns}/{name}")).Reads(KnownKinds.PackInstance, "explainInstance");

        api.MapGet("/lineage", async (CommittedStates states, CancellationToken stop) =>
            (await states.ListAsync<LineageState>(Subjects.Lineage, stop)).Select(LineageView.Of).OfType<LineageView>()).Reads(KnownKinds.InfrastructureLineageIndex, "listLineage");
    }

    private static ProblemHttpResult Missing(string what, string name) => TypedResults.Problem(
        $"no {what} '{name}' has been observed on the management cluster", title: $"{what} not found", statusCode: StatusCodes.Status404NotFound);
}
