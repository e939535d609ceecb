using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;

namespace Governor.Domain.Tests.Permissions;

/// <summary>Declarations as they come from a cluster, valid until a test changes a field.</summary>
internal static class Declarations
{
    public const string Namespace = "seam-tenant-ccs-dev";
    public const string Account = "system:serviceaccount:web:runner";

    public static JsonObject PolicySpec() => Json("""
        {"subjectScope": "platform", "allowedClusters": ["ccs-dev"], "maximumPermissionSetRef": "cluster-maximum", "enforcementMode": "strict"}
        """);

    public static JsonObject ProfileSpec() => Json($$"""
        {"principalRef": "{{Account}}", "targetClusters": ["ccs-dev"], "rbacPolicyRef": "cluster-policy",
         "permissionDeclarations": [{"permissionSetRef": "web", "scope": "cluster"}]}
        """);

    public static JsonObject SetSpec() => Json("""
        {"permissions": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}]}
        """);

    public static JsonObject MembershipSpec() => Json($$"""
        {"appIdentityRef": "wrapper", "domainIdentityRef": "wrapper", "principalRef": "{{Account}}", "tier": "infrastructure"}
        """);

    public static KubeObject Make(string kind, string name, JsonObject spec, string @namespace = Namespace) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = "security.ontai.dev/v1alpha1",
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["namespace"] = @namespace, ["name"] = name, ["uid"] = $"uid-{name}", ["generation"] = 3 },
        ["spec"] = spec,
    });

    public static Reading<RbacPolicy> Policy(Action<JsonObject>? change = null) => RbacPolicy.Read(Make("RBACPolicy", "cluster-policy", Changed(PolicySpec(), change)));

    public static Reading<RbacProfile> Profile(Action<JsonObject>? change = null) => RbacProfile.Read(Make("RBACProfile", "runner", Changed(ProfileSpec(), change)));

    public static Reading<PermissionSet> Set(string name, Action<JsonObject>? change = null) => PermissionSet.Read(Make("PermissionSet", name, Changed(SetSpec(), change)));

    public static ImmutableDictionary<ObjectKey, Reading<PermissionSet>> Sets(params IEnumerable<string> names) =>
        names.ToImmutableDictionary(name => new ObjectKey(Namespace, name), name => Set(name));

    /// <summary>Replaces the value at a dotted path by JSON; nothing removes it.</summary>
    public static JsonObject With(this JsonObject spec, string path, string? json)
    {
        var steps = path.Split('.');
        JsonNode at = spec;
        foreach (var step in steps[..^1])
            at = int.TryParse(step, out var index) ? at[index]! : at[step]!;
        if (json is null)
            at.AsObject().Remove(steps[^1]);
        else
            at[steps[^1]] = JsonNode.Parse(json);
        return spec;
    }

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private static JsonObject Changed(JsonObject spec, Action<JsonObject>? change)
    {
        change?.Invoke(spec);
        return spec;
    }
}
