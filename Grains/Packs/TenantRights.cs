using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Grains.Clusters;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Packs;

/// <summary>
/// Asks a target what our identity there may do. Whoever may do everything is asked once; what one delivery was told another need not
/// ask again for a while.
/// </summary>
public sealed class TenantRights(TimeProvider clock)
{
    private const int MostRemembered = 100_000;
    private const int Parallelism = 8;

    // Shorter than the pause after which missing rights are asked for again.
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string ApiUid, string Revision, string Group, string Resource, string Namespace, string Verb), (bool Allowed, long At)> _answers = new();

    /// <exception cref="KubernetesException">The target does not answer.</exception>
    public async Task<RunnerRights> ReviewAsync(TenantConnection target, ImmutableArray<PackNeed> needs, CancellationToken cancellation)
    {
        var missing = new ConcurrentBag<string>();
        if (!await MayAsync(target, "*", "*", "", "*", cancellation))
            await Parallel.ForEachAsync(needs, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellation }, async (need, stop) =>
            {
                var resource = need.Plural.Length > 0
                    ? need.Plural
                    : (await target.Cluster.DiscoverAsync(new GroupVersionKind(need.Group, need.Version, need.Kind), stop))?.Plural;
                // A kind that the target does not serve is a fault of the pack, and its plan will say so.
                foreach (var verb in resource is null ? [] : RunnerRights.Verbs)
                    if (!await MayAsync(target, need.Group, resource!, need.Namespace, verb, stop))
                        missing.Add($"{verb} {resource}{(need.Group.Length > 0 ? $".{need.Group}" : "")}{(need.Namespace.Length > 0 ? $" in {need.Namespace}" : "")}");
            });
        return new RunnerRights(target.ApiUid, needs, [.. missing.Order(StringComparer.Ordinal)], clock.GetUtcNow());
    }

    private async Task<bool> MayAsync(TenantConnection target, string group, string resource, string @namespace, string verb, CancellationToken cancellation)
    {
        var question = (target.ApiUid, target.Revision, group, resource, @namespace, verb);
        if (_answers.TryGetValue(question, out var known) && clock.GetElapsedTime(known.At) < Freshness)
            return known.Allowed;
        var attributes = new JsonObject { ["group"] = group, ["resource"] = resource, ["verb"] = verb };
        if (@namespace.Length > 0)
            attributes["namespace"] = @namespace;
        var answer = await target.Cluster.CreateAsync(
            KubeObject.From(new JsonObject
            {
                ["apiVersion"] = "authorization.k8s.io/v1",
                ["kind"] = "SelfSubjectAccessReview",
                ["metadata"] = new JsonObject(),
                ["spec"] = new JsonObject { ["resourceAttributes"] = attributes },
            }),
            cancellation);
        var allowed = answer.Find("status", "allowed").ValueKind == JsonValueKind.True;
        // Forgetting costs one question: which one goes does not matter.
        if (_answers.Count >= MostRemembered)
            _answers.Clear();
        _answers[question] = (allowed, clock.GetTimestamp());
        return allowed;
    }
}
