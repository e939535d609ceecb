using System.Text.Json;
using Governor.Domain.Kinds;

namespace Governor.Compiler.Packs;

/// <summary>What an object must not be to go into a pack.</summary>
internal static class PackChecks
{
    /// <summary>Metadata that only an API server sets; an object that has it was copied out of a cluster.</summary>
    private static readonly string[] ServerFields = ["uid", "resourceVersion", "managedFields", "creationTimestamp", "deletionTimestamp", "selfLink"];

    internal static void Run(IReadOnlyList<SourceObject> sources, KindScopes scopes, bool allowSecrets, List<string> problems)
    {
        var seen = new Dictionary<(string Group, string Kind, ObjectKey Key), string>();
        foreach (var (item, file) in sources)
        {
            problems.AddRange(Problems(item, scopes, allowSecrets).Select(problem => $"{file}: {item}: {problem}"));
            if (!seen.TryAdd((item.Gvk.Group, item.Kind, item.Key), file))
                problems.Add($"{file}: {item}: expected every object once, found it in {seen[(item.Gvk.Group, item.Kind, item.Key)]} too");
        }
    }

    private static IEnumerable<string> Problems(KubeObject item, KindScopes scopes, bool allowSecrets)
    {
        if (scopes.IsClusterScoped(item.Gvk) is { } isClusterScoped)
        {
            if (!isClusterScoped && item.Namespace.Length == 0)
                yield return "expected metadata.namespace, because the kind is namespaced, found none";
            if (isClusterScoped && item.Namespace.Length > 0)
                yield return $"expected no metadata.namespace, because the kind is cluster-scoped, found '{item.Namespace}'";
        }
        if (!allowSecrets && item.Gvk is { Group: "", Kind: "Secret" } && (HasEntries(item.Find("data")) || HasEntries(item.Find("stringData"))))
            yield return "expected a Secret without 'data' and 'stringData', found some: base64 is not encryption, and whoever may pull the pack "
                + "could read it; let a secret store fill it on the cluster, or say 'allowSecrets: true'";
        if (item.Annotations.Keys.FirstOrDefault(key => key.StartsWith("helm.sh/hook", StringComparison.Ordinal)) is { } hook)
            yield return $"expected no Helm hooks in a raw pack, because nothing would run them at their time, found annotation '{hook}'";
        foreach (var field in ServerFields)
            if (item.Find("metadata", field).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null))
                yield return $"expected no metadata.{field}, because the API server sets it, found one";
        if (KindScopes.IsDefinition(item))
            foreach (var problem in KindScopes.Problems(item))
                yield return problem;
    }

    private static bool HasEntries(JsonElement element) => element.ValueKind == JsonValueKind.Object && element.GetPropertyCount() > 0;
}
