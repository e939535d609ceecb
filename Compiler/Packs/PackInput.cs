using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Manifests;
using Governor.Registry;

namespace Governor.Compiler.Packs;

/// <summary>
/// The description of a pack that people write:
/// <code>
/// name: web                      # of the ClusterPack
/// version: v1.0.0-r1
/// registryUrl: registry.example.org/packs/web
/// category: raw                  # the one there is so far, and the default
/// rawSource: {path: manifests}   # a folder or a file, relative to this file
/// targetClusters: [ccs-dev]
/// namespace: seam-tenant-ccs-dev # default with exactly one target cluster: seam-tenant-{cluster}
/// basePackName: web              # optional
/// sourceRef: git+https://…       # optional, for the provenance
/// allowSecrets: false            # Secrets with content go into the registry in the clear
/// </code>
/// </summary>
internal sealed partial record PackInput
{
    private static readonly string[] Known =
        ["name", "version", "registryUrl", "category", "rawSource", "targetClusters", "namespace", "basePackName", "sourceRef", "allowSecrets"];

    internal string Name { get; private init; } = "";
    internal string Version { get; private init; } = "";
    internal RepositoryName? Registry { get; private init; }
    internal string SourcePath { get; private init; } = "";
    internal ImmutableArray<string> TargetClusters { get; private init; } = [];
    internal string Namespace { get; private init; } = "";
    internal string BasePackName { get; private init; } = "";
    internal string SourceRef { get; private init; } = "";
    internal bool AllowSecrets { get; private init; }

    /// <summary>Reads what can be read and adds everything that is wrong to the problems.</summary>
    internal static PackInput Read(string file, string? registryOverride, List<string> problems)
    {
        JsonObject root;
        try
        {
            if (ManifestReader.ReadDocument(File.ReadAllText(file), file) is not JsonObject mapping)
            {
                problems.Add($"{file}: expected a mapping with the pack's name, version and source, found something else");
                return new PackInput();
            }
            root = mapping;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ManifestException)
        {
            problems.Add(e is ManifestException ? e.Message : $"{file}: expected a readable file, found {e.Message}");
            return new PackInput();
        }
        return new Reading(file, root, problems).ToInput(registryOverride);
    }

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex DnsLabel();

    /// <summary>An OCI tag, with room for the suffix of the longest layer.</summary>
    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\z")]
    private static partial Regex Tag();

    /// <summary>The fields of one file, and where to complain about them.</summary>
    private sealed class Reading(string file, JsonObject root, List<string> problems)
    {
        internal PackInput ToInput(string? registryOverride)
        {
            foreach (var (key, _) in root)
                if (!Known.Contains(key))
                    Add(key, $"one of {string.Join(", ", Known)}", "an unknown field");
            var category = Text("category", required: false);
            if (category is not ("" or "raw"))
                Add("category", "raw", category is "helm" or "kustomize" ? $"{category}, which has to be rendered to plain manifests first" : $"'{category}'");
            var targets = Targets();
            return new PackInput
            {
                Name = Label("name", required: true),
                Version = Matching("version", Tag(), "a version of letters, digits, '.', '_' and '-', such as v1.0.0-r1"),
                Registry = Repository(registryOverride),
                SourcePath = Source(),
                TargetClusters = targets,
                Namespace = Namespace(targets),
                BasePackName = Label("basePackName", required: false),
                SourceRef = Text("sourceRef", required: false),
                AllowSecrets = AllowSecrets(),
            };
        }

        private RepositoryName? Repository(string? registryOverride)
        {
            var text = registryOverride ?? Text("registryUrl", required: true);
            if (text.Length == 0)
                return null;
            try
            {
                return RepositoryName.Parse(text);
            }
            catch (FormatException e)
            {
                problems.Add(registryOverride is null ? $"{file}: registryUrl: {e.Message}" : $"--registry: {e.Message}");
                return null;
            }
        }

        private string Source()
        {
            if (root["rawSource"] is not JsonObject source)
            {
                Add("rawSource", "a mapping with 'path'", Describe(root["rawSource"]));
                return "";
            }
            foreach (var (key, _) in source)
                if (key != "path")
                    Add($"rawSource.{key}", "only 'path'", "an unknown field");
            if (source["path"] is JsonValue value && value.TryGetValue<string>(out var path) && path.Length > 0)
                return Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, path);
            Add("rawSource.path", "a folder or file of manifests, relative to this file", Describe(source["path"]));
            return "";
        }

        private ImmutableArray<string> Targets()
        {
            if (root["targetClusters"] is null)
                return [];
            if (root["targetClusters"] is not JsonArray array)
            {
                Add("targetClusters", "a sequence of cluster names", Describe(root["targetClusters"]));
                return [];
            }
            var made = ImmutableArray.CreateBuilder<string>();
            for (var i = 0; i < array.Count; i++)
            {
                if (array[i] is not JsonValue value || !value.TryGetValue<string>(out var name) || !DnsLabel().IsMatch(name))
                    Add($"targetClusters[{i}]", "a cluster name (lower-case letters, digits, '-')", Describe(array[i]));
                else if (made.Contains(name))
                    Add($"targetClusters[{i}]", "every cluster once", $"'{name}' again");
                else
                    made.Add(name);
            }
            return made.ToImmutable();
        }

        private string Namespace(ImmutableArray<string> targets)
        {
            if (root["namespace"] is not null || targets.Length == 1)
                return Label("namespace", required: false) is { Length: > 0 } given ? given : targets.Length == 1 ? $"seam-tenant-{targets[0]}" : "";
            if (targets.Length == 0 && root["targetClusters"] is not null && root["targetClusters"] is not JsonArray { Count: 0 })
                return ""; // what is wrong with the targets has been said
            Add("namespace", "the namespace of the ClusterPack, because it does not have exactly one target cluster", "none");
            return "";
        }

        private bool AllowSecrets()
        {
            if (root["allowSecrets"] is null)
                return false;
            if (root["allowSecrets"]!.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
                return root["allowSecrets"]!.GetValue<bool>();
            Add("allowSecrets", "true or false", Describe(root["allowSecrets"]));
            return false;
        }

        private string Label(string key, bool required) =>
            Matching(key, DnsLabel(), "a name of up to 63 lower-case letters, digits and '-'", required);

        private string Matching(string key, Regex pattern, string expected, bool required = true)
        {
            var text = Text(key, required);
            if (text.Length == 0 || pattern.IsMatch(text))
                return text;
            Add(key, expected, $"'{text}'");
            return "";
        }

        private string Text(string key, bool required)
        {
            if (root[key] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0)
                return text;
            if (required || root[key] is not null)
                Add(key, "text", Describe(root[key]));
            return "";
        }

        private static string Describe(JsonNode? node) => node?.ToJsonString() ?? "none";

        private void Add(string field, string expected, string found) => problems.Add($"{file}: {field}: expected {expected}, found {found}");
    }
}
