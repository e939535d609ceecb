using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Workloads;

/// <summary>What a fresh cluster contains: namespaces, the default roles and bindings, the API's own Service.</summary>
internal static class Bootstrap
{
    private const string Rbac = "rbac.authorization.k8s.io";

    private static readonly string[] Workloads = ["configmaps", "endpoints", "persistentvolumeclaims", "pods", "pods/log", "replicationcontrollers", "serviceaccounts", "services", "events"];

    public static async Task FillAsync(ClusterCore core)
    {
        var writes = new SystemWrites(core, "kube-apiserver");
        foreach (var name in (string[])["default", "kube-system", "kube-public", "kube-node-lease"])
            await writes.CreateAsync(core.Kinds.Find("", "v1", "namespaces")!, "", Named("v1", "Namespace", name));
        foreach (var (name, rules) in Roles())
            await writes.CreateAsync(core.Kinds.Find(Rbac, "v1", "clusterroles")!, "", Role(name, rules));
        foreach (var (name, role, groups) in Bindings())
            await writes.CreateAsync(core.Kinds.Find(Rbac, "v1", "clusterrolebindings")!, "", Binding(name, role, groups));
        await writes.CreateAsync(core.Kinds.Find("", "v1", "services")!, "default", Service());
        var storage = Named("storage.k8s.io/v1", "StorageClass", "standard");
        storage["provisioner"] = "sandbox.governor.dev/none";
        storage.Metadata()["annotations"] = new JsonObject { ["storageclass.kubernetes.io/is-default-class"] = "true" };
        await writes.CreateAsync(core.Kinds.Find("storage.k8s.io", "v1", "storageclasses")!, "", storage);
    }

    private static IEnumerable<(string, JsonNode[])> Roles()
    {
        yield return ("cluster-admin", [Rule(["*"], ["*"], ["*"]), Paths(["*"], "*")]);
        yield return ("system:discovery", [Paths(["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"], "get")]);
        yield return ("system:public-info-viewer", [Paths(["/healthz", "/livez", "/readyz", "/version", "/version/"], "get")]);
        yield return ("system:basic-user", [Rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"])]);
        yield return ("system:auth-delegator", [Rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]), Rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"])]);
        var read = (string[])["get", "list", "watch"];
        var write = (string[])["create", "delete", "deletecollection", "patch", "update", .. read];
        yield return ("view", Namespaced(Workloads, read));
        yield return ("edit", Namespaced([.. Workloads, "secrets"], write));
        yield return ("admin", [.. Namespaced([.. Workloads, "secrets"], write), Rule([Rbac], ["roles", "rolebindings"], write), Rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"])]);
    }

    private static JsonNode[] Namespaced(string[] core, string[] verbs) =>
    [
        Rule([""], core, verbs),
        Rule([""], ["namespaces"], ["get", "list", "watch"]),
        Rule(["apps"], ["daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale", "statefulsets", "statefulsets/scale"], verbs),
        Rule(["batch"], ["cronjobs", "jobs"], verbs),
        Rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], verbs),
        Rule(["policy"], ["poddisruptionbudgets"], verbs),
        Rule(["coordination.k8s.io"], ["leases"], verbs),
    ];

    private static IEnumerable<(string, string, string[])> Bindings() =>
    [
        ("cluster-admin", "cluster-admin", ["system:masters"]),
        ("system:discovery", "system:discovery", ["system:authenticated"]),
        ("system:basic-user", "system:basic-user", ["system:authenticated"]),
        ("system:public-info-viewer", "system:public-info-viewer", ["system:authenticated", "system:unauthenticated"]),
    ];

    private static JsonObject Named(string apiVersion, string kind, string name) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = name },
    };

    private static JsonObject Role(string name, JsonNode[] rules)
    {
        var role = Named($"{Rbac}/v1", "ClusterRole", name);
        role.Metadata()["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" };
        role["rules"] = new JsonArray(rules);
        return role;
    }

    private static JsonObject Binding(string name, string role, string[] groups)
    {
        var binding = Named($"{Rbac}/v1", "ClusterRoleBinding", name);
        binding.Metadata()["labels"] = new JsonObject { ["kubernetes.io/bootstrapping"] = "rbac-defaults" };
        binding["roleRef"] = new JsonObject { ["apiGroup"] = Rbac, ["kind"] = "ClusterRole", ["name"] = role };
        binding["subjects"] = new JsonArray(groups.Select(g => (JsonNode?)new JsonObject { ["kind"] = "Group", ["apiGroup"] = Rbac, ["name"] = g }).ToArray());
        return binding;
    }

    private static JsonObject Service()
    {
        var service = Named("v1", "Service", "kubernetes");
        service["spec"] = new JsonObject
        {
            ["clusterIP"] = "10.96.0.1",
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "https", ["port"] = 443, ["targetPort"] = 6443 }),
        };
        return service;
    }

    private static JsonObject Rule(string[] groups, string[] resources, string[] verbs) => new()
    {
        ["apiGroups"] = JsonText.ArrayOf(groups),
        ["resources"] = JsonText.ArrayOf(resources),
        ["verbs"] = JsonText.ArrayOf(verbs),
    };

    private static JsonObject Paths(string[] paths, string verb) => new()
    {
        ["nonResourceURLs"] = JsonText.ArrayOf(paths),
        ["verbs"] = new JsonArray(verb),
    };
}
