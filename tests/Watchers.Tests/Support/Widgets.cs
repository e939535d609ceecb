using Governor.Domain.Kinds;

namespace Governor.Watchers.Tests.Support;

/// <summary>The kind of the recorded exchanges, and documents of it.</summary>
internal static class Widgets
{
    public const string All = "/apis/fixtures.governor.dev/v1/widgets";
    public static readonly GroupVersionKind Kind = new("fixtures.governor.dev", "v1", "Widget");

    public const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=500";

    public const string DiscoveryOfDefinitions =
        """{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apiextensions.k8s.io/v1","resources":[{"name":"customresourcedefinitions","singularName":"","namespaced":false,"kind":"CustomResourceDefinition","verbs":["get","list","watch"]}]}""";

    public static string DefinitionList(bool widgets)
    {
        const string Definition =
            """{"metadata":{"name":"widgets.fixtures.governor.dev"},"spec":{"group":"fixtures.governor.dev","names":{"kind":"Widget","plural":"widgets"}}}""";
        return $$$"""{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinitionList","metadata":{"resourceVersion":"1"},"items":[{{{(widgets ? Definition : "")}}}]}""";
    }

    public static string Path(string @namespace, string name) => $"/apis/fixtures.governor.dev/v1/namespaces/{@namespace}/widgets/{name}";

    public static string One(string name, string version = "1", string? uid = null, string extra = "") =>
        $$$"""{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"{{{name}}}","namespace":"ns","uid":"{{{uid ?? name + "-uid"}}}","resourceVersion":"{{{version}}}"}{{{extra}}}}""";

    public static string List(string version, string next, params string[] items) =>
        $$$"""{"apiVersion":"fixtures.governor.dev/v1","kind":"WidgetList","metadata":{"continue":"{{{next}}}","resourceVersion":"{{{version}}}"},"items":[{{{string.Join(',', items)}}}]}""";

    public static string Event(string type, string @object) => $$"""{"type":"{{type}}","object":{{@object}}}""" + "\n";

    public static string Bookmark(string version) => Event(
        "BOOKMARK", $$$"""{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"resourceVersion":"{{{version}}}"}}""");

    public static ObjectKey Key(string name) => new("ns", name);
}
