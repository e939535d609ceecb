using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Auth;

/// <summary>What somebody wants to do: to a resource, or to a path.</summary>
internal sealed record AccessRequest(string Verb, string Group, string Resource, string Subresource, string Namespace, string Name, string Path = "")
{
    public bool IsPath => Path.Length > 0;

    public string ResourceWithSubresource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    public static AccessRequest ToPath(string verb, string path) => new(verb, "", "", "", "", "", path);
}

/// <summary>A verdict with the binding that allowed it.</summary>
internal sealed record AccessVerdict(bool IsAllowed, string Reason)
{
    public static readonly AccessVerdict Denied = new(false, "");
}

/// <summary>One verb on one resource, object or path.</summary>
internal sealed record RulePart(string Group, string Resource, string Name, string Path, string Verb);

/// <summary>One rule in force, and the binding that brings it.</summary>
internal sealed record GrantedRule(JsonElement Rule, string Because);

/// <summary>Role-based access control over the stored roles and bindings.</summary>
internal sealed class Authorizer
{
    private static readonly ResourceId Roles = new("rbac.authorization.k8s.io", "roles");
    private static readonly ResourceId ClusterRoles = new("rbac.authorization.k8s.io", "clusterroles");
    private static readonly ResourceId RoleBindings = new("rbac.authorization.k8s.io", "rolebindings");
    private static readonly ResourceId ClusterRoleBindings = new("rbac.authorization.k8s.io", "clusterrolebindings");

    private readonly ObjectStore _store;

    public Authorizer(ObjectStore store) => _store = store;

    public AccessVerdict Decide(UserIdentity user, AccessRequest request)
    {
        if (user.IsMaster)
            return new AccessVerdict(true, "");
        foreach (var granted in RulesOf(user, request.IsPath ? "" : request.Namespace))
            if (request.IsPath ? AllowsPath(granted.Rule, request) : AllowsResource(granted.Rule, request))
                return new AccessVerdict(true, granted.Because);
        var dangling = Dangling(user, request.IsPath ? "" : request.Namespace).ToArray();
        return dangling.Length == 0 ? AccessVerdict.Denied
            : new AccessVerdict(false, $"RBAC: {(dangling.Length == 1 ? dangling[0] : $"[{string.Join(", ", dangling)}]")}");
    }

    /// <summary>The roles that bindings of a user name and that do not exist.</summary>
    private IEnumerable<string> Dangling(UserIdentity user, string @namespace)
    {
        var state = _store.Current;
        var bindings = state.Of(ClusterRoleBindings).Values
            .Concat(@namespace.Length == 0 ? [] : state.Of(RoleBindings).Values.Where(b => b.Key.Namespace == @namespace));
        foreach (var binding in bindings.Where(b => SubjectIn(b, user).ValueKind == JsonValueKind.Object))
        {
            var (kind, name) = (binding.Root.FindText("roleRef", "kind"), binding.Root.FindText("roleRef", "name"));
            if (FindRole(state, kind, name, binding.Key.Namespace) is null)
                yield return $"{kind.ToLowerInvariant()}.rbac.authorization.k8s.io \"{name}\" not found";
        }
    }

    /// <summary>The rules in force for a user, cluster-wide and in a namespace.</summary>
    public IEnumerable<GrantedRule> RulesOf(UserIdentity user, string @namespace)
    {
        var state = _store.Current;
        foreach (var binding in state.Of(ClusterRoleBindings).Values)
            foreach (var granted in Granted(state, binding, user, $"ClusterRoleBinding \"{binding.Key.Name}\""))
                yield return granted;
        if (@namespace.Length == 0)
            yield break;
        foreach (var binding in state.Of(RoleBindings).Values.Where(b => b.Key.Namespace == @namespace))
            foreach (var granted in Granted(state, binding, user, $"RoleBinding \"{binding.Key.Name}/{@namespace}\""))
                yield return granted;
    }

    /// <summary>The rules of the role that a binding refers to; none when it does not exist.</summary>
    public IEnumerable<JsonElement> RulesOfRole(string kind, string name, string @namespace) => RulesOfRole(_store.Current, kind, name, @namespace);

    /// <summary>The parts of a rule that somebody who holds <paramref name="held"/> does not hold: one verb on one thing each.</summary>
    public static IEnumerable<RulePart> Missing(IReadOnlyCollection<GrantedRule> held, JsonElement rule)
    {
        foreach (var group in Texts(rule, "apiGroups"))
            foreach (var resource in Texts(rule, "resources"))
                foreach (var name in Texts(rule, "resourceNames").DefaultIfEmpty(""))
                    foreach (var verb in Texts(rule, "verbs"))
                        if (!held.Any(h => Has(h.Rule, "verbs", verb) && Has(h.Rule, "apiGroups", group) && HasResource(h.Rule, resource) && HasName(h.Rule, name)))
                            yield return new RulePart(group, resource, name, "", verb);
        foreach (var path in Texts(rule, "nonResourceURLs"))
            foreach (var verb in Texts(rule, "verbs"))
                if (!held.Any(h => Has(h.Rule, "verbs", verb) && Texts(h.Rule, "nonResourceURLs").Any(p => p == path || MatchesPath(p, path))))
                    yield return new RulePart("", "", "", path, verb);
    }

    private static IEnumerable<GrantedRule> Granted(StoreState state, StoredObject binding, UserIdentity user, string because)
    {
        var subject = SubjectIn(binding, user);
        if (subject.ValueKind != JsonValueKind.Object)
            yield break;
        var role = binding.Root.Find("roleRef");
        var reason = $"RBAC: allowed by {because} of {role.FindText("kind")} \"{role.FindText("name")}\" to {Show(subject)}";
        foreach (var rule in RulesOfRole(state, role.FindText("kind"), role.FindText("name"), binding.Key.Namespace))
            yield return new GrantedRule(rule, reason);
    }

    private static JsonElement SubjectIn(StoredObject binding, UserIdentity user) =>
        binding.Root.Find("subjects") is { ValueKind: JsonValueKind.Array } subjects
            ? subjects.EnumerateArray().FirstOrDefault(s => IsSubject(s, user, binding.Key.Namespace))
            : default;

    private static StoredObject? FindRole(StoreState state, string kind, string name, string @namespace) => kind == "Role"
        ? state.Find(Roles, new ObjectKey(@namespace, name))
        : state.Find(ClusterRoles, new ObjectKey("", name));

    private static JsonElement[] RulesOfRole(StoreState state, string kind, string name, string @namespace)
    {
        var found = FindRole(state, kind, name, @namespace);
        return found?.Root.Find("rules") is { ValueKind: JsonValueKind.Array } rules ? [.. rules.EnumerateArray()] : [];
    }

    private static bool IsSubject(JsonElement subject, UserIdentity user, string bindingNamespace)
    {
        var name = subject.FindText("name");
        return subject.FindText("kind") switch
        {
            "User" => name == user.Name,
            "Group" => user.Groups.Contains(name),
            "ServiceAccount" => user.Name == $"system:serviceaccount:{(subject.FindText("namespace") is { Length: > 0 } n ? n : bindingNamespace)}:{name}",
            _ => false,
        };
    }

    private static string Show(JsonElement subject) => subject.FindText("kind") == "ServiceAccount"
        ? $"ServiceAccount \"{subject.FindText("name")}/{subject.FindText("namespace")}\""
        : $"{subject.FindText("kind")} \"{subject.FindText("name")}\"";

    private static bool AllowsResource(JsonElement rule, AccessRequest request) =>
        Has(rule, "verbs", request.Verb) && Has(rule, "apiGroups", request.Group)
        && HasResource(rule, request.ResourceWithSubresource) && HasName(rule, request.Name);

    private static bool AllowsPath(JsonElement rule, AccessRequest request) =>
        Has(rule, "verbs", request.Verb) && Texts(rule, "nonResourceURLs").Any(p => MatchesPath(p, request.Path));

    private static bool MatchesPath(string pattern, string path) =>
        pattern == path || (pattern.EndsWith('*') && path.StartsWith(pattern[..^1], StringComparison.Ordinal));

    private static bool Has(JsonElement rule, string list, string wanted) => Texts(rule, list).Any(t => t == "*" || t == wanted);

    private static bool HasResource(JsonElement rule, string resource)
    {
        var slash = resource.IndexOf('/', StringComparison.Ordinal);
        var anyParent = slash < 0 ? null : "*" + resource[slash..];
        return Texts(rule, "resources").Any(r => r == "*" || r == resource || (anyParent is not null && r == anyParent));
    }

    private static bool HasName(JsonElement rule, string name)
    {
        var names = Texts(rule, "resourceNames").ToArray();
        return names.Length == 0 || (name.Length > 0 && names.Contains(name));
    }

    private static IEnumerable<string> Texts(JsonElement rule, string list) =>
        rule.Find(list) is { ValueKind: JsonValueKind.Array } found ? found.EnumerateArray().Select(t => t.GetString()!) : [];
}
