using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Schema;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Discovery;

/// <summary>What a cluster serves at one moment: the built-in kinds and the established custom ones. Immutable.</summary>
internal sealed class KindTable
{
    public static readonly ResourceId Definitions = new("apiextensions.k8s.io", "customresourcedefinitions");

    private static readonly ImmutableDictionary<(string Group, string Version, string Plural), ServedResource> Builtin =
        BuiltinKinds.All.ToImmutableDictionary(r => (r.Gvk.Group, r.Gvk.Version, r.Plural));

    private readonly ImmutableDictionary<(string Group, string Version, string Plural), ServedResource> _served;
    private readonly ImmutableList<ServedResource> _custom;

    private KindTable(ImmutableList<ServedResource> custom, long version)
    {
        _custom = custom;
        Version = version;
        _served = Builtin.AddRange(custom.Select(r => KeyValuePair.Create((r.Gvk.Group, r.Gvk.Version, r.Plural), r)));
    }

    public static KindTable Empty { get; } = new([], 0);

    /// <summary>Counts the tables, so that derived documents know when they are stale.</summary>
    public long Version { get; }

    public IEnumerable<ServedResource> All => BuiltinKinds.All.Concat(_custom);

    public ServedResource? Find(string group, string version, string plural) => _served.GetValueOrDefault((group, version, plural));

    public ServedResource? FindKind(GroupVersionKind gvk) => All.FirstOrDefault(r => r.Gvk == gvk);

    /// <summary>Any version of a resource.</summary>
    public ServedResource? FindAny(ResourceId id) => All.FirstOrDefault(r => r.Id == id);

    public bool HasGroup(string group) => All.Any(r => r.Gvk.Group == group);

    public static bool IsBuiltinGroup(string group) => BuiltinKinds.All.Any(r => r.Gvk.Group == group);

    /// <summary>The table with the versions of one definition replaced; none when it is not established.</summary>
    public KindTable With(JsonObject definition)
    {
        var spec = definition.ChildOrNew("spec");
        var names = spec.ChildOrNew("names");
        var id = new ResourceId(spec.Text("group"), names.Text("plural"));
        return new KindTable(_custom.RemoveAll(r => r.Id == id).AddRange(Serve(definition, spec, names)), Version + 1);
    }

    public KindTable Without(ResourceId id) => new(_custom.RemoveAll(r => r.Id == id), Version + 1);

    private static IEnumerable<ServedResource> Serve(JsonObject definition, JsonObject spec, JsonObject names)
    {
        var group = spec.Text("group");
        var storage = spec.List("versions")!.OfType<JsonObject>().First(v => v.Flag("storage")).Text("name");
        foreach (var version in spec.List("versions")!.OfType<JsonObject>().Where(v => v.Flag("served")))
        {
            var gvk = new GroupVersionKind(group, version.Text("name"), names.Text("kind"));
            var subresources = version.Child("subresources");
            var schema = OpenApiSchema.Resource(version.Child("schema")?.Child("openAPIV3Schema"));
            yield return new ServedResource(gvk, names.Text("plural"), names.Text("singular"), spec.Text("scope") == "Namespaced", schema)
            {
                ListKind = names.Text("listKind"),
                ShortNames = [.. names.List("shortNames").Texts()],
                Categories = [.. names.List("categories").Texts()],
                HasStatus = subresources?.Child("status") is not null,
                Scale = subresources?.Child("scale") is { } scale
                    ? new ScalePaths(scale.Text("specReplicasPath"), scale.Text("statusReplicasPath"), scale.Text("labelSelectorPath"))
                    : null,
                Columns = ReadColumns(version),
                IsCustom = true,
                AllowsBlindUpdate = false,
                CountsGenerations = true,
                Deprecation = version.Flag("deprecated")
                    ? version.Text("deprecationWarning") is { Length: > 0 } said ? said : Deprecation(gvk, spec.List("versions")!.OfType<JsonObject>())
                    : null,
                StorageApiVersion = $"{group}/{storage}",
                IsTerminating = definition.Metadata().Text("deletionTimestamp").Length > 0,
            };
        }
    }

    private static string Deprecation(GroupVersionKind gvk, IEnumerable<JsonObject> versions)
    {
        var newer = versions.Where(v => v.Flag("served") && !v.Flag("deprecated") && VersionOrder.Instance.Compare(v.Text("name"), gvk.Version) < 0)
            .Select(v => v.Text("name")).Order(VersionOrder.Instance).FirstOrDefault();
        return $"{gvk.ApiVersion} {gvk.Kind} is deprecated{(newer is null ? "" : $"; use {gvk.Group}/{newer} {gvk.Kind}")}";
    }

    private static PrinterColumn[] ReadColumns(JsonObject version)
    {
        var declared = version.List("additionalPrinterColumns")?.OfType<JsonObject>().Select(c =>
            new PrinterColumn(c.Text("name"), c.Text("type"), c.Text("format"), c.Text("description"), c.Whole("priority") ?? 0, c.Text("jsonPath")));
        return declared is null ? [new PrinterColumn("Age", "date", "", "", 0, ".metadata.creationTimestamp")] : [.. declared];
    }
}
