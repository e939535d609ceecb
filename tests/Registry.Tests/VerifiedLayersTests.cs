using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Registry.Tests;

public sealed class VerifiedLayersTests
{
    private static readonly byte[] Blob = PackLayer.Pack(Layers.Objects);
    private static readonly byte[] Manifest = Layers.ManifestFor(Blob);
    private static readonly long Bytes = Layers.Objects.Sum(o => (long)o.Json.Length);

    /// <summary>Pulls through these repositories in turn; answers how often the registry was asked for a manifest.</summary>
    private static async Task<int> PullAsync(long maxCachedBytes, params string[] repositories)
    {
        await using var registry = await LyingRegistry.StartAsync(context =>
            context.Response.Body.WriteAsync(context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal) ? Manifest : Blob).AsTask());
        var options = new RegistryOptions { MaxCachedBytes = maxCachedBytes };
        using var client = new OciClient(options);
        var source = new OciPackSource(client, options);
        foreach (var repository in repositories)
            Assert.Equal(Layers.Objects.Count, (await source.PullLayerAsync($"{registry.Host}/{repository}", Digest.Of(Manifest), default)).Length);
        return registry.Count("/manifests/");
    }

    [Fact]
    public async Task A_layer_that_was_verified_is_not_pulled_again() => Assert.Equal(1, await PullAsync(Bytes, "a", "a", "a"));

    [Fact]
    public async Task What_one_repository_gave_is_asked_of_another() => Assert.Equal(2, await PullAsync(10 * Bytes, "a", "b", "a", "b"));

    [Fact]
    public async Task What_was_used_longest_ago_goes_first() => Assert.Equal(4, await PullAsync(2 * Bytes, "a", "b", "a", "c", "a", "b"));

    [Fact]
    public async Task A_layer_that_is_larger_than_the_bound_is_not_kept() => Assert.Equal(2, await PullAsync(Bytes - 1, "a", "a"));

    [Fact]
    public async Task Nothing_is_kept_under_a_bound_of_zero() => Assert.Equal(2, await PullAsync(0, "a", "a"));

    [Fact]
    public async Task What_did_not_verify_is_not_kept()
    {
        var lie = true;
        await using var registry = await LyingRegistry.StartAsync(context => context.Response.Body.WriteAsync(
            context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal) ? Manifest : lie ? PackLayer.Pack([Layers.Objects[0]]) : Blob).AsTask());
        using var client = new OciClient(new RegistryOptions());
        var source = new OciPackSource(client, new RegistryOptions());
        await Assert.ThrowsAsync<PackSourceException>(() => source.PullLayerAsync($"{registry.Host}/a", Digest.Of(Manifest), default));
        lie = false;
        Assert.Equal(Layers.Objects.Count, (await source.PullLayerAsync($"{registry.Host}/a", Digest.Of(Manifest), default)).Length);
    }
}
