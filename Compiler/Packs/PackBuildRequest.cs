using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Registry;

namespace Governor.Compiler.Packs;

/// <summary>What to build, and where to.</summary>
/// <param name="InputFile">The pack's description, see <see cref="PackInput"/>.</param>
/// <param name="OutputFolder">Where <c>{name}.yaml</c> goes; made where it is missing.</param>
public sealed record PackBuildRequest(string InputFile, string OutputFolder)
{
    /// <summary>Replaces the input's <c>registryUrl</c>.</summary>
    public string? Registry { get; init; }

    /// <summary>Goes into the provenance. Without it the output depends on the input alone.</summary>
    public DateTimeOffset? Timestamp { get; init; }
}

/// <summary>What was built and pushed.</summary>
/// <param name="ClusterPack">The object that was written.</param>
/// <param name="File">Where it was written.</param>
/// <param name="Layers">In the order in which they are applied; empty layers are left out.</param>
public sealed record PackBuildResult(KubeObject ClusterPack, string File, RepositoryName Registry, string Checksum, ImmutableArray<BuiltLayer> Layers);

/// <summary>One pushed layer.</summary>
public sealed record BuiltLayer(PackLayerKind Kind, Digest Digest, string Tag, int CompressedBytes, ImmutableArray<KubeObject> Objects);

/// <summary>A pack that cannot be built, with everything that is wrong with it.</summary>
public sealed class PackBuildException(IReadOnlyList<string> problems)
    : Exception($"the pack cannot be built: {string.Join("; ", problems)}")
{
    /// <summary>Each says what, where, expected and found.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;
}
