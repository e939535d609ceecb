using System.Collections.Immutable;
using System.Text.Json;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Permissions;

/// <summary>A reusable list of rules: claimed by profiles, or the ceiling of a policy.</summary>
[GenerateSerializer, Immutable]
public sealed record PermissionSet(ObjectKey Key, string Uid, long Generation, string Description, ImmutableArray<PermissionRule> Rules)
{
    /// <summary>The verbs that a set may name; <c>*</c> is not among them.</summary>
    public static ImmutableArray<string> AllowedVerbs { get; } =
        ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

    public static Reading<PermissionSet> Read(KubeObject source)
    {
        var reader = new FieldReader(source);
        var description = reader.Text(reader.Spec, "spec", "description");
        var rules = reader.Items(reader.Spec, "spec", "permissions")
            .Select((rule, index) => Rule(reader, rule, $"spec.permissions[{index}]"))
            .ToImmutableArray();
        reader.Require(!rules.IsEmpty, "PermissionsNotEmpty", "spec.permissions", "expected at least one rule, found none");
        return reader.Result(() => new PermissionSet(source.Key, source.Uid, source.Generation, description, rules));
    }

    private static PermissionRule Rule(FieldReader reader, JsonElement rule, string path)
    {
        var made = new PermissionRule(
            reader.Texts(rule, path, "apiGroups"),
            reader.Texts(rule, path, "resources"),
            reader.Texts(rule, path, "verbs"),
            reader.Texts(rule, path, "resourceNames"));
        reader.Require(!made.Resources.IsEmpty, "ResourcesNotEmpty", $"{path}.resources", "expected at least one resource, found none");
        reader.Require(!made.Verbs.IsEmpty, "VerbsNotEmpty", $"{path}.verbs", "expected at least one verb, found none");
        for (var i = 0; i < made.Verbs.Length; i++)
            reader.Require(AllowedVerbs.Contains(made.Verbs[i]), "VerbValid", $"{path}.verbs[{i}]",
                $"expected one of {string.Join(", ", AllowedVerbs)}, found '{made.Verbs[i]}'");
        NoneEmpty(reader, made.Resources, $"{path}.resources", "ResourcesNotEmpty");
        NoneEmpty(reader, made.ResourceNames, $"{path}.resourceNames", "ResourceNamesNotEmpty");
        return made;
    }

    private static void NoneEmpty(FieldReader reader, ImmutableArray<string> values, string path, string check)
    {
        for (var i = 0; i < values.Length; i++)
            reader.Require(!string.IsNullOrWhiteSpace(values[i]), check, $"{path}[{i}]", "expected a name, found an empty one");
    }
}
