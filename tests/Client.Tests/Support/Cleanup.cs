using System.Globalization;
using System.Text.Json.Nodes;

namespace Governor.Client.Tests.Support;

/// <summary>
/// Takes away what a run has made, without help from any controller: there may be none. What older runs left behind because they were
/// killed goes with it.
/// </summary>
internal sealed class Cleanup(Target target)
{
    private static readonly TimeSpan Old = TimeSpan.FromHours(2);
    private static readonly TimeSpan ControllersTime = TimeSpan.FromSeconds(45);

    private readonly List<string> _left = [];

    public async Task RunAsync()
    {
        var selector = $"labelSelector={Uri.EscapeDataString(Target.RunLabel)}";
        foreach (var hook in await OursAsync($"{Target.ValidatingWebhooks}?{selector}"))
            await target.Wire.DeleteAsync($"{Target.ValidatingWebhooks}/{hook["metadata"]!["name"]}");
        foreach (var definition in await OursAsync($"{Target.CustomResourceDefinitions}?{selector}"))
            await DefinitionAsync(definition);
        foreach (var space in await OursAsync($"api/v1/namespaces?{selector}"))
            await NamespaceAsync(space["metadata"]!["name"]!.GetValue<string>());
        if (_left.Count > 0)
            throw new InvalidOperationException($"could not take away {string.Join(", ", _left)}: look for the label {Target.RunLabel} and delete by hand");
    }

    /// <summary>Those of this run, and those that are so old that no run can still need them.</summary>
    private async Task<List<JsonNode>> OursAsync(string path)
    {
        var list = await target.Wire.GetAsync(path);
        return list.Code != 200 ? [] : [.. list.Json["items"]!.AsArray().Select(item => item!).Where(IsOurs)];
    }

    private bool IsOurs(JsonNode item)
    {
        var metadata = item!["metadata"]!;
        return metadata["labels"]?[Target.RunLabel]?.GetValue<string>() == target.Run
            || (DateTimeOffset.TryParse(metadata["creationTimestamp"]?.GetValue<string>(), CultureInfo.InvariantCulture, out var made)
                && TimeProvider.System.GetUtcNow() - made > Old);
    }

    private async Task DefinitionAsync(JsonNode definition)
    {
        var (name, spec) = (definition["metadata"]!["name"]!.GetValue<string>(), definition["spec"]!);
        await ReleaseAsync($"apis/{spec["group"]}/{spec["versions"]![0]!["name"]}", spec["names"]!["plural"]!.GetValue<string>());
        await target.Wire.DeleteAsync($"{Target.CustomResourceDefinitions}/{name}");
        await GoneAsync($"{Target.CustomResourceDefinitions}/{name}", TimeSpan.FromSeconds(60));
    }

    /// <summary>Objects that wait for a finalizer would wait for ever: whose it was is over.</summary>
    private async Task ReleaseAsync(string root, string plural)
    {
        var list = await target.Wire.GetAsync($"{root}/{plural}");
        foreach (var item in list.Code == 200 ? list.Json["items"]!.AsArray() : [])
        {
            var metadata = item!["metadata"]!;
            var space = metadata["namespace"] is { } n ? $"/namespaces/{n}" : "";
            if (metadata["finalizers"] is JsonArray { Count: > 0 })
                await target.Wire.MergeAsync($"{root}{space}/{plural}/{metadata["name"]}", """{"metadata":{"finalizers":null}}""");
        }
    }

    private async Task NamespaceAsync(string name)
    {
        var path = $"api/v1/namespaces/{name}";
        foreach (var inside in (string[])[$"{path}/configmaps", $"{path}/serviceaccounts", $"apis/coordination.k8s.io/v1/namespaces/{name}/leases", $"apis/rbac.authorization.k8s.io/v1/namespaces/{name}/rolebindings", $"apis/rbac.authorization.k8s.io/v1/namespaces/{name}/roles"])
            await target.Wire.DeleteAsync(inside);
        await target.Wire.DeleteAsync(path);
        try
        {
            await target.EventuallyAsync($"{name} is gone", async () => (await target.Wire.GetAsync(path)).Code == 404, ControllersTime);
        }
        catch (TimeoutException)
        {
            // Nobody finishes namespaces on this server. Nothing of ours is in it any more: finish it ourselves.
            var left = (await target.Wire.GetAsync(path)).Json;
            left["spec"] = new JsonObject { ["finalizers"] = new JsonArray() };
            await target.Wire.PutAsync($"{path}/finalize", left);
            await GoneAsync(path, ControllersTime);
        }
    }

    private async Task GoneAsync(string path, TimeSpan patience)
    {
        try
        {
            await target.EventuallyAsync($"{path} is gone", async () => (await target.Wire.GetAsync(path)).Code == 404, patience);
        }
        catch (TimeoutException)
        {
            _left.Add(path);
        }
    }
}
