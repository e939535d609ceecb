using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Manifests;
using Governor.Registry;

namespace Governor.Compiler.Packs;

/// <summary>
/// Turns raw manifests into pushed layers and a ClusterPack for people to review and apply. Everything is checked before anything
/// is pushed, and the same input gives the same output.
/// </summary>
public static class PackBuild
{
    /// <exception cref="PackBuildException">Everything that is wrong with the input.</exception>
    /// <exception cref="RegistryException">The registry could not be reached, or did not take a layer.</exception>
    public static async Task<PackBuildResult> RunAsync(PackBuildRequest request, OciClient registry, CancellationToken cancellation)
    {
        var (input, split) = Check(request);
        var layers = split.Select(layer => (Prepared: PreparedLayer.Of(layer.Kind, layer.Objects), layer.Objects)).ToList();
        var publisher = new PackPublisher(registry);
        var built = ImmutableArray.CreateBuilder<BuiltLayer>();
        foreach (var (prepared, objects) in layers)
        {
            var tag = $"{input.Version}-{Suffix(prepared.Kind)}";
            await publisher.PublishAsync(input.Registry!, prepared, tag, cancellation).ConfigureAwait(false);
            built.Add(new BuiltLayer(prepared.Kind, prepared.Digest, tag, prepared.Blob.Length, objects));
        }

        var checksum = Checksum(split.SelectMany(layer => layer.Objects));
        var pack = ClusterPack(input, built, checksum, request.Timestamp);
        var file = await WriteAsync(request.OutputFolder, input.Name, pack, cancellation).ConfigureAwait(false);
        return new PackBuildResult(pack, file, input.Registry!, checksum, built.ToImmutable());
    }

    private static (PackInput Input, ImmutableArray<(PackLayerKind Kind, ImmutableArray<KubeObject> Objects)> Layers) Check(PackBuildRequest request)
    {
        List<string> problems = [];
        var input = PackInput.Read(request.InputFile, request.Registry, problems);
        ImmutableArray<SourceObject> sources = input.SourcePath.Length == 0 ? [] : SourceFiles.Read(input.SourcePath, problems);
        ImmutableArray<KubeObject> objects = [.. sources.Select(s => s.Object)];
        var scopes = new KindScopes(objects);
        PackChecks.Run(sources, scopes, input.AllowSecrets, problems);
        if (problems.Count == 0 && objects.Length == 0)
            problems.Add($"{input.SourcePath}: expected at least one object, found none");
        return problems.Count == 0 ? (input, PackSplit.Split(objects, scopes)) : throw new PackBuildException(problems);
    }

    private static KubeObject ClusterPack(PackInput input, IReadOnlyList<BuiltLayer> layers, string checksum, DateTimeOffset? timestamp)
    {
        var digests = layers.ToDictionary(layer => layer.Kind, layer => layer.Digest);
        var main = digests.TryGetValue(PackLayerKind.Workload, out var workload) ? workload : layers[^1].Digest;
        var spec = new JsonObject
        {
            ["version"] = input.Version,
            ["registryRef"] = new JsonObject { ["url"] = input.Registry!.ToString(), ["digest"] = main.Value },
            ["checksum"] = checksum,
        };
        foreach (var (kind, field) in new[] { (PackLayerKind.Rbac, "rbacDigest"), (PackLayerKind.ClusterScoped, "clusterScopedDigest"), (PackLayerKind.Workload, "workloadDigest") })
            if (digests.TryGetValue(kind, out var digest))
                spec[field] = digest.Value;
        if (input.TargetClusters.Length > 0)
            spec["targetClusters"] = new JsonArray([.. input.TargetClusters.Select(name => JsonValue.Create(name))]);
        if (input.BasePackName.Length > 0)
            spec["basePackName"] = input.BasePackName;
        spec["provenance"] = Provenance(input, checksum, timestamp);
        return KubeObject.From(new JsonObject
        {
            ["apiVersion"] = "infra.ontai.dev/v1alpha1",
            ["kind"] = "ClusterPack",
            ["metadata"] = new JsonObject { ["name"] = input.Name, ["namespace"] = input.Namespace },
            ["spec"] = spec,
        });
    }

    private static JsonObject Provenance(PackInput input, string checksum, DateTimeOffset? timestamp)
    {
        var made = new JsonObject { ["buildID"] = checksum };
        if (timestamp is { } at)
            made["buildTimestamp"] = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        if (input.SourceRef.Length > 0)
            made["sourceRef"] = input.SourceRef;
        return made;
    }

    /// <summary>SHA-256 of all objects' text in the order of the layers, each begun with <c>---</c>.</summary>
    private static string Checksum(IEnumerable<KubeObject> objects)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var item in objects)
            hash.AppendData(Encoding.UTF8.GetBytes("---\n" + ManifestWriter.Write(item)));
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    private static string Suffix(PackLayerKind kind) => kind switch
    {
        PackLayerKind.Rbac => "rbac",
        PackLayerKind.ClusterScoped => "cluster-scoped",
        PackLayerKind.Workload => "workload",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Whole or not at all: nobody reviews half a file.</summary>
    private static async Task<string> WriteAsync(string folder, string name, KubeObject pack, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var file = Path.Combine(folder, $"{name}.yaml");
            var half = file + ".part";
            await File.WriteAllTextAsync(half, ManifestWriter.Write(pack), cancellation).ConfigureAwait(false);
            File.Move(half, file, overwrite: true);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PackBuildException([$"{folder}: expected a folder that can be written, found {e.Message}"]);
        }
    }
}
