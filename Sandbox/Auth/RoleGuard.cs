using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Auth;

/// <summary>Nobody grants what he does not hold, unless he may escalate or bind.</summary>
internal sealed class RoleGuard
{
    private readonly ClusterCore _core;

    public RoleGuard(ClusterCore core) => _core = core;

    /// <exception cref="ApiException">403 that lists the rules that are not held.</exception>
    public void Check(RequestContext context, JsonObject o)
    {
        if (context.Resource.Gvk.Group != "rbac.authorization.k8s.io" || context.User.IsMaster)
            return;
        if (context.Resource.Plural is "roles" or "clusterroles")
        {
            if (!May(context, "escalate", context.Resource.Plural, context.Name))
                Demand(context, o, JsonSerializer.SerializeToElement(o.List("rules") ?? []).EnumerateArray());
            return;
        }
        var reference = o.Child("roleRef") ?? [];
        var plural = reference.Text("kind") == "Role" ? "roles" : "clusterroles";
        if (!May(context, "bind", plural, reference.Text("name")))
            Demand(context, o, _core.Authorizer.RulesOfRole(reference.Text("kind"), reference.Text("name"), context.Namespace));
    }

    private bool May(RequestContext context, string verb, string plural, string name) =>
        _core.Authorizer.Decide(context.User, new AccessRequest(verb, "rbac.authorization.k8s.io", plural, "", context.Namespace, name)).IsAllowed;

    private void Demand(RequestContext context, JsonObject o, IEnumerable<JsonElement> rules)
    {
        var held = _core.Authorizer.RulesOf(context.User, context.Namespace).ToArray();
        var missing = rules.SelectMany(rule => Authorizer.Missing(held, rule)).GroupBy(p => p with { Verb = p.Path.Length > 0 ? p.Verb : "" })
            .Select(g => Show(g.Key, g.Select(p => p.Verb).Distinct())).Distinct().Order(StringComparer.Ordinal).ToArray();
        if (missing.Length == 0)
            return;
        var groups = string.Join(" ", context.User.Groups.Select(g => $"\"{g}\""));
        throw ApiException.Forbidden(context.Resource, o.Metadata().Text("name"),
            $"user \"{context.User.Name}\" (groups=[{groups}]) is attempting to grant RBAC permissions not currently held:\n{string.Join("\n", missing)}");
    }

    private static string Show(RulePart part, IEnumerable<string> verbs)
    {
        var parts = part.Path.Length > 0
            ? [$"NonResourceURLs:[\"{part.Path}\"]"]
            : new List<string> { $"APIGroups:[\"{part.Group}\"]", $"Resources:[\"{part.Resource}\"]" };
        if (part.Name.Length > 0)
            parts.Add($"ResourceNames:[\"{part.Name}\"]");
        parts.Add($"Verbs:[{string.Join(" ", verbs.Select(v => $"\"{v}\""))}]");
        return $"{{{string.Join(", ", parts)}}}";
    }
}
