using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Manifests;

namespace Governor.Compiler.Packs;

/// <summary>An object and the file that it is from.</summary>
internal sealed record SourceObject(KubeObject Object, string File);

/// <summary>The manifests of a raw pack: a file, or the top level of a folder in the order of the files' names.</summary>
internal static class SourceFiles
{
    internal static ImmutableArray<SourceObject> Read(string path, List<string> problems)
    {
        var made = ImmutableArray.CreateBuilder<SourceObject>();
        foreach (var file in List(path, problems))
        {
            try
            {
                made.AddRange(ManifestReader.Read(File.ReadAllText(file), file).Select(o => new SourceObject(o, file)));
            }
            catch (ManifestException e)
            {
                problems.Add(e.Message);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"{file}: expected a readable file, found {e.Message}");
            }
        }
        return made.ToImmutable();
    }

    private static List<string> List(string path, List<string> problems)
    {
        if (File.Exists(path))
            return [path];
        if (!Directory.Exists(path))
        {
            problems.Add($"{path}: expected a folder or file of manifests, found none");
            return [];
        }
        // Whoever sorted manifests into subfolders means them to be delivered; leaving them out silently would deliver half a pack.
        foreach (var folder in Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal))
            if (Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any(IsManifest))
                problems.Add($"{folder}: expected manifests at the top level of {path} only, found some in this subfolder");
        var files = Directory.EnumerateFiles(path).Where(IsManifest).Order(StringComparer.Ordinal).ToList();
        if (files.Count == 0)
            problems.Add($"{path}: expected at least one .yaml, .yml or .json file, found none");
        return files;
    }

    private static bool IsManifest(string file) => Path.GetExtension(file).ToLowerInvariant() is ".yaml" or ".yml" or ".json";
}
