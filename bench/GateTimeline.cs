using Governor.Domain.Kinds;
using Governor.Tour;
using Npgsql;

namespace Governor.Bench;

/// <summary>
/// When what happened, all by the clock of this one machine. A commit's time is <c>recorded_at</c> of its events: PostgreSQL's
/// <c>now()</c>, the moment at which the transaction began, so that every latency includes the commit itself. A write's time is when
/// the tenant had stored the object.
/// </summary>
/// <param name="Input">The commit by which the last gate's input became known: of the RBACProfile or of the ClusterPack.</param>
/// <param name="Cleared">The commit in which the delivery found all gates open.</param>
/// <param name="Verified">The commit of the verified pack, after which writing is allowed.</param>
/// <param name="FirstWrite">The first object on the tenant.</param>
internal sealed record GateTimeline(DateTime Input, DateTime Cleared, DateTime Verified, DateTime FirstWrite)
{
    public double Latency => (FirstWrite - Input).TotalMilliseconds;

    /// <param name="kind">The kind of the object whose actor made the gate open.</param>
    /// <param name="action">What that actor said.</param>
    public static async Task<IReadOnlyList<GateTimeline>> ReadAsync(
        Landscape landscape, IReadOnlyList<FleetPack> packs, GroupVersionKind kind, string action, CancellationToken cancellation)
    {
        await using var source = NpgsqlDataSource.Create(landscape.DatabaseConnectionString);
        var inputs = await CommitsAsync(source, kind, action, cancellation);
        var cleared = await CommitsAsync(source, KnownKinds.PackExecution, "packexecution.gates-cleared", cancellation);
        var verified = await CommitsAsync(source, KnownKinds.PackExecution, "packexecution.step-done", cancellation);
        var writes = landscape.Tenants.ToDictionary(
            tenant => tenant.Key,
            tenant => tenant.Value.Writes.Where(w => w.Gvk == KnownKinds.Namespace).ToLookup(w => w.Key.Name, w => w.At.UtcDateTime));
        return
        [
            .. packs.Select(pack => new GateTimeline(
                inputs[(pack.Namespace, pack.Name)], cleared[(pack.Namespace, pack.Execution.Name)], verified[(pack.Namespace, pack.Execution.Name)],
                writes[pack.Tenant][pack.Name].First())),
        ];
    }

    /// <summary>The one commit of a singular actor, the newest.</summary>
    public static async Task<DateTime> CommitAsync(Landscape landscape, string action, CancellationToken cancellation)
    {
        await using var source = NpgsqlDataSource.Create(landscape.DatabaseConnectionString);
        await using var command = source.CreateCommand("SELECT max(recorded_at) FROM governor.governance_event WHERE action = $1");
        command.Parameters.AddWithValue(action);
        return (DateTime)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>The first commit of this action per object.</summary>
    private static async Task<Dictionary<(string Namespace, string Name), DateTime>> CommitsAsync(
        NpgsqlDataSource source, GroupVersionKind kind, string action, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand(
            "SELECT namespace, name, min(recorded_at) FROM governor.governance_event WHERE kind = $1 AND action = $2 GROUP BY namespace, name");
        command.Parameters.AddWithValue(kind.Kind);
        command.Parameters.AddWithValue(action);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var commits = new Dictionary<(string, string), DateTime>();
        while (await reader.ReadAsync(cancellation))
            commits[(reader.GetString(0), reader.GetString(1))] = reader.GetDateTime(2);
        return commits;
    }
}
