using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;

namespace Governor.Domain.Permissions;

/// <summary>The RBAC of one cluster as its effective permissions want it.</summary>
/// <param name="Objects">Of each principal: its account, and every role before its binding.</param>
/// <param name="Impossible">What no API server would take, and why.</param>
public sealed record RbacPlan(ImmutableArray<RbacObject> Objects, ImmutableArray<string> Impossible);

/// <summary>
/// From effective permissions to Kubernetes' own RBAC. Rights in the whole cluster become one ClusterRole, rights in a namespace one Role
/// there, each bound to its principal alone. Pure; equal permissions make equal objects.
/// </summary>
public static class Materialisation
{
    public const string NamePrefix = "seam:";

    private const int LongestReadable = 80;
    private const int LongestSummary = 1000;

    public static RbacPlan Desired(ClusterPermissions permissions)
    {
        var (objects, impossible) = (ImmutableArray.CreateBuilder<RbacObject>(), ImmutableArray.CreateBuilder<string>());
        foreach (var held in permissions.Principals)
        {
            var principal = Principal.Parse(held.Principal);
            if (principal.Kind == PrincipalKind.ServiceAccount && !(IsLabel(principal.Namespace) && IsSubdomain(principal.Name)))
            {
                impossible.Add($"{held.Principal}: expected the names of a namespace and of a service account in it");
                continue;
            }
            if (principal.Kind == PrincipalKind.ServiceAccount)
                objects.Add(Account(principal, held.Principal));
            foreach (var place in held.Rules.GroupBy(rule => rule.Namespace, StringComparer.Ordinal))
                if (place.Key.Length == 0 || IsLabel(place.Key))
                    objects.AddRange(RoleAndBinding(principal, held.Principal, place.Key, [.. place]));
                else
                    impossible.Add($"{held.Principal}: expected the name of a namespace, found '{place.Key}'");
        }
        return new RbacPlan(objects.ToImmutable(), impossible.ToImmutable());
    }

    /// <summary>
    /// The name of a principal's roles and bindings: readable, and told apart by 128 bits of the whole reference's digest, so that no two
    /// principals share one, whatever they are called.
    /// </summary>
    public static string NameOf(string principalRef)
    {
        var principal = Principal.Parse(principalRef);
        var readable = new StringBuilder();
        foreach (var c in principal.Namespace.Length > 0 ? $"{principal.Namespace}.{principal.Name}" : principal.Name)
            if (readable.Length < LongestReadable)
                readable.Append(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? char.ToLowerInvariant(c) : '-');
        return $"{NamePrefix}{readable}:{Signing.Digest.Of(Encoding.UTF8.GetBytes(principalRef)).Hex[..32]}";
    }

    private static RbacObject Account(Principal principal, string reference)
    {
        var key = new ObjectKey(principal.Namespace, principal.Name);
        return new RbacObject(Object(KnownKinds.ServiceAccount, key, reference), reference, "its account");
    }

    private static IEnumerable<RbacObject> RoleAndBinding(Principal principal, string reference, string place, ImmutableArray<EffectiveRule> rules)
    {
        var (role, binding) = place.Length == 0
            ? (KnownKinds.ClusterRole, KnownKinds.ClusterRoleBinding)
            : (KnownKinds.Role, KnownKinds.RoleBinding);
        var key = new ObjectKey(place, NameOf(reference));
        var summary = Summary(rules);
        yield return new RbacObject(Object(role, key, reference, ("rules", Rules(rules))), reference, summary);
        yield return new RbacObject(
            Object(
                binding, key, reference,
                ("roleRef", new JsonObject { ["apiGroup"] = role.Group, ["kind"] = role.Kind, ["name"] = key.Name }),
                ("subjects", new JsonArray(Subject(principal)))),
            reference, summary, Needs: RbacObject.IdOf(role, key));
    }

    private static KubeObject Object(GroupVersionKind kind, ObjectKey key, string reference, params ReadOnlySpan<(string Name, JsonNode Value)> content)
    {
        var made = new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["metadata"] = RbacObject.Metadata(key, reference) };
        foreach (var (name, value) in content)
            made[name] = value;
        return KubeObject.From(made);
    }

    private static JsonObject Subject(Principal principal) => principal.Kind == PrincipalKind.ServiceAccount
        ? new JsonObject { ["kind"] = "ServiceAccount", ["name"] = principal.Name, ["namespace"] = principal.Namespace }
        : new JsonObject { ["apiGroup"] = KnownKinds.Role.Group, ["kind"] = $"{principal.Kind}", ["name"] = principal.Name };

    // Rules that differ in nothing but the resource are one.
    private static JsonArray Rules(ImmutableArray<EffectiveRule> rules)
    {
        var made = new JsonArray();
        foreach (var same in rules.GroupBy(rule => (rule.ApiGroup, Verbs: string.Join(',', rule.Verbs), Names: string.Join('\n', rule.ResourceNames))))
        {
            var rule = new JsonObject
            {
                ["apiGroups"] = Texts([same.Key.ApiGroup]),
                ["resources"] = Texts(same.Select(one => one.Resource)),
                ["verbs"] = Texts(same.First().Verbs),
            };
            if (!same.First().ResourceNames.IsDefaultOrEmpty)
                rule["resourceNames"] = Texts(same.First().ResourceNames);
            made.Add(rule);
        }
        return made;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    private static string Summary(ImmutableArray<EffectiveRule> rules)
    {
        var text = string.Join("; ", rules);
        return text.Length <= LongestSummary ? text : $"{text[..LongestSummary]}… ({rules.Length} rules)";
    }

    private static bool IsLabel(string name) => name.Length is > 0 and <= 63 && !name.Contains('.', StringComparison.Ordinal) && IsSubdomain(name);

    private static bool IsSubdomain(string name) =>
        name.Length is > 0 and <= 253 && name.Split('.').All(part =>
            part.Length > 0 && part[0] != '-' && part[^1] != '-' && part.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'));
}
