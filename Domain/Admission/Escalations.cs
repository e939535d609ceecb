using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary>
/// What a role or a binding grants that lets somebody have more than he was given: <c>escalate</c> and <c>bind</c> on roles,
/// <c>impersonate</c> on identities, and what amounts to them. A PermissionSet cannot say these verbs, so nothing of Guardian's own holds them.
/// </summary>
public static class Escalations
{
    private const string RbacGroup = "rbac.authorization.k8s.io";
    private const string AuthenticationGroup = "authentication.k8s.io";
    private const string Any = "*";

    /// <summary>The dangerous verbs, and what each is dangerous on.</summary>
    private static readonly (string Verb, string Group, string Resource)[] Dangers =
    [
        ("escalate", RbacGroup, "roles"), ("escalate", RbacGroup, "clusterroles"),
        ("bind", RbacGroup, "roles"), ("bind", RbacGroup, "clusterroles"),
        ("impersonate", "", "users"), ("impersonate", "", "groups"), ("impersonate", "", "serviceaccounts"),
        ("impersonate", AuthenticationGroup, "uids"), ("impersonate", AuthenticationGroup, "userextras"),
    ];

    /// <summary>Who nobody is, or everybody: what is bound to them is bound to no principal.</summary>
    private static readonly (string Kind, string Name)[] OpenSubjects =
        [("User", "system:anonymous"), ("Group", "system:unauthenticated"), ("Group", "system:authenticated"), ("Group", "system:masters")];

    /// <summary>The dangers in an RBAC object, one text each, e.g. <c>bind clusterroles</c>; of a named rule, one for each name.</summary>
    public static ImmutableSortedSet<string> In(KubeObject item) => item.Kind switch
    {
        "Role" or "ClusterRole" => [.. Items(item.Find("rules")).SelectMany(OfRule)],
        "RoleBinding" or "ClusterRoleBinding" => [.. OfBinding(item)],
        _ => [],
    };

    /// <summary>What a change adds: adopting somebody else's role as it is must stay possible, widening it must not become so.</summary>
    public static ImmutableSortedSet<string> Added(KubeObject? before, KubeObject after)
    {
        var known = before is null ? [] : In(before);
        return [.. In(after).Where(danger => !known.Contains(danger) && !known.Contains(WithoutName(danger)))];
    }

    private static IEnumerable<string> OfRule(JsonElement rule)
    {
        var verbs = Texts(rule, "verbs");
        var groups = Texts(rule, "apiGroups");
        var resources = Texts(rule, "resources");
        var names = Texts(rule, "resourceNames");
        foreach (var (verb, group, resource) in Dangers)
            if (Covers(verbs, verb) && Covers(groups, group) && resources.Any(named => IsOn(named, resource)))
                foreach (var danger in names.Length == 0 ? [$"{verb} {resource}"] : names.Select(name => $"{verb} {resource} {name}"))
                    yield return danger;
    }

    // The extra fields of a user are subresources of userextras.
    private static bool IsOn(string named, string resource) =>
        named == Any || named == resource || (resource == "userextras" && (named.StartsWith("userextras/", StringComparison.Ordinal) || named.StartsWith("*/", StringComparison.Ordinal)));

    private static IEnumerable<string> OfBinding(KubeObject binding)
    {
        if (binding.FindText("roleRef", "kind") == "ClusterRole" && binding.FindText("roleRef", "name") == "cluster-admin")
            yield return "bind cluster-admin";
        foreach (var subject in Items(binding.Find("subjects")))
            foreach (var (kind, name) in OpenSubjects)
                if (Text(subject, "kind") == kind && Text(subject, "name") == name)
                    yield return $"bind-to {name}";
    }

    private static string WithoutName(string danger) => string.Join(' ', danger.Split(' ').Take(2));

    private static bool Covers(string[] patterns, string wanted) => patterns.Contains(Any) || patterns.Contains(wanted);

    private static string Text(JsonElement parent, string field) =>
        FieldReader.TryFind(parent, field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string[] Texts(JsonElement parent, string field) =>
        FieldReader.TryFind(parent, field, out var list) ? [.. Items(list).Where(text => text.ValueKind == JsonValueKind.String).Select(text => text.GetString()!)] : [];

    private static JsonElement[] Items(JsonElement list) => list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];
}
