using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Workloads;

/// <summary>Writes the rules of ClusterRoles that are made of others: those whose labels the aggregation rule selects, in the order of their names.</summary>
internal sealed class RoleAggregation : IController
{
    private static readonly ResourceId ClusterRoles = new("rbac.authorization.k8s.io", "clusterroles");

    private readonly ClusterCore _core;
    private readonly SystemWrites _writes;

    public RoleAggregation(ClusterCore core)
    {
        _core = core;
        _writes = new SystemWrites(core, "clusterrole-aggregation-controller", "clusterrole-aggregation-controller");
    }

    public async Task ReactAsync(Change change)
    {
        if (change.Resource != ClusterRoles)
            return;
        foreach (var role in _core.Store.Current.Of(ClusterRoles).Values)
            if (role.Root.Find("aggregationRule", "clusterRoleSelectors") is { ValueKind: JsonValueKind.Array } selectors)
                await AggregateAsync(role, [.. selectors.EnumerateArray().Select(LabelSelector.Of)]);
    }

    private async Task AggregateAsync(StoredObject role, LabelSelector[] selectors)
    {
        var rules = new JsonArray();
        foreach (var other in _core.Store.Current.Of(ClusterRoles).Values.Where(r => r.Key != role.Key && selectors.Any(s => s.Matches(r))))
            foreach (var rule in other.Root.Find("rules") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [])
                if (JsonNode.Parse(rule.GetRawText()) is { } node && !rules.Any(r => JsonText.Same(r, node)))
                    rules.Add(node);
        var has = role.Root.Find("rules") is { ValueKind: JsonValueKind.Array } own ? JsonNode.Parse(own.GetRawText()) : new JsonArray();
        if (!JsonText.Same(has, rules))
            await _writes.ChangeAsync(_core.Kinds.FindAny(ClusterRoles)!, role.Key, "", o => o["rules"] = rules.DeepClone());
    }
}
