using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Admission;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Schema;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Api;

/// <summary>What the API server adds to, and demands of, single built-in kinds.</summary>
internal static class KindRules
{
    private static readonly ResourceId Namespaces = new("", "namespaces");

    /// <exception cref="ApiException">404 when the namespace does not exist, 403 when it is going.</exception>
    public static void CheckNamespace(ClusterCore core, ServedResource resource, string @namespace, string name)
    {
        if (!resource.IsNamespaced || resource.IsVirtual)
            return;
        var found = core.Store.Current.Find(Namespaces, new ObjectKey("", @namespace))
            ?? throw new ApiException(404, "NotFound", $"namespaces \"{@namespace}\" not found", new JsonObject { ["name"] = @namespace, ["kind"] = "namespaces" });
        if (found.IsTerminating)
            throw ApiException.Forbidden(resource, name, $"unable to create new content in namespace {@namespace} because it is being terminated",
                new Cause("NamespaceTerminating", $"namespace {@namespace} is being terminated", "metadata.namespace"));
    }

    public static void Prepare(ClusterCore core, ServedResource resource, JsonObject? old, JsonObject o)
    {
        if (resource.IsCustom)
            return;
        switch (resource.Gvk.Kind)
        {
            case "Namespace":
                PrepareNamespace(old, o);
                break;
            case "Secret":
                PrepareSecret(o);
                break;
            case "Service":
                PrepareService(core, old, o);
                break;
            case "PersistentVolumeClaim" when old is null:
                o.ChildOrNew("status")["phase"] = "Pending";
                break;
            case "Pod" when old is null:
                PreparePod(o);
                break;
            case "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" or "Job":
                PrepareWorkload(resource.Gvk.Kind, old, o);
                break;
            case "CustomResourceDefinition":
                Definitions.Prepare(old, o);
                break;
            case "RoleBinding" or "ClusterRoleBinding":
                PrepareBinding(o);
                break;
            case "Role" or "ClusterRole" when o.List("rules") is { Count: 0 } or null:
                o["rules"] = null; // as what Go makes of an empty list
                break;
        }
    }

    public static IEnumerable<Cause> Validate(ClusterCore core, ServedResource resource, JsonObject? old, JsonObject o)
    {
        if (resource.IsCustom)
            return [];
        return resource.Gvk.Kind switch
        {
            "ConfigMap" or "Secret" => ValidateData(resource.Gvk.Kind, old, o),
            "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" => ValidateWorkload(old, o),
            "Job" => ValidateTemplate(o.Child("spec")),
            "Service" => ValidateService(old, o),
            "RoleBinding" or "ClusterRoleBinding" => ValidateBinding(old, o),
            "Role" or "ClusterRole" => ValidateRole(resource.IsNamespaced, o),
            "Lease" => ValidateLease(o),
            "CustomResourceDefinition" => Definitions.Validate(old, o),
            "ValidatingWebhookConfiguration" or "MutatingWebhookConfiguration" => WebhookRules.Validate(o),
            _ => [],
        };
    }

    private static void PrepareNamespace(JsonObject? old, JsonObject o)
    {
        o.Metadata().ChildOrNew("labels")["kubernetes.io/metadata.name"] = o.Metadata().Text("name");
        if (old is not null)
            return;
        o.ChildOrNew("spec")["finalizers"] = new JsonArray("kubernetes");
        o["status"] = new JsonObject { ["phase"] = "Active" };
    }

    private static void PrepareSecret(JsonObject o)
    {
        foreach (var (name, value) in o.Child("stringData") ?? [])
            o.ChildOrNew("data")[name] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value?.GetValue<string>() ?? ""));
        o.Remove("stringData");
        if (o.Text("type").Length == 0)
            o["type"] = "Opaque";
    }

    private static void PrepareService(ClusterCore core, JsonObject? old, JsonObject o)
    {
        var spec = o.ChildOrNew("spec");
        if (old is null)
            o["status"] = new JsonObject { ["loadBalancer"] = new JsonObject() };
        foreach (var port in spec.List("ports")?.OfType<JsonObject>() ?? [])
            if (port["targetPort"] is null)
                port["targetPort"] = port["port"]?.DeepClone();
        if (spec.Text("type") == "ExternalName")
            return;
        if (spec.Text("clusterIP").Length == 0)
            spec["clusterIP"] = old?.Child("spec")?.Text("clusterIP") is { Length: > 0 } kept ? kept : core.NextClusterIp();
        spec["clusterIPs"] ??= new JsonArray(spec.Text("clusterIP"));
        spec["ipFamilies"] ??= new JsonArray("IPv4");
        spec["ipFamilyPolicy"] ??= "SingleStack";
    }

    private static void PreparePod(JsonObject o)
    {
        o.ChildOrNew("spec")["serviceAccountName"] ??= "default";
        o["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = "BestEffort" };
    }

    private static void PrepareWorkload(string kind, JsonObject? old, JsonObject o)
    {
        var spec = o.ChildOrNew("spec");
        if (old is null)
            o["status"] = new JsonObject();
        var template = spec.ChildOrNew("template");
        template.ChildOrNew("metadata");
        foreach (var container in template.ChildOrNew("spec").List("containers")?.OfType<JsonObject>() ?? [])
            container["imagePullPolicy"] ??= IsLatest(container.Text("image")) ? "Always" : "IfNotPresent";
        if (kind == "Deployment" && spec.ChildOrNew("strategy") is var strategy)
        {
            strategy["type"] ??= "RollingUpdate";
            if (strategy.Text("type") == "RollingUpdate")
            {
                strategy.ChildOrNew("rollingUpdate")["maxUnavailable"] ??= "25%";
                strategy.ChildOrNew("rollingUpdate")["maxSurge"] ??= "25%";
            }
        }
        if (kind is "StatefulSet" or "DaemonSet" && spec.ChildOrNew("updateStrategy") is var update)
        {
            update["type"] ??= "RollingUpdate";
            if (update.Text("type") == "RollingUpdate" && kind == "StatefulSet")
                update.ChildOrNew("rollingUpdate")["partition"] ??= 0;
        }
        if (kind == "Job" && spec["selector"] is null)
        {
            var uid = o.Metadata().Text("uid");
            spec["selector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["controller-uid"] = uid } };
            var labels = template.ChildOrNew("metadata").ChildOrNew("labels");
            labels["controller-uid"] = uid;
            labels["job-name"] = o.Metadata().Text("name");
        }
    }

    private static bool IsLatest(string image) =>
        !image.Contains('@', StringComparison.Ordinal)
        && (image.LastIndexOf(':') <= image.LastIndexOf('/') || image.EndsWith(":latest", StringComparison.Ordinal));

    private static void PrepareBinding(JsonObject o)
    {
        o.ChildOrNew("roleRef")["apiGroup"] ??= "rbac.authorization.k8s.io";
        foreach (var subject in o.List("subjects")?.OfType<JsonObject>() ?? [])
            if (subject.Text("kind") is "User" or "Group")
                subject["apiGroup"] ??= "rbac.authorization.k8s.io";
    }

    private static IEnumerable<Cause> ValidateData(string kind, JsonObject? old, JsonObject o)
    {
        var size = 0L;
        foreach (var map in (string[])["data", "binaryData"])
            foreach (var (key, value) in o.Child(map) ?? [])
            {
                size += Encoding.UTF8.GetByteCount(key) + Size(value?.ToString() ?? "", kind == "Secret" || map == "binaryData");
                if (key is "." or "..")
                    yield return Cause.Invalid($"{map}[{key}]", $"\"{key}\"", $"must not be '{key}'");
                else if (key.Length > 253 || key.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
                    yield return Cause.Invalid($"{map}[{key}]", $"\"{key}\"", "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
            }
        foreach (var (key, _) in o.Child("binaryData") ?? [])
            if (o.Child("data")?.ContainsKey(key) == true)
                yield return Cause.Invalid($"data[{key}]", $"\"{key}\"", "duplicate of key present in binaryData");
        if (kind == "Secret" && o.Text("type") == "kubernetes.io/tls")
            foreach (var key in (string[])["tls.crt", "tls.key"])
                if (o.Child("data")?.ContainsKey(key) != true)
                    yield return Cause.Required($"data[{key}]");
        if (size > 1024 * 1024)
            yield return new Cause("FieldValueTooLong", "Too long: must have at most 1048576 bytes", kind == "Secret" ? "data" : "[]");
        if (old is null)
            yield break;
        if (old.Flag("immutable"))
            foreach (var frozen in (string[])["immutable", "data", "binaryData"])
                if (!JsonText.Same(old[frozen], o[frozen]))
                    yield return Cause.Forbidden(frozen, "field is immutable when `immutable` is set");
        if (kind == "Secret" && old.Text("type") != o.Text("type"))
            yield return Cause.Invalid("type", $"\"{o.Text("type")}\"", "field is immutable");
    }

    private static int Size(string value, bool isEncoded) => isEncoded ? value.TrimEnd('=').Length * 3 / 4 : Encoding.UTF8.GetByteCount(value);

    private static IEnumerable<Cause> ValidateWorkload(JsonObject? old, JsonObject o)
    {
        var spec = o.Child("spec");
        var selector = spec?.Child("selector");
        if (selector is null || (selector.Child("matchLabels") is not { Count: > 0 } && selector.List("matchExpressions") is not { Count: > 0 }))
            yield return Cause.Required("spec.selector");
        foreach (var (key, value) in selector?.Child("matchLabels") ?? [])
            if (!JsonText.Same(spec.At("template", "metadata", "labels", key), value))
            {
                yield return Cause.Invalid("spec.template.metadata.labels", JsonText.Compacted(spec.At("template", "metadata", "labels") ?? new JsonObject()), "`selector` does not match template `labels`");
                break;
            }
        foreach (var cause in ValidateTemplate(spec))
            yield return cause;
        if (old is not null && !JsonText.Same(old.At("spec", "selector"), selector))
            yield return Cause.Invalid("spec.selector", JsonText.Compacted(selector), "field is immutable");
    }

    private static IEnumerable<Cause> ValidateTemplate(JsonObject? spec)
    {
        var containers = spec.At("template", "spec", "containers") as JsonArray;
        if (containers is not { Count: > 0 })
            yield return Cause.Required("spec.template.spec.containers");
        for (var i = 0; i < (containers?.Count ?? 0); i++)
            foreach (var field in (string[])["name", "image"])
                if (containers![i] is JsonObject container && container.Text(field).Length == 0)
                    yield return Cause.Required($"spec.template.spec.containers[{i}].{field}");
    }

    private static IEnumerable<Cause> ValidateService(JsonObject? old, JsonObject o)
    {
        var spec = o.Child("spec")!;
        if (spec.Text("type") != "ExternalName" && spec.Text("clusterIP") != "None" && spec.List("ports") is not { Count: > 0 })
            yield return Cause.Required("spec.ports");
        if (old?.Child("spec")?.Text("clusterIP") is { Length: > 0 } ip && ip != spec.Text("clusterIP") && spec.Text("type") != "ExternalName")
            yield return Cause.Invalid("spec.clusterIPs[0]", $"[]string{{\"{spec.Text("clusterIP")}\"}}", "may not change once set");
    }

    private static IEnumerable<Cause> ValidateRole(bool isNamespaced, JsonObject o)
    {
        var rules = o.List("rules")?.OfType<JsonObject>().ToArray() ?? [];
        for (var i = 0; i < rules.Length; i++)
        {
            var paths = rules[i].List("nonResourceURLs").Texts().ToArray();
            if (rules[i].List("verbs") is not { Count: > 0 })
                yield return Cause.Required($"rules[{i}].verbs", "verbs must contain at least one value");
            if (paths.Length > 0 && isNamespaced)
                yield return Cause.Invalid($"rules[{i}].nonResourceURLs", $"[]string{{{string.Join(", ", paths.Select(p => $"\"{p}\""))}}}", "namespaced rules cannot apply to non-resource URLs");
            if (paths.Length > 0)
                continue;
            if (rules[i].List("apiGroups") is not { Count: > 0 })
                yield return Cause.Required($"rules[{i}].apiGroups", "resource rules must supply at least one api group");
            if (rules[i].List("resources") is not { Count: > 0 })
                yield return Cause.Required($"rules[{i}].resources", "resource rules must supply at least one resource");
        }
    }

    private static IEnumerable<Cause> ValidateLease(JsonObject o)
    {
        if (o.Child("spec")?.Whole("leaseDurationSeconds") is <= 0 and var seconds)
            yield return Cause.Invalid("spec.leaseDurationSeconds", $"{seconds}", "must be greater than 0");
        if (o.Child("spec")?.Whole("leaseTransitions") is < 0 and var transitions)
            yield return Cause.Invalid("spec.leaseTransitions", $"{transitions}", "must be greater than or equal to 0");
    }

    private static IEnumerable<Cause> ValidateBinding(JsonObject? old, JsonObject o)
    {
        if (o.Child("roleRef")?.Text("name") is not { Length: > 0 })
            yield return Cause.Required("roleRef.name");
        var subjects = o.List("subjects")?.OfType<JsonObject>().ToArray() ?? [];
        for (var i = 0; i < subjects.Length; i++)
            if (subjects[i].Text("kind") is not ("ServiceAccount" or "User" or "Group"))
                yield return Cause.NotSupported($"subjects[{i}].kind", $"\"{subjects[i].Text("kind")}\"", ["ServiceAccount", "User", "Group"]);
        if (old is not null && !JsonText.Same(old["roleRef"], o["roleRef"]))
        {
            var reference = o.Child("roleRef")!;
            yield return Cause.Invalid("roleRef",
                $"rbac.RoleRef{{APIGroup:\"{reference.Text("apiGroup")}\", Kind:\"{reference.Text("kind")}\", Name:\"{reference.Text("name")}\"}}", "cannot change roleRef");
        }
    }
}
