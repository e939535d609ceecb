using System.Text;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Governor.Registry.Tests;

public sealed class RealRegistry : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("governor-registry-").FullName;

    public OciRegistryServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await OciRegistryServer.StartAsync(_folder);

    public async Task DisposeAsync()
    {
        if (Server is not null)
            await Server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

public sealed class RealRegistryTests(RealRegistry registry) : IClassFixture<RealRegistry>, IDisposable
{
    private readonly OciClient _client = new(new RegistryOptions());

    public void Dispose() => _client.Dispose();

    private string Repository(string path) => $"{registry.Server.Host}/{path}";

    [Theory]
    [InlineData(PackLayerKind.Rbac)]
    [InlineData(PackLayerKind.ClusterScoped)]
    [InlineData(PackLayerKind.Workload)]
    public async Task A_published_layer_is_pulled_by_its_digest(PackLayerKind kind)
    {
        var repository = Repository($"packs/{kind.ToString().ToLowerInvariant()}");
        var layer = PreparedLayer.Of(kind, Layers.Objects);
        var publisher = new PackPublisher(_client);
        Assert.Equal(layer.Digest, await publisher.PublishAsync(RepositoryName.Parse(repository), layer, "v1-test", default));
        Assert.Equal(layer.Digest, await publisher.PublishAsync(RepositoryName.Parse(repository), layer, null, default));

        using var services = new ServiceCollection().AddPackSource(_ => { }).BuildServiceProvider();
        var pulled = await services.GetRequiredService<IPackSource>().PullLayerAsync(repository, layer.Digest, default);
        Assert.Equal(Layers.Objects.Select(o => Encoding.UTF8.GetString(o.Json.Span)), pulled.Select(o => Encoding.UTF8.GetString(o.Json.Span)));
    }

    [Fact]
    public async Task A_large_blob_survives_the_way_there_and_back()
    {
        var repository = RepositoryName.Parse(Repository("large"));
        var content = new byte[20 * 1024 * 1024];
        new Random(1).NextBytes(content);
        var digest = await _client.PushBlobAsync(repository, content, default);
        Assert.Equal(content, await _client.PullBlobAsync(repository, digest, default));
    }

    [Fact]
    public async Task What_the_registry_does_not_have_is_not_found_and_not_asked_for_again()
    {
        var error = await Assert.ThrowsAsync<PackSourceException>(() =>
            new OciPackSource(_client, new RegistryOptions()).PullLayerAsync(Repository("nobody"), Digest.Of("x"u8), default));
        Assert.Equal((RegistryReasons.LayerNotFound, false), (error.Reason, error.IsTransient));
        Assert.Contains($"{Repository("nobody")}@{Digest.Of("x"u8)}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_manifest_without_its_blob_is_refused_by_the_registry()
    {
        var repository = RepositoryName.Parse(Repository("broken"));
        await _client.PushBlobAsync(repository, OciManifest.EmptyConfig, default);
        var error = await Assert.ThrowsAsync<RegistryException>(() =>
            _client.PushManifestAsync(repository, Layers.ManifestFor("absent"u8.ToArray()), OciManifest.MediaType, null, default));
        Assert.Equal(RegistryReasons.RegistryRefused, error.Reason);
    }

    [Fact]
    public async Task Content_that_was_changed_on_the_registrys_disk_is_never_returned()
    {
        var repository = Repository("tampered");
        var layer = PreparedLayer.Of(PackLayerKind.Workload, Layers.Objects);
        await new PackPublisher(_client).PublishAsync(RepositoryName.Parse(repository), layer, null, default);
        var digest = Digest.Of(layer.Blob.Span);
        var file = Directory.EnumerateFiles(registry.Server.Folder, "data", SearchOption.AllDirectories).Single(f => f.Contains(digest.Hex, StringComparison.Ordinal));
        var bytes = await File.ReadAllBytesAsync(file);
        try
        {
            bytes[^1] ^= 1;
            await File.WriteAllBytesAsync(file, bytes);
            var error = await Assert.ThrowsAsync<PackSourceException>(() =>
                new OciPackSource(_client, new RegistryOptions()).PullLayerAsync(repository, layer.Digest, default));
            Assert.Equal((RegistryReasons.DigestMismatch, false), (error.Reason, error.IsTransient));
        }
        finally
        {
            bytes[^1] ^= 1;
            await File.WriteAllBytesAsync(file, bytes); // other tests of this fixture share the blob
        }
    }

    [Fact]
    public async Task An_absent_registry_is_unreachable_and_may_be_tried_again()
    {
        using var client = new OciClient(new RegistryOptions { Attempts = 2, RetryDelay = TimeSpan.Zero });
        var error = await Assert.ThrowsAsync<PackSourceException>(() =>
            new OciPackSource(client, new RegistryOptions()).PullLayerAsync($"127.0.0.1:{FreePort.Next()}/a", Digest.Of("x"u8), default));
        Assert.Equal((RegistryReasons.RegistryUnreachable, true), (error.Reason, error.IsTransient));
    }

    [Fact]
    public async Task A_bad_repository_is_refused_before_anything_is_sent()
    {
        var error = await Assert.ThrowsAsync<PackSourceException>(() =>
            new OciPackSource(_client, new RegistryOptions()).PullLayerAsync("https://x/y", Digest.Of("x"u8), default));
        Assert.Equal((RegistryReasons.RegistryRefused, false), (error.Reason, error.IsTransient));
    }

    [Fact]
    public void Bad_options_are_reported_all_at_once()
    {
        var error = Assert.Throws<OptionsValidationException>(() => new OciClient(new RegistryOptions
        {
            Attempts = 0, MaxEntries = 0, InsecureHosts = ["http://a/"], CredentialsFile = "/nowhere/config.json", StallTimeout = TimeSpan.Zero,
        }));
        Assert.Equal(5, error.Failures.Count());
        Assert.Contains("Governor:Registry:Attempts: expected 1 to 10, found '0'", error.Failures);
    }
}
