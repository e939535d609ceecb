using Governor.Compiler.Packs;
using Governor.Registry;

namespace Governor.Tour;

/// <summary>Builds a sample pack with the compiler and pushes it to the landscape's registry.</summary>
public static class SamplePack
{
    /// <returns>The file with the ClusterPack that a human reviews and applies.</returns>
    public static async Task<string> BuildAsync(Landscape landscape, string input, string repository, CancellationToken cancellation)
    {
        using var registry = new OciClient(new RegistryOptions());
        var request = new PackBuildRequest(input, Path.Combine(landscape.Folder, "packs")) { Registry = $"{landscape.Registry.Host}/{repository}" };
        return (await PackBuild.RunAsync(request, registry, cancellation)).File;
    }
}
