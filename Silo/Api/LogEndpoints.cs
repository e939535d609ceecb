using System.IO.Compression;
using System.Threading.RateLimiting;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Silo.Audit;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Governor.Silo.Api;

/// <summary>
/// The log as C2SP tlog-tiles serves it, for other people's tools, monitors and witnesses. Checkpoint and hash tiles reveal nothing but
/// hashes and are for everybody; entries reveal what was decided and need the right that the rest of the audit trail needs.
/// </summary>
internal sealed class LogEndpoints(ITransparencyLog log, TimeProvider clock) : IDisposable
{
    private const int AtOnce = 16;
    private const int Waiting = 256;

    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(1);

    // Everybody may ask, so only a few at a time reach the database.
    private readonly ConcurrencyLimiter _places = new(new ConcurrencyLimiterOptions { PermitLimit = AtOnce, QueueLimit = Waiting });
    private readonly Lock _lock = new();
    private Task<LogCheckpoint?>? _looking;
    private long _lookedAt;

    public void Map(IEndpointRouteBuilder routes, bool publicEntries)
    {
        var group = routes.MapGroup("/log").WithTags("log");
        group.MapGet("/checkpoint", (Delegate)CheckpointAsync).WithName("getLogCheckpoint")
            .WithSummary("The newest checkpoint with its cosignatures (C2SP tlog-checkpoint).");
        group.MapGet("/tile/{**path}", (HttpContext http, string path) => TileAsync(http, path)).WithName("getLogTile")
            .WithSummary("A hash tile (C2SP tlog-tiles).");
        var entries = group.MapGet("/tile/entries/{**path}", (HttpContext http, string path) => EntriesAsync(http, path, publicEntries))
            .WithSummary("An entry bundle (C2SP tlog-tiles): the records whose hashes are the leaves.");
        if (publicEntries)
            entries.WithName("getLogEntries");
        else
            entries.Reads(KnownKinds.InfrastructureLineageIndex, "getLogEntries");
    }

    public void Dispose() => _places.Dispose();

    private async Task<IResult> CheckpointAsync(HttpContext http)
    {
        if (await NewestAsync().WaitAsync(http.RequestAborted) is not { } newest)
            return NotThere("nothing has been decided yet");
        http.Response.Headers.CacheControl = "public, max-age=1";
        return Results.Text(newest.Note, "text/plain; charset=utf-8");
    }

    // One look a second, whoever asks; what is not there yet is looked for again.
    private Task<LogCheckpoint?> NewestAsync()
    {
        lock (_lock)
        {
            var isKnown = _looking is { IsCompletedSuccessfully: true, Result: not null } && clock.GetElapsedTime(_lookedAt) <= Memory;
            if (_looking is null || (_looking.IsCompleted && !isKnown))
            {
                _lookedAt = clock.GetTimestamp();
                _looking = Task.Run(() => log.CheckpointAsync(CancellationToken.None));
            }
            return _looking;
        }
    }

    private async Task<IResult> TileAsync(HttpContext http, string path)
    {
        if (!Tile.TryParse(path, out var tile))
            return Malformed(path);
        // Entries have an endpoint of their own, with a lock on it.
        if (tile.Level == Tile.Entries || !IsPossible(tile))
            return NotThere($"there is no tile {tile}");
        using var place = await _places.AcquireAsync(1, http.RequestAborted);
        if (!place.IsAcquired)
            return TooMany();
        var found = await log.TilesAsync([tile], http.RequestAborted);
        if (!found.TryGetValue(tile, out var hashes))
            return NotThere($"there is no tile {tile}");
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return Results.Bytes(hashes, "application/octet-stream");
    }

    private async Task<IResult> EntriesAsync(HttpContext http, string path, bool isPublic)
    {
        if (!Tile.TryParse($"entries/{path}", out var bundle))
            return Malformed($"entries/{path}");
        if (!IsPossible(bundle))
            return NotThere($"there is no bundle {bundle}");
        using var place = await _places.AcquireAsync(1, http.RequestAborted);
        if (!place.IsAcquired)
            return TooMany();
        if (await log.EntriesAsync(bundle, http.RequestAborted) is not { } entries)
            return NotThere($"there is no bundle {bundle}");
        http.Response.Headers.CacheControl = $"{(isPublic ? "public" : "private")}, max-age=31536000, immutable";
        http.Response.Headers.Vary = isPublic ? HeaderNames.AcceptEncoding : $"{HeaderNames.AcceptEncoding}, {HeaderNames.Authorization}";
        if (!AcceptsGzip(http.Request))
            return Results.Bytes(entries, "application/octet-stream");
        http.Response.Headers.ContentEncoding = "gzip";
        return Results.Bytes(Compress(entries), "application/octet-stream");
    }

    /// <summary>Whether a tree of 63-bit size can have it: the arithmetic of tiles ends there.</summary>
    private static bool IsPossible(Tile tile) =>
        tile.Level <= Tile.HighestLevel && tile.Index <= long.MaxValue >> (Tile.Height * (Math.Max(tile.Level, 0) + 1) - (tile.Level == Tile.HighestLevel ? 1 : 0));

    private static bool AcceptsGzip(HttpRequest request) =>
        StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptEncoding, out var accepted)
        && accepted.Any(encoding => encoding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && encoding.Quality is null or > 0);

    private static byte[] Compress(ReadOnlyMemory<byte> content)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            gzip.Write(content.Span);
        return compressed.ToArray();
    }

    private static IResult Malformed(string path) => Results.Problem(
        $"expected LEVEL/INDEX or entries/INDEX as C2SP tlog-tiles writes them, e.g. 0/x001/x234/067 or 1/000.p/17; found '{path}'",
        title: "not a tile", statusCode: StatusCodes.Status400BadRequest);

    private static IResult NotThere(string what) => Results.Problem(what, title: "not there", statusCode: StatusCodes.Status404NotFound);

    private static IResult TooMany() => Results.Problem(
        $"{AtOnce} reads are under way and {Waiting} wait", title: "too many at once", statusCode: StatusCodes.Status503ServiceUnavailable);
}

internal static class LogEndpointsExtensions
{
    public static void MapLog(this IEndpointRouteBuilder routes) =>
        routes.ServiceProvider.GetRequiredService<LogEndpoints>().Map(routes, routes.ServiceProvider.GetRequiredService<IOptions<AuditOptions>>().Value.PublicEntries);
}
