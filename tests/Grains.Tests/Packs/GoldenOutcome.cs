using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Packs;

/// <summary>What stands at the end of a case: the PackInstances and PackExecutions, and what is on the tenant, with whose mark.</summary>
internal static class GoldenOutcome
{
    private static readonly GroupVersionKind[] OnTenant =
        [KnownKinds.Namespace, KnownKinds.ConfigMap, KnownKinds.PersistentVolumeClaim, KnownKinds.Deployment, KnownKinds.PackReceipt];

    private static readonly string[] Own = ["default", "kube-system", "kube-public", "kube-node-lease", "ont-system", "kube-root-ca.crt"];

    public static async Task<string> OfAsync(Bed bed, string registry)
    {
        var management = new JsonObject();
        foreach (var kind in (GroupVersionKind[])[KnownKinds.ClusterPack, KnownKinds.PackExecution, KnownKinds.PackInstance])
            foreach (var item in (await bed.Client.ListAsync(kind, GoldenCase.Ns, null, CancellationToken.None)).OrderBy(item => item.Name, StringComparer.Ordinal))
                management[$"{kind.Kind} {item.Name}"] = Show(item);
        var tenant = new JsonObject();
        foreach (var kind in OnTenant)
            foreach (var item in (await bed.Tenant(GoldenCase.Tenant).ListAsync(kind, null, null, CancellationToken.None)).OrderBy(item => $"{item.Key}", StringComparer.Ordinal))
                if (!Own.Contains(item.Name) && item.Namespace is not ("kube-system" or "kube-public"))
                    tenant[$"{kind.Kind} {item.Key}"] = ShowOnTenant(item);
        return YamlText.Of(new JsonObject { ["management"] = management, ["tenant"] = tenant }).Replace(registry, "registry", StringComparison.Ordinal);
    }

    private static JsonObject Show(KubeObject item)
    {
        var ready = Conditions.Of(item).Find(Conditions.Ready);
        var shown = new JsonObject { ["ready"] = $"{ready?.Status} {ready?.Reason}" };
        if (item.FindText("spec", "version") is { Length: > 0 } version)
            shown["version"] = version;
        if (item.FindText("status", "phase") is { Length: > 0 } phase)
            shown["phase"] = phase;
        if (item.FindText("status", "standing") is { Length: > 0 } standing)
            shown["standing"] = standing;
        if (item.Find("status", "releases") is { ValueKind: System.Text.Json.JsonValueKind.Array } releases)
            shown["releases"] = new JsonArray([.. releases.EnumerateArray().Select(release => (JsonNode)(
                $"{release.GetProperty("revision")}: {release.GetProperty("clusterPackRef").GetString()} {release.GetProperty("version").GetString()}, {release.GetProperty("direction").GetString()}"
                + (release.TryGetProperty("restoredFrom", out var from) && from.GetInt32() > 0 ? $" from {from}" : "") + $", {release.GetProperty("objects")} objects"))]);
        if (item.Find("status", "keptResources") is { ValueKind: System.Text.Json.JsonValueKind.Array } kept && kept.GetArrayLength() > 0)
            shown["kept"] = new JsonArray([.. kept.EnumerateArray().Select(entry => (JsonNode)$"{entry.GetProperty("kind").GetString()} {entry.GetProperty("name").GetString()}: {entry.GetProperty("reason").GetString()}")]);
        return shown;
    }

    private static JsonObject ShowOnTenant(KubeObject item)
    {
        var shown = new JsonObject { ["of"] = PackOwner.Of(item)?.Instance.ToString() ?? "somebody else" };
        if (item.Find("data") is { ValueKind: System.Text.Json.JsonValueKind.Object } data)
            shown["data"] = JsonNode.Parse(data.GetRawText());
        if (item.Gvk == KnownKinds.PackReceipt)
        {
            shown = new JsonObject { ["verified"] = item.Find("status", "verified").GetRawText() == "true" };
            if (item.FindText("status", "verificationFailedReason") is { Length: > 0 } reason)
                shown["because"] = reason.Split(':')[0];
        }
        return shown;
    }
}
