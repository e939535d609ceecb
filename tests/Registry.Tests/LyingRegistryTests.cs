using System.Text;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces.Ports;
using Microsoft.AspNetCore.Http;

namespace Governor.Registry.Tests;

public sealed class LyingRegistryTests
{
    private static RegistryOptions Quick(int attempts = 1) => new() { Attempts = attempts, RetryDelay = TimeSpan.Zero };

    /// <summary>Serves a manifest and a blob under any name that is asked for.</summary>
    private static Func<HttpContext, Task> Serving(byte[] manifest, byte[] blob) => context =>
        context.Response.Body.WriteAsync(context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal) ? manifest : blob).AsTask();

    private static async Task<PackSourceException> RefusedAsync(
        Func<HttpContext, Task> answer, Digest digest, RegistryOptions? options = null, Action<LyingRegistry>? then = null)
    {
        await using var registry = await LyingRegistry.StartAsync(answer);
        options ??= Quick();
        using var client = new OciClient(options);
        var error = await Assert.ThrowsAsync<PackSourceException>(() => new OciPackSource(client, options).PullLayerAsync($"{registry.Host}/web", digest, default));
        then?.Invoke(registry);
        return error;
    }

    private static Task<PackSourceException> RefusedAsync(byte[] manifest, byte[] blob, RegistryOptions? options = null) =>
        RefusedAsync(Serving(manifest, blob), Digest.Of(manifest), options);

    [Fact]
    public async Task An_honest_answer_passes()
    {
        var blob = PackLayer.Pack(Layers.Objects);
        var manifest = Layers.ManifestFor(blob);
        await using var registry = await LyingRegistry.StartAsync(Serving(manifest, blob));
        using var client = new OciClient(Quick());
        Assert.Equal(2, (await new OciPackSource(client, Quick()).PullLayerAsync($"{registry.Host}/web", Digest.Of(manifest), default)).Length);
    }

    [Fact]
    public async Task Another_manifest_than_asked_for_is_a_mismatch_that_is_not_asked_for_again()
    {
        var good = Layers.ManifestFor(PackLayer.Pack(Layers.Objects));
        var error = await RefusedAsync(Serving(good, []), Digest.Of("another"u8), Quick(3), registry => Assert.Single(registry.Asked));
        Assert.Equal((RegistryReasons.DigestMismatch, false), (error.Reason, error.IsTransient));
        Assert.Contains($"expected content with digest {Digest.Of("another"u8)}, found {good.Length} bytes with {Digest.Of(good)}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_blob_than_the_manifest_names_is_a_mismatch()
    {
        var manifest = Layers.ManifestFor(PackLayer.Pack(Layers.Objects));
        var error = await RefusedAsync(manifest, PackLayer.Pack([Layers.Objects[0]]));
        Assert.Equal(RegistryReasons.DigestMismatch, error.Reason);
    }

    [Fact]
    public async Task A_truncated_blob_is_tried_again_and_then_unreachable()
    {
        var blob = PackLayer.Pack(Layers.Objects);
        var manifest = Layers.ManifestFor(blob);
        var error = await RefusedAsync(
            async context =>
            {
                if (context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal))
                {
                    await context.Response.Body.WriteAsync(manifest);
                    return;
                }
                context.Response.ContentLength = blob.Length;
                await context.Response.Body.WriteAsync(blob.AsMemory(0, 10));
                await context.Response.Body.FlushAsync();
                context.Abort();
            },
            Digest.Of(manifest), Quick(3), registry => Assert.Equal(3, registry.Count("/blobs/")));
        Assert.Equal((RegistryReasons.RegistryUnreachable, true), (error.Reason, error.IsTransient));
    }

    [Fact]
    public async Task A_body_that_stops_coming_is_given_up()
    {
        var manifest = Layers.ManifestFor(PackLayer.Pack(Layers.Objects));
        var options = new RegistryOptions { Attempts = 1, StallTimeout = TimeSpan.FromMilliseconds(300) };
        var error = await RefusedAsync(
            async context =>
            {
                context.Response.ContentLength = manifest.Length;
                await context.Response.Body.WriteAsync(manifest.AsMemory(0, 5));
                await context.Response.Body.FlushAsync();
                await AbandonedAsync(context);
            },
            Digest.Of(manifest), options);
        Assert.Equal((RegistryReasons.RegistryUnreachable, true), (error.Reason, error.IsTransient));
        Assert.Contains("no byte for 00:00:00.3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_registry_that_never_answers_is_given_up()
    {
        var options = new RegistryOptions { Attempts = 2, RetryDelay = TimeSpan.Zero, ResponseTimeout = TimeSpan.FromMilliseconds(300) };
        var error = await RefusedAsync(AbandonedAsync, Digest.Of("x"u8), options, registry => Assert.Equal(2, registry.Asked.Count));
        Assert.Equal((RegistryReasons.RegistryUnreachable, true), (error.Reason, error.IsTransient));
        Assert.Contains("none in time", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Holds the answer back until the client has gone.</summary>
    private static async Task AbandonedAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    [Fact]
    public async Task The_callers_cancellation_is_the_callers_and_no_failure()
    {
        using var arrived = new SemaphoreSlim(0);
        await using var registry = await LyingRegistry.StartAsync(context =>
        {
            arrived.Release();
            return AbandonedAsync(context);
        });
        using var client = new OciClient(Quick());
        using var cancellation = new CancellationTokenSource();
        var pull = client.PullBlobAsync(RepositoryName.Parse($"{registry.Host}/web"), Digest.Of("x"u8), cancellation.Token);
        await arrived.WaitAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_huge_manifest_is_not_read_to_its_end(bool announced)
    {
        var huge = new byte[200_000];
        var error = await RefusedAsync(
            async context =>
            {
                if (announced)
                    context.Response.ContentLength = huge.Length;
                await context.Response.Body.WriteAsync(huge);
            },
            Digest.Of(huge), new RegistryOptions { Attempts = 1, MaxManifestBytes = 100_000 });
        Assert.Equal((RegistryReasons.LayerTooLarge, false), (error.Reason, error.IsTransient));
        Assert.Contains("at most 100000 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_layer_that_its_manifest_calls_too_large_is_not_asked_for()
    {
        var manifest = new OciManifest(PackMediaTypes.Of(PackLayerKind.Rbac), Digest.Of("x"u8), 65L * 1024 * 1024).ToBytes();
        var error = await RefusedAsync(Serving(manifest, []), Digest.Of(manifest), then: registry => Assert.Equal(0, registry.Count("/blobs/")));
        Assert.Equal(RegistryReasons.LayerTooLarge, error.Reason);
    }

    [Fact]
    public async Task A_zip_bomb_is_stopped()
    {
        var bomb = Layers.Gzip(new byte[8 * 1024 * 1024]);
        var blob = Layers.OneFile("a.yaml", new string(' ', 8 * 1024 * 1024));
        Assert.True(bomb.Length < 10_000 && blob.Length < 20_000);
        var error = await RefusedAsync(Layers.ManifestFor(blob), blob, new RegistryOptions { Attempts = 1, MaxUnpackedBytes = 1024 * 1024 });
        Assert.Equal(RegistryReasons.LayerTooLarge, error.Reason);
    }

    [Fact]
    public async Task A_missing_layer_is_not_found()
    {
        var manifest = Layers.ManifestFor(PackLayer.Pack(Layers.Objects));
        var error = await RefusedAsync(
            async context =>
            {
                if (context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal))
                    await context.Response.Body.WriteAsync(manifest);
                else
                    await RefuseAsync(context, 404, """{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown\u001b[31m"}]}""");
            },
            Digest.Of(manifest));
        Assert.Equal((RegistryReasons.LayerNotFound, false), (error.Reason, error.IsTransient));
        Assert.EndsWith("found status 404: BLOB_UNKNOWN: blob unknown [31m", error.Message, StringComparison.Ordinal);
    }

    private static Task RefuseAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync(body);
    }

    public static TheoryData<string, string> BadManifests
    {
        get
        {
            var layer = $$"""{"mediaType":"application/vnd.ontai.rbac.v1+tar.gzip","digest":"{{Digest.Of("x"u8)}}","size":1}""";
            return new()
            {
                { "not JSON", "an OCI image manifest, found something else" },
                { "[]", "an OCI image manifest, found a JSON Array" },
                { "{}", "'layers', found none" },
                { """{"layers":[]}""", "exactly one layer, found 0" },
                { $$"""{"layers":[{{layer}},{{layer}}]}""", "exactly one layer, found 2" },
                { """{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""", "an image manifest" },
                { $$"""{"layers":[{{layer.Replace("ontai.rbac", "helm.chart", StringComparison.Ordinal)}}]}""", "a layer of a pack's media type" },
                { $$"""{"layers":[{{layer.Replace("sha256:", "sha512:", StringComparison.Ordinal)}}]}""", "a layer digest 'sha256:<64 hex>'" },
                { $$"""{"layers":[{{layer.Replace("\"size\":1", "\"size\":-1", StringComparison.Ordinal)}}]}""", "a layer size in bytes, found -1" },
                { """{"layers":[5]}""", "an OCI image manifest" },
                { """{"layers":[{"mediaType":5}]}""", "an OCI image manifest" },
            };
        }
    }

    [Theory, MemberData(nameof(BadManifests))]
    public async Task A_manifest_that_is_no_pack_layers_is_refused(string manifest, string expected)
    {
        var error = await RefusedAsync(Encoding.UTF8.GetBytes(manifest), []);
        Assert.Equal((RegistryReasons.ManifestInvalid, false), (error.Reason, error.IsTransient));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_layer_that_is_not_YAML_is_refused_with_its_place()
    {
        var blob = Layers.OneFile("manifests.yaml", "apiVersion: v1\nkind: [\n");
        var error = await RefusedAsync(Layers.ManifestFor(blob), blob);
        Assert.Equal(RegistryReasons.ManifestInvalid, error.Reason);
        Assert.Contains($"@{Digest.Of(blob)}: manifests.yaml: document 1, line", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_archive_that_climbs_out_is_refused()
    {
        var blob = Layers.OneFile("../../etc/cron.d/x.yaml", Layers.ConfigMap);
        Assert.Equal(RegistryReasons.LayerInvalid, (await RefusedAsync(Layers.ManifestFor(blob), blob)).Reason);
    }

    [Theory]
    [InlineData("application/vnd.oci.image.layer.v1.tar+gzip")]
    [InlineData("application/vnd.oci.image.layer.v1.tar")]
    [InlineData("application/vnd.ontai.rbac.v1")]
    public async Task Layers_of_other_writers_are_read(string mediaType)
    {
        var blob = PackLayer.Pack(Layers.Objects);
        var manifest = Layers.ManifestFor(blob, mediaType);
        await using var registry = await LyingRegistry.StartAsync(Serving(manifest, blob));
        using var client = new OciClient(Quick());
        Assert.NotEmpty(await new OciPackSource(client, Quick()).PullLayerAsync($"{registry.Host}/web", Digest.Of(manifest), default));
    }

    [Fact]
    public async Task A_redirected_manifest_is_refused()
    {
        var error = await RefusedAsync(Redirecting("/elsewhere"), Digest.Of("x"u8));
        Assert.Equal((RegistryReasons.RedirectRefused, false), (error.Reason, error.IsTransient));
    }

    private static Func<HttpContext, Task> Redirecting(string location) => context =>
    {
        context.Response.Redirect(location);
        return Task.CompletedTask;
    };

    [Fact]
    public async Task A_redirected_blob_is_fetched_from_storage_without_our_credentials()
    {
        var content = "blob"u8.ToArray();
        await using var storage = await LyingRegistry.StartAsync(context => context.Response.Body.WriteAsync(content).AsTask());
        await using var registry = await LyingRegistry.StartAsync(context =>
            context.Request.Headers.Authorization.Count == 0
                ? Challenge(context, "Basic realm=\"r\"")
                : Redirecting($"http://{storage.Host}/bucket/x")(context));
        using var credentials = CredentialsFile.For(registry.Host, "user", "password");
        using var client = new OciClient(new RegistryOptions { Attempts = 1, CredentialsFile = credentials.Path });
        Assert.Equal(content, await client.PullBlobAsync(RepositoryName.Parse($"{registry.Host}/web"), Digest.Of(content), default));
        Assert.Equal("", Assert.Single(storage.Asked).Authorization);
    }

    [Fact]
    public async Task A_blob_redirected_to_a_foreign_host_in_the_clear_is_refused()
    {
        await using var registry = await LyingRegistry.StartAsync(Redirecting("http://storage.example.org/x"));
        using var client = new OciClient(Quick());
        var error = await Assert.ThrowsAsync<RegistryException>(() => client.PullBlobAsync(RepositoryName.Parse($"{registry.Host}/web"), Digest.Of("x"u8), default));
        Assert.Equal(RegistryReasons.RedirectRefused, error.Reason);
    }

    [Fact]
    public async Task Redirects_in_a_circle_end()
    {
        await using var registry = await LyingRegistry.StartAsync(Redirecting("/again"));
        using var client = new OciClient(Quick());
        var error = await Assert.ThrowsAsync<RegistryException>(() => client.PullBlobAsync(RepositoryName.Parse($"{registry.Host}/web"), Digest.Of("x"u8), default));
        Assert.Equal(RegistryReasons.RedirectRefused, error.Reason);
        Assert.Equal(6, registry.Asked.Count);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_transient_fault_is_tried_again_and_passes(int status)
    {
        var content = "blob"u8.ToArray();
        var failures = 2;
        await using var registry = await LyingRegistry.StartAsync(context =>
            Interlocked.Decrement(ref failures) >= 0 ? RefuseAsync(context, status, "later") : context.Response.Body.WriteAsync(content).AsTask());
        using var client = new OciClient(Quick(3));
        Assert.Equal(content, await client.PullBlobAsync(RepositoryName.Parse($"{registry.Host}/web"), Digest.Of(content), default));
        Assert.Equal(3, registry.Asked.Count);
    }

    [Theory]
    [InlineData(403, RegistryReasons.RegistryDenied)]
    [InlineData(405, RegistryReasons.RegistryRefused)]
    [InlineData(410, RegistryReasons.RegistryRefused)]
    public async Task A_refusal_is_not_argued_with(int status, string reason)
    {
        var error = await RefusedAsync(context => RefuseAsync(context, status, ""), Digest.Of("x"u8), Quick(3), registry => Assert.Single(registry.Asked));
        Assert.Equal((reason, false), (error.Reason, error.IsTransient));
    }

    [Fact]
    public async Task A_registry_that_stores_something_else_is_found_out()
    {
        await using var registry = await LyingRegistry.StartAsync(context =>
        {
            context.Response.StatusCode = 201;
            context.Response.Headers["Docker-Content-Digest"] = Digest.Of("other"u8).Value;
            return Task.CompletedTask;
        });
        using var client = new OciClient(Quick());
        var error = await Assert.ThrowsAsync<RegistryException>(() =>
            client.PushManifestAsync(RepositoryName.Parse($"{registry.Host}/web"), "{}"u8.ToArray(), OciManifest.MediaType, "v1", default));
        Assert.Equal(RegistryReasons.DigestMismatch, error.Reason);
    }

    private static Task Challenge(HttpContext context, string challenge)
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = challenge;
        return Task.CompletedTask;
    }
}
