using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>Why one object of a pack's RBAC is not taken.</summary>
/// <param name="Object">Kind and key.</param>
/// <param name="Rule">Which rule of the intake it breaks.</param>
/// <param name="Exceeds">What goes too far: expected and found.</param>
[GenerateSerializer, Immutable]
public sealed record IntakeRefusal(string Object, string Rule, string Exceeds);

/// <summary>What a pack's RBAC may refer to and give on its target.</summary>
/// <param name="Ceiling">The rules of the set that the target's policy names as its maximum.</param>
/// <param name="PlatformCeiling">The platform's own; null where there is none.</param>
/// <param name="AllowedRoles">Roles outside of the pack that it may bind to, as <c>ClusterRole/name</c> or <c>Role/namespace/name</c>.</param>
public sealed record IntakeTerms(ImmutableArray<PermissionRule> Ceiling, ImmutableArray<PermissionRule>? PlatformCeiling, ImmutableHashSet<string> AllowedRoles);

/// <summary>
/// Judges the RBAC that a pack brings, before any of it is written: it may give what its objects say, as far as the ceiling of the target
/// allows, and nothing that could give more later. All failures are listed; a pack is taken as a whole or not at all.
/// </summary>
public static class RbacIntake
{
    public const string KindNotAllowed = "KindNotAllowed", Malformed = "Malformed", AggregationRefused = "AggregationRefused", NonResourceUrlsRefused = "NonResourceURLsRefused",
        VerbRefused = "VerbRefused", CeilingExceeded = "CeilingExceeded", RoleNotInPack = "RoleNotInPack", SubjectNotInPack = "SubjectNotInPack", ReservedName = "ReservedName";

    private static readonly ImmutableHashSet<GroupVersionKind> Kinds =
        [KnownKinds.ServiceAccount, KnownKinds.Role, KnownKinds.ClusterRole, KnownKinds.RoleBinding, KnownKinds.ClusterRoleBinding];

    // Whoever has one of these has, in the end, everything. A wildcard has them, too.
    private static readonly ImmutableArray<string> Escalating = ["escalate", "bind", "impersonate", "*"];

    /// <summary>The refusals, in the order of the objects; none when the pack's RBAC is taken.</summary>
    public static ImmutableArray<IntakeRefusal> Judge(IReadOnlyCollection<KubeObject> rbac, IntakeTerms terms)
    {
        var refusals = ImmutableArray.CreateBuilder<IntakeRefusal>();
        var ceiling = terms.PlatformCeiling is { } platform ? Ceiling.Of(terms.Ceiling, Ceiling.Of(platform)) : Ceiling.Of(terms.Ceiling);
        var inPack = rbac.Select(item => RbacObject.IdOf(item.Gvk, item.Key)).ToHashSet(StringComparer.Ordinal);
        foreach (var item in rbac)
        {
            void Refuse(string rule, string exceeds) => refusals.Add(new IntakeRefusal($"{item.Kind} {item.Key}", rule, exceeds));
            if (!Kinds.Contains(item.Gvk))
                Refuse(KindNotAllowed, $"expected one of {string.Join(", ", Kinds.Select(kind => kind.Kind).Order(StringComparer.Ordinal))}, found {item.Gvk}");
            else if (item.Name.StartsWith("system:", StringComparison.Ordinal) || item.Name.StartsWith(Materialisation.NamePrefix, StringComparison.Ordinal))
                Refuse(ReservedName, $"expected a name that does not begin with system: or {Materialisation.NamePrefix}, found {item.Name}");
            else if (item.Gvk == KnownKinds.Role || item.Gvk == KnownKinds.ClusterRole)
                JudgeRole(item, ceiling, Refuse);
            else if (item.Gvk != KnownKinds.ServiceAccount)
                JudgeBinding(item, terms, inPack, Refuse);
        }
        return refusals.ToImmutable();
    }

    private static void JudgeRole(KubeObject role, Ceiling ceiling, Action<string, string> refuse)
    {
        if (role.Find("aggregationRule").ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
            refuse(AggregationRefused, "expected rules of its own, found an aggregationRule: others decide what it gives");
        // The server's own admin, edit and view take in every ClusterRole with one of these labels.
        foreach (var label in role.Labels.Keys.Where(label => label.StartsWith("rbac.authorization.k8s.io/aggregate-to-", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            refuse(AggregationRefused, $"expected no label {label}: it gives its rules to everybody who has the other role");
        var rules = role.Find("rules");
        if (rules.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return;
        if (rules.ValueKind != JsonValueKind.Array)
        {
            refuse(Malformed, $"rules: expected a list, found {rules.ValueKind}");
            return;
        }
        var index = 0;
        foreach (var rule in rules.EnumerateArray())
            JudgeRule($"rules[{index++}]", rule, ceiling, refuse);
    }

    private static void JudgeRule(string where, JsonElement rule, Ceiling ceiling, Action<string, string> refuse)
    {
        if (Texts(rule, "apiGroups") is not { } groups || Texts(rule, "resources") is not { } resources || Texts(rule, "verbs") is not { } verbs
            || Texts(rule, "resourceNames") is not { } names || Texts(rule, "nonResourceURLs") is not { } urls)
        {
            refuse(Malformed, $"{where}: expected lists of texts");
            return;
        }
        if (!urls.IsEmpty)
        {
            refuse(NonResourceUrlsRefused, $"{where}: expected resources, found nonResourceURLs {string.Join(", ", urls)}");
            return;
        }
        if (groups.IsEmpty || resources.IsEmpty || verbs.IsEmpty)
        {
            refuse(Malformed, $"{where}: expected apiGroups, resources and verbs"); // the API server would say so half-way through the delivery
            return;
        }
        if (verbs.Where(Escalating.Contains).ToArray() is { Length: > 0 } escalating)
            refuse(VerbRefused, $"{where}: expected no verb that gives more than it says, found {string.Join(", ", escalating)}");
        if (verbs.Where(verb => VerbMasks.Parse(verb) == VerbMask.None).ToArray() is { Length: > 0 } unknown)
            refuse(CeilingExceeded, $"{where}: no ceiling can hold the verbs {string.Join(", ", unknown)}");
        var mask = VerbMasks.Of(verbs);
        foreach (var group in groups)
            foreach (var resource in resources)
                if (ceiling.Excess(group, resource, mask, names) is not VerbMask.None and var excess)
                    refuse(CeilingExceeded, $"{where}: {new EffectiveRule("", group, resource, excess.Spell(), names)} exceeds the ceiling");
    }

    private static void JudgeBinding(KubeObject binding, IntakeTerms terms, HashSet<string> inPack, Action<string, string> refuse)
    {
        var (kind, name) = (binding.FindText("roleRef", "kind"), binding.FindText("roleRef", "name"));
        var inNamespace = kind == KnownKinds.Role.Kind && binding.Gvk == KnownKinds.RoleBinding;
        var role = $"{kind}/{(inNamespace ? $"{binding.Namespace}/" : "")}{name}";
        if (name.Length == 0 || binding.FindText("roleRef", "apiGroup") != KnownKinds.Role.Group || !(inNamespace || kind == KnownKinds.ClusterRole.Kind))
            refuse(Malformed, $"roleRef: expected a role that a {binding.Kind} can refer to, found '{kind}' '{name}'");
        else if (!inPack.Contains(role) && !terms.AllowedRoles.Contains(role))
            refuse(RoleNotInPack, $"roleRef: expected a role of the pack{(terms.AllowedRoles.IsEmpty ? "" : $" or one of {string.Join(", ", terms.AllowedRoles.Order(StringComparer.Ordinal))}")}, found {role}");
        var subjects = binding.Find("subjects");
        if (subjects.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return;
        if (subjects.ValueKind != JsonValueKind.Array)
        {
            refuse(Malformed, $"subjects: expected a list, found {subjects.ValueKind}");
            return;
        }
        // A pack gives rights to what it brings, not to people, groups, or what others brought.
        foreach (var subject in subjects.EnumerateArray())
            if (Text(subject, "kind") != KnownKinds.ServiceAccount.Kind || !inPack.Contains($"{KnownKinds.ServiceAccount.Kind}/{Text(subject, "namespace")}/{Text(subject, "name")}"))
                refuse(SubjectNotInPack, $"subjects: expected a ServiceAccount of the pack, found '{Text(subject, "kind")}' '{Text(subject, "namespace")}/{Text(subject, "name")}'");
    }

    /// <summary>Nothing where there is nothing; null where something else is.</summary>
    private static ImmutableArray<string>? Texts(JsonElement rule, string field)
    {
        if (rule.ValueKind != JsonValueKind.Object)
            return null;
        if (!rule.TryGetProperty(field, out var list) || list.ValueKind == JsonValueKind.Null)
            return [];
        return list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(text => text.ValueKind == JsonValueKind.String)
            ? [.. list.EnumerateArray().Select(text => text.GetString()!)]
            : null;
    }

    private static string Text(JsonElement holder, string field) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
