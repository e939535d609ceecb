using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox;
using Governor.Silo.Api;
using Governor.Watchers;
using Governor.Witness.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Governor.Witness.Tests;

/// <summary>C2SP tlog-tiles over HTTP, compared with the definitions computed naively.</summary>
public sealed class LogEndpointTests : IAsyncLifetime, IDisposable
{
    private const int Size = 600;

    private readonly TestLog _log = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("governor-endpoints-");
    private SandboxCluster _management = null!;
    private WebApplication _app = null!;
    private HttpClient? _http;

    private HttpClient Client => _http!;

    public async Task InitializeAsync()
    {
        _management = await SandboxCluster.StartAsync(new SandboxOptions("ccs-mgmt"));
        var kubeconfig = Path.Combine(_folder.FullName, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, _management.Kubeconfig);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ITransparencyLog>(_log).AddSingleton<LogEndpoints>().AddSingleton<AccessReviews>();
        builder.Services.AddKubernetes(options => options.ManagementKubeconfig = kubeconfig);
        builder.Services.AddProblemDetails();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.UseMiddleware<AccessControl>();
        _app.Services.GetRequiredService<LogEndpoints>().Map(_app, publicEntries: false);
        await _app.StartAsync();
        _http = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None }) { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _management.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    public void Dispose() => _http?.Dispose();

    [Fact]
    public async Task The_checkpoint_is_the_signed_note_for_everybody()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("checkpoint")).StatusCode);
        var signed = _log.Sign(grow: 3);
        using var answer = await GetAsync("checkpoint");
        Assert.Equal("text/plain; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal(signed.Note, await answer.Content.ReadAsStringAsync());
        Assert.True(answer.Headers.CacheControl!.MaxAge <= TimeSpan.FromSeconds(5));
        Assert.DoesNotContain(answer.Headers.CacheControl.Extensions, e => e.Name == "immutable");
    }

    [Fact]
    public async Task Hash_tiles_are_byte_for_byte_what_the_specification_defines_and_for_everybody()
    {
        _log.Sign(grow: Size);
        var naive = new NaiveTree(_log.Entries);
        foreach (var (level, index, width, path) in ((int, long, int, string)[])
            [(0, 0, 256, "0/000"), (0, 1, 256, "0/001"), (0, 2, Size - 512, $"0/002.p/{Size - 512}"), (1, 0, 2, "1/000.p/2")])
        {
            using var answer = await GetAsync($"tile/{path}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("application/octet-stream", answer.Content.Headers.ContentType!.ToString());
            Assert.Contains(answer.Headers.CacheControl!.Extensions, e => e.Name == "immutable");
            Assert.Equal(Convert.ToHexString(naive.Tile(level, index, width)), Convert.ToHexString(await answer.Content.ReadAsByteArrayAsync()));
        }
    }

    [Fact]
    public async Task A_consistency_proof_made_of_served_tiles_verifies()
    {
        var first = _log.Sign(grow: 300).Checkpoint;
        var second = _log.Sign(grow: 300).Checkpoint;
        var proof = await TileProofs.ConsistencyAsync(first.Size, second.Size, async tiles =>
        {
            var read = new Dictionary<Tile, ReadOnlyMemory<byte>>();
            foreach (var tile in tiles)
                read[tile] = await Client.GetByteArrayAsync($"/log/tile/{tile}");
            return read;
        });
        Assert.True(MerkleTree.VerifyConsistency(first.Size, second.Size, first.Root, second.Root, proof.AsSpan()));
    }

    [Fact]
    public async Task Entries_need_the_right_to_read_the_audit_trail()
    {
        _log.Sign(grow: Size);
        foreach (var path in (string[])["tile/entries/000", "tile/ENTRIES/000", "tile/%65ntries/000", "tile/entries/999", "tile/entries/nonsense"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await GetAsync(path)).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await GetAsync(path, _management.TokenFor("nobody"))).StatusCode);
        }
        Assert.DoesNotContain((await GetAsync("tile//entries/000")).StatusCode, (HttpStatusCode[])[HttpStatusCode.OK]);
    }

    [Fact]
    public async Task Entry_bundles_hash_to_the_tile_beside_them_compressed_or_not()
    {
        _log.Sign(grow: Size);
        foreach (var (bundle, width) in ((string, int)[])[("000", 256), ($"002.p/{Size - 512}", Size - 512)])
        {
            using var plain = await GetAsync($"tile/entries/{bundle}", _management.AdminToken);
            var bytes = await plain.Content.ReadAsByteArrayAsync();
            Assert.Equal(("application/octet-stream", 0), (plain.Content.Headers.ContentType!.ToString(), plain.Content.Headers.ContentEncoding.Count));
            Assert.True(plain.Headers.CacheControl!.Private);
            var leaves = new List<TreeHash>();
            for (var at = 0; at < bytes.Length; at += 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at)))
                leaves.Add(MerkleTree.HashLeaf(bytes.AsSpan(at + 2, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at)))));
            Assert.Equal(width, leaves.Count);
            Assert.Equal(await Client.GetByteArrayAsync($"/log/tile/0/{bundle}"), leaves.SelectMany(l => l.ToArray()).ToArray());

            using var compressed = await GetAsync($"tile/entries/{bundle}", _management.AdminToken, "br;q=1.0, gzip;q=0.5");
            Assert.Equal(["gzip"], compressed.Content.Headers.ContentEncoding);
            Assert.Contains("Accept-Encoding", compressed.Headers.Vary);
            using var unpacked = new MemoryStream();
            await using (var gzip = new GZipStream(await compressed.Content.ReadAsStreamAsync(), CompressionMode.Decompress))
                await gzip.CopyToAsync(unpacked);
            Assert.Equal(bytes, unpacked.ToArray());
            using var refused = await GetAsync($"tile/entries/{bundle}", _management.AdminToken, "gzip;q=0");
            Assert.Empty(refused.Content.Headers.ContentEncoding);
        }
    }

    [Theory]
    [InlineData("0/003", 404)] // beyond the tree
    [InlineData("0/002", 404)] // not full yet
    [InlineData("0/002.p/255", 404)] // wider than the tree
    [InlineData("2/000.p/1", 404)]
    [InlineData("8/000", 404)] // no tree is so high
    [InlineData("63/000", 404)]
    [InlineData("7/001", 404)]
    [InlineData("0/x009/x223/x372/x036/x854/x775/807", 404)] // the largest index
    [InlineData("64/000", 400)]
    [InlineData("-1/000", 400)]
    [InlineData("00/000", 400)]
    [InlineData("0/0", 400)]
    [InlineData("0/0000", 400)]
    [InlineData("0/x000/001", 400)]
    [InlineData("0/001/002", 400)]
    [InlineData("0/000.p/0", 400)]
    [InlineData("0/000.p/256", 400)]
    [InlineData("0/000.p/01", 400)]
    [InlineData("0/000.p", 400)]
    [InlineData("0", 400)]
    [InlineData("0/%2e%2e/checkpoint", 400)]
    public async Task What_is_not_there_and_what_cannot_be_there_are_told_apart(string path, int status)
    {
        _log.Sign(grow: Size);
        Assert.Equal(status, (int)(await GetAsync($"tile/{path}")).StatusCode);
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string? token = null, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/log/{path}");
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept-Encoding", accept);
        return await Client.SendAsync(request);
    }
}
