using Governor.Host.Tests.Fixture;
using Orleans;

namespace Governor.Host.Tests;

/// <summary>One silo for the tests that need nothing special.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    private GrainHost? host;

    public IGrainFactory Grains => host!.Grains;

    public async Task InitializeAsync() => host = await GrainHost.StartAsync();

    public async Task DisposeAsync() => await host!.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class OneSilo : ICollectionFixture<SharedHost>
{
    public const string Name = "One silo";
}

/// <summary>Keys that no other test uses.</summary>
internal static class Fresh
{
    private static int last;

    public static string Key(string what) => $"{what}-{Interlocked.Increment(ref last)}";
}
