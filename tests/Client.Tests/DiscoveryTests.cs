using Governor.Client.Tests.Support;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Client.Tests;

[Collection(Server.Name)]
public sealed class DiscoveryTests(Target target)
{
    [ReliesOn("health endpoints: /readyz; /version")]
    public async Task A_ready_server_says_so_and_names_its_version() =>
        Assert.Matches(@"^v1\.\d+", (await target.Cluster.ProbeAsync(default)).GitVersion);

    [ReliesOn("discovery of custom resources")]
    public async Task A_new_definition_is_discovered_with_plural_scope_and_status()
    {
        Assert.Equal(new ResourceDescription(target.Gear, "gears", true, true), await target.Cluster.DiscoverAsync(target.Gear, default));
        Assert.Equal(new ResourceDescription(target.Axle, "axles", false, false), await target.Cluster.DiscoverAsync(target.Axle, default));
        Assert.Null(await target.Cluster.DiscoverAsync(target.Gear with { Kind = "Nothing" }, default));
        Assert.Null(await target.Cluster.DiscoverAsync(target.Gear with { Version = "v9" }, default));
        Assert.Null(await target.Cluster.DiscoverAsync(target.Gear with { Group = "nothing." + target.Group }, default));
    }

    [ReliesOn("discovery of built-in kinds")]
    public async Task Built_in_kinds_are_discovered()
    {
        Assert.Equal(("configmaps", true), await target.Cluster.DiscoverAsync(new("", "v1", "ConfigMap"), default) is { } maps ? (maps.Plural, maps.Namespaced) : default);
        Assert.Equal(("namespaces", false, true), await target.Cluster.DiscoverAsync(new("", "v1", "Namespace"), default) is { } spaces ? (spaces.Plural, spaces.Namespaced, spaces.HasStatus) : default);
        Assert.Equal("customresourcedefinitions", (await target.Cluster.DiscoverAsync(new("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), default))!.Plural);
        Assert.Equal("subjectaccessreviews", (await target.Cluster.DiscoverAsync(new("authorization.k8s.io", "v1", "SubjectAccessReview"), default))!.Plural);
    }

    [ReliesOn("APIResourceList: one document per group version, subresources with a slash")]
    public async Task The_document_of_a_group_version_lists_resources_and_subresources()
    {
        var document = await target.Wire.GetAsync($"apis/{target.Group}/v1");
        Assert.Equal("APIResourceList", document.Kind);
        var resources = document.Json["resources"]!.AsArray().ToDictionary(r => r!["name"]!.GetValue<string>(), r => r!);

        Assert.Superset(new HashSet<string> { "gears", "gears/status", "gears/scale", "axles" }, resources.Keys.ToHashSet());
        Assert.Superset(
            new HashSet<string> { "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection" },
            resources["gears"]["verbs"]!.AsArray().Select(v => v!.GetValue<string>()).ToHashSet());
        Assert.Equal("gear", resources["gears"]["singularName"]!.GetValue<string>());
        Assert.Equal("ge", resources["gears"]["shortNames"]![0]!.GetValue<string>());
        Assert.Equal("conformance", resources["gears"]["categories"]![0]!.GetValue<string>());
        Assert.Equal("Scale", resources["gears/scale"]["kind"]!.GetValue<string>());
    }

    [ReliesOn("KEP-3352 aggregated discovery: v2, v2beta1, or the old document when the server has neither")]
    public async Task The_document_of_all_groups_is_the_aggregated_one_or_the_old_one()
    {
        var document = await target.Wire.GetAsync(
            "apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json");

        Assert.Equal(200, document.Code);
        Assert.Contains(document.Kind, (string[])["APIGroupDiscoveryList", "APIGroupList"]);
        await target.EventuallyAsync("the document lists our group", async () =>
            (await target.Wire.GetAsync("apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json")).Text.Contains(target.Group, StringComparison.Ordinal));
    }

    [ReliesOn("a definition that is deleted takes its kind away")]
    public async Task A_kind_vanishes_with_its_definition_and_comes_back_with_it()
    {
        var kind = target.Gear with { Kind = "Fleeting" };
        var definition = Definitions.Passing(target.Group, target.Run, "Fleeting");
        var path = $"{Target.CustomResourceDefinitions}/fleetings.{target.Group}";
        await target.InstallAsync(definition);
        Assert.Equal("fleetings", (await target.Cluster.DiscoverAsync(kind, default))!.Plural);

        Assert.Equal(200, (await target.Wire.DeleteAsync(path)).Code);
        await target.EventuallyAsync("the definition is gone", async () => (await target.Wire.GetAsync(path)).Code == 404);
        await target.EventuallyAsync("the kind is not served", async () => await IsNotServedAsync(kind));

        await target.InstallAsync(definition);
        Assert.Empty(await target.Cluster.ListAsync(kind, null, null, default));
    }

    private async Task<bool> IsNotServedAsync(Domain.Kinds.GroupVersionKind kind)
    {
        try
        {
            await target.Cluster.ListAsync(kind, null, null, default);
            return false;
        }
        catch (KubernetesException e) when (e.Reason == "KindNotServed")
        {
            return true;
        }
    }
}
