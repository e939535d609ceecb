using System.Diagnostics;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Tour;
using Npgsql;

namespace Governor.Bench;

/// <summary>
/// The least that "durable, then visible on the tenant" can cost: one row committed to the same PostgreSQL, then one object applied to
/// the same tenants by the same client. No gates, no audit, no verification.
/// </summary>
internal sealed class BarePeer : IAsyncDisposable
{
    private readonly Landscape _landscape;
    private readonly NpgsqlDataSource _source;

    private BarePeer(Landscape landscape, NpgsqlDataSource source)
    {
        _landscape = landscape;
        _source = source;
    }

    public static async Task<BarePeer> StartAsync(Landscape landscape, CancellationToken cancellation)
    {
        var settings = new NpgsqlConnectionStringBuilder(landscape.DatabaseConnectionString) { MaxPoolSize = 32, MaxAutoPrepare = 2, AutoPrepareMinUsages = 1, NoResetOnClose = true };
        var peer = new BarePeer(landscape, NpgsqlDataSource.Create(settings));
        await using var command = peer._source.CreateCommand("CREATE TABLE bare (name text PRIMARY KEY, row bytea)");
        await command.ExecuteNonQueryAsync(cancellation);
        return peer;
    }

    /// <summary>Milliseconds from the beginning of each, one after the other.</summary>
    public async Task<Latencies> OneAtATimeAsync(IReadOnlyList<FleetPack> like, CancellationToken cancellation)
    {
        var taken = new List<double>();
        foreach (var pack in like)
        {
            var since = Stopwatch.GetTimestamp();
            await DoAsync("one", pack, cancellation);
            taken.Add(Stopwatch.GetElapsedTime(since).TotalMilliseconds);
        }
        return new Latencies(taken);
    }

    /// <summary>Milliseconds from the beginning of all to the end of each.</summary>
    public async Task<Latencies> AllAtOnceAsync(IReadOnlyList<FleetPack> like, CancellationToken cancellation)
    {
        var since = Stopwatch.GetTimestamp();
        return new Latencies(await Task.WhenAll(like.Select(async pack =>
        {
            await DoAsync("all", pack, cancellation);
            return Stopwatch.GetElapsedTime(since).TotalMilliseconds;
        })));
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private async Task DoAsync(string round, FleetPack pack, CancellationToken cancellation)
    {
        await using (var connection = await _source.OpenConnectionAsync(cancellation))
        await using (var command = new NpgsqlCommand("INSERT INTO bare VALUES ($1, $2)", connection))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"{round}-{pack.Name}" });
            command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = new byte[512] });
            await command.ExecuteNonQueryAsync(cancellation);
        }
        await _landscape.TenantClient(pack.Tenant).ApplyAsync(
            KubeObject.From(new JsonObject
            {
                ["apiVersion"] = "v1",
                ["kind"] = "Namespace",
                ["metadata"] = new JsonObject { ["name"] = $"bare-{round}-{pack.Name}" },
            }),
            "bench", default, cancellation);
    }
}

/// <summary>Some latencies, in milliseconds.</summary>
internal sealed class Latencies
{
    private readonly double[] _sorted;

    public Latencies(IEnumerable<double> milliseconds)
    {
        _sorted = [.. milliseconds.Order()];
        if (_sorted.Length == 0)
            throw new InvalidOperationException("nothing was measured");
    }

    public double P50 => At(0.50);

    public double P99 => At(0.99);

    public double Longest => _sorted[^1];

    private double At(double share) => _sorted[(int)Math.Ceiling(_sorted.Length * share) - 1];
}
