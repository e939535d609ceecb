using System.Runtime.CompilerServices;

namespace Governor.Compiler.Tests;

/// <summary>A pack's source in a folder of a test's own.</summary>
internal sealed class PackFolder : IDisposable
{
    internal const string ConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\ndata: {x: \"1\"}\n";

    internal const string Input = """
        name: web
        version: v1.0.0-r1
        registryUrl: localhost:5000/packs/web
        rawSource: {path: manifests}
        targetClusters: [ccs-dev]

        """;

    internal string Path { get; } = Directory.CreateTempSubdirectory("governor-pack-").FullName;

    internal string InputFile => System.IO.Path.Combine(Path, "pack.yaml");

    internal string Output => System.IO.Path.Combine(Path, "out");

    /// <summary>Writes the description and the manifests, by their names.</summary>
    internal static PackFolder With(string? input, params (string Name, string Content)[] manifests)
    {
        var made = new PackFolder();
        if (input is not null)
            File.WriteAllText(made.InputFile, input);
        Directory.CreateDirectory(System.IO.Path.Combine(made.Path, "manifests"));
        foreach (var (name, content) in manifests)
        {
            var file = System.IO.Path.Combine(made.Path, "manifests", name);
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!);
            File.WriteAllText(file, content);
        }
        return made;
    }

    internal static PackFolder With(params (string Name, string Content)[] manifests) => With(Input, manifests);

    /// <summary>The folder <c>samples/packs/web</c> of the sources that this test was compiled from.</summary>
    internal static string Sample([CallerFilePath] string here = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(here)!, "..", "..", "samples", "packs", "web"));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
