using System.Text.Json.Nodes;
using Governor.Domain.Kinds.Schemas;

namespace Governor.Domain.Tests.Kinds;

public sealed class PublishedSchemaTests
{
    private static readonly JsonObject Index = Parse("index.json");

    [Theory]
    [InlineData("shared", 6)]
    [InlineData("domain-core", 9)]
    [InlineData("seam-core", 3)]
    [InlineData("app-core", 9)]
    public void The_index_names_the_published_schemas_and_each_has_its_file(string layer, int count)
    {
        var entries = Index["layers"]![layer]!.AsArray();

        Assert.Equal(count, entries.Count);
        foreach (var entry in entries)
        {
            var kind = entry!["kind"]!.GetValue<string>();
            var schema = Parse("v1alpha1/" + entry["file"]!.GetValue<string>());
            Assert.Equal($"https://schema.ontai.dev/v1alpha1/{layer}/{kind}.json", schema["$id"]!.GetValue<string>());
            Assert.Equal(layer, schema["x-ont-layer"]!.GetValue<string>());
            Assert.Equal(entry["dependsOn"]!.ToJsonString(), schema["x-ont-depends-on"]!.ToJsonString());
        }
    }

    [Fact]
    public void A_schema_depends_on_its_own_layer_or_one_below_and_only_on_what_is_published()
    {
        string[] upwards = ["shared", "domain-core", "seam-core", "app-core"];
        var published = Index["layers"]!.AsObject()
            .SelectMany(layer => layer.Value!.AsArray(), (layer, entry) => (Layer: layer.Key, Kind: entry!["kind"]!.GetValue<string>(), DependsOn: entry["dependsOn"]!.AsArray()))
            .ToArray();

        foreach (var (layer, kind, dependsOn) in published)
            foreach (var needed in dependsOn.Select(type => type!["kind"]!.GetValue<string>()))
                Assert.True(
                    Array.IndexOf(upwards, published.Single(other => other.Kind == needed).Layer) <= Array.IndexOf(upwards, layer),
                    $"{layer}/{kind} depends on {needed}, which is above it");
    }

    [Theory]
    [InlineData("v1alpha1/app-core/AppPolicy.json", "DomainPolicy,AppIdentity")]
    [InlineData("v1alpha1/app-core/AppTopology.json", "DomainRelationship,AppIdentity")]
    [InlineData("v1alpha1/domain-core/DomainAudit.json", "DomainIdentity")]
    [InlineData("v1alpha1/domain-core/DomainRelationship.json", "")]
    public void What_a_schema_depends_on_is_what_it_refers_to(string file, string expected) =>
        Assert.Equal(
            expected.Split(',', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal),
            Parse(file)["x-ont-depends-on"]!.AsArray().Select(type => type!["kind"]!.GetValue<string>()).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_object_with_declared_fields_is_closed_except_metadata_and_nothing_is_for_an_API_server_only()
    {
        foreach (var file in PublishedSchemas.All().Where(file => file.FileName != "index.json"))
        {
            Assert.DoesNotContain("x-kubernetes-", file.Text, StringComparison.Ordinal);
            var schema = JsonNode.Parse(file.Text)!.AsObject();
            AssertClosed(schema, file.FileName, isOpen: file.FileName.EndsWith("/KubernetesMetadata.json", StringComparison.Ordinal));
        }
    }

    private static void AssertClosed(JsonObject schema, string path, bool isOpen)
    {
        if (schema["properties"] is JsonObject properties)
        {
            Assert.Equal(isOpen ? null : "false", schema["additionalProperties"]?.ToJsonString());
            foreach (var (name, member) in properties)
                AssertClosed(member!.AsObject(), $"{path}.{name}", isOpen: false);
        }
        if (schema["items"] is JsonObject items)
            AssertClosed(items, $"{path}[]", isOpen: false);
    }

    private static JsonObject Parse(string file) =>
        JsonNode.Parse(PublishedSchemas.All().Single(generated => generated.FileName == file).Text)!.AsObject();
}
