using System.Globalization;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Governor.Journal;

/// <summary>Connections to the journal's database, each with its role and its time limits set before the first statement.</summary>
public sealed class JournalDatabase : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The writer's statement is planned once, before statistics know how large its tables will be, and the sequencer's while they
    /// lag behind; a plan made for small tables would read large ones from end to end. Every row these touch is found by key.
    /// </summary>
    private const string ByKey = " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

    private readonly NpgsqlDataSource _pool;
    private readonly string _own;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _patience;

    public JournalDatabase(IOptions<JournalOptions> options, TimeProvider clock)
    {
        _clock = clock;
        _patience = options.Value.CommitTimeout;
        var settings = Settings(options.Value);
        _pool = NpgsqlDataSource.Create(settings);
        settings.Pooling = false;
        settings.Options += ByKey;
        _own = settings.ConnectionString;
    }

    /// <summary>Reads on a pooled connection; what may pass by itself is tried again within the bound of a commit.</summary>
    /// <exception cref="JournalUnavailableException">The database does not answer, or refuses.</exception>
    public async Task<T> ReadAsync<T>(string what, Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        var since = _clock.GetTimestamp();
        for (var pause = TimeSpan.FromMilliseconds(20); ; pause *= 2)
        {
            try
            {
                await using var connection = await _pool.OpenConnectionAsync(cancellation);
                return await read(connection, cancellation);
            }
            catch (NpgsqlException e)
            {
                if (!e.IsTransient || _clock.GetElapsedTime(since) + pause > _patience)
                    throw new JournalUnavailableException($"{what}: {Describe(e)}", e);
            }
            await Task.Delay(pause, _clock, cancellation);
        }
    }

    /// <summary>What went wrong, without connection strings and values.</summary>
    internal static string Describe(Exception e) => e is PostgresException p ? $"PostgreSQL says {p.SqlState}: {p.MessageText}" : $"the database does not answer: {e.Message}";

    /// <summary>A connection that means something by its life: the sequencer's holds the lock, the writer's its epoch, an export's its place.</summary>
    internal async Task<NpgsqlConnection> OpenOwnAsync(CancellationToken cancellation)
    {
        var connection = new NpgsqlConnection(_own);
        try
        {
            await connection.OpenAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private static NpgsqlConnectionStringBuilder Settings(JournalOptions options)
    {
        var statement = (long)options.StatementTimeout.TotalMilliseconds;
        var session = string.Create(CultureInfo.InvariantCulture, $"-c statement_timeout={statement} -c lock_timeout={statement} -c idle_in_transaction_session_timeout={statement} -c timezone=UTC");
        if (options.Role.Length > 0)
            session += $" -c role={options.Role}";
        var settings = new NpgsqlConnectionStringBuilder(options.ConnectionString);
        settings.Options = settings.Options is { Length: > 0 } own ? $"{own} {session}" : session;
        settings.ApplicationName ??= "governor";
        settings.Timeout = 5;
        // The server's limit comes first; ours is for a server that does not answer at all.
        settings.CommandTimeout = (int)Math.Ceiling((options.StatementTimeout + Grace).TotalSeconds);
        settings.CancellationTimeout = 2000;
        settings.TcpKeepAlive = true;
        settings.MaxPoolSize = options.MaxConnections;
        return settings;
    }
}
