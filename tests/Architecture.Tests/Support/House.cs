using System.Collections.Immutable;

namespace Governor.Architecture.Tests.Support;

/// <summary>The projects of the house and what each may reference: the arrows of docs/architecture.md.</summary>
internal static class House
{
    /// <summary>Whoever reads this after a test has failed: the one place besides the document that says how projects hang together.</summary>
    public const string HowToAdd = "tests/Architecture.Tests/Support/House.cs and the table of projects in docs/architecture.md";

    private const string Attributes = "Embedded/Abstractions";
    private const string Host = "Embedded/Runtime";

    private static readonly ImmutableArray<string> BelowSilo =
        ["Domain", "Grains.Interfaces", "Grains", "Watchers", "Journal", "Registry", "Manifests", Host];

    private static readonly ImmutableArray<string> BelowTour = [.. BelowSilo, "Silo", "Witness", "Cli", "Compiler", "Sandbox", "LocalServers"];

    private static readonly ImmutableArray<string> Everything = [.. BelowTour, "Tour", Attributes];

    /// <summary>By folder: the folders of the projects that it may reference directly.</summary>
    public static ImmutableDictionary<string, ImmutableArray<string>> MayReference { get; } = new Dictionary<string, ImmutableArray<string>>
    {
        [Attributes] = [],
        [Host] = [Attributes],
        ["Domain"] = [Attributes],
        ["Manifests"] = ["Domain"],
        ["Grains.Interfaces"] = ["Domain", Host],
        ["Grains"] = ["Grains.Interfaces", Host],
        ["Watchers"] = ["Grains.Interfaces", "Manifests", Host],
        ["Journal"] = ["Grains.Interfaces", Host],
        ["Registry"] = ["Grains.Interfaces", "Manifests"],
        ["Witness"] = ["Domain", "Grains.Interfaces", "Watchers"],
        ["Sandbox"] = ["Domain", "Manifests"],
        ["LocalServers"] = [],
        ["Cli"] = ["Domain"],
        ["Compiler"] = ["Domain", "Registry", "Manifests"],
        ["Silo"] = BelowSilo,
        ["Tour"] = BelowTour,
        ["bench"] = Everything,
    }.ToImmutableDictionary();

    /// <summary>What can reach a cluster, or run something that does.</summary>
    public static ImmutableArray<string> ReachesClusters { get; } = ["Watchers", "Grains", "Silo", "Witness", "Sandbox", "LocalServers", "Tour"];

    /// <summary>What a project may reference directly, or null for a project that nobody has given a place.</summary>
    public static ImmutableArray<string>? AllowedFor(string folder) =>
        folder.StartsWith("tests/", StringComparison.Ordinal) ? Everything
        : MayReference.TryGetValue(folder, out var allowed) ? allowed
        : null;
}
