using System.Text;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>Builds the URLs of one resource, relative to the server's.</summary>
internal static class ResourcePath
{
    /// <summary>The discovery document of a group version.</summary>
    public static string Discovery(string group, string version) =>
        group.Length == 0 ? $"api/{Uri.EscapeDataString(version)}" : $"apis/{Uri.EscapeDataString(group)}/{Uri.EscapeDataString(version)}";

    public static string Collection(ResourceDescription resource, string? @namespace)
    {
        var root = Discovery(resource.Kind.Group, resource.Kind.Version);
        return resource.Namespaced && !string.IsNullOrEmpty(@namespace)
            ? $"{root}/namespaces/{Segment(resource, "namespace", @namespace)}/{resource.Plural}"
            : $"{root}/{resource.Plural}";
    }

    /// <summary>Where an object is created, which needs no name: it may be generated, and reviews have none.</summary>
    /// <exception cref="KubernetesException">The key does not fit the scope of the kind.</exception>
    public static string ForCreate(ResourceDescription resource, ObjectKey key)
    {
        CheckScope(resource, key);
        return Collection(resource, key.Namespace);
    }

    /// <exception cref="KubernetesException">The key does not fit the scope of the kind.</exception>
    public static string Of(ResourceDescription resource, ObjectKey key, string? subresource = null)
    {
        CheckScope(resource, key);
        if (key.Name.Length == 0)
            throw BadKey(resource, key, "a name", "none");
        var path = $"{Collection(resource, key.Namespace)}/{Segment(resource, "name", key.Name)}";
        return string.IsNullOrEmpty(subresource) ? path : $"{path}/{Segment(resource, "subresource", subresource)}";
    }

    private static void CheckScope(ResourceDescription resource, ObjectKey key)
    {
        if (resource.Namespaced && key.Namespace.Length == 0)
            throw BadKey(resource, key, $"a namespace, for {resource.Kind.Kind} is namespaced", "none");
        if (!resource.Namespaced && key.Namespace.Length > 0)
            throw BadKey(resource, key, $"no namespace, for {resource.Kind.Kind} is cluster-scoped", $"'{key.Namespace}'");
    }

    public static string WithQuery(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var built = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in query)
        {
            if (string.IsNullOrEmpty(value))
                continue;
            built.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return built.ToString();
    }

    /// <summary>Names of some kinds may hold almost anything, but never what would lead to another path.</summary>
    private static string Segment(ResourceDescription resource, string what, string value) =>
        value is "." or ".." || value.AsSpan().ContainsAny("/%")
            ? throw new KubernetesException(400, "BadRequest", $"{resource.Kind.Kind}: expected a {what} without '/' and '%', found '{value}'")
            : Uri.EscapeDataString(value);

    private static KubernetesException BadKey(ResourceDescription resource, ObjectKey key, string expected, string found) =>
        new(400, "BadRequest", $"{resource.Kind.Kind} '{key}': expected {expected}, found {found}");
}
