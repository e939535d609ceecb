using System.Globalization;
using Governor.Embedded.Runtime.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Reminders;

/// <summary>Keeps reminders in a PostgreSQL table.</summary>
internal sealed class PostgresReminderTable(
    IOptions<AdoNetReminderTableOptions> options, IOptions<ClusterOptions> cluster, PostgresSources sources) : IReminderTable
{
    private const string Table = """
        create table if not exists governor_embedded_reminders (
            service_id text not null,
            grain_id   text not null,
            name       text not null,
            start_at   timestamptz not null,
            period     interval not null,
            version    bigint not null,
            primary key (service_id, grain_id, name))
        """;

    private const string Columns = "select grain_id, name, start_at, period, version from governor_embedded_reminders where service_id = @service";

    private NpgsqlDataSource Source => sources.Open("Reminders", options.Value.Invariant, options.Value.ConnectionString);

    public Task StartAsync(CancellationToken cancellationToken = default) => PostgresSources.CreateAsync(Source, Table, cancellationToken);

    public Task<ReminderTableData> ReadRows(uint begin, uint end) => ReadAsync(Command(Columns));

    public Task<ReminderTableData> ReadRows(GrainId grainId) => ReadAsync(Command($"{Columns} and grain_id = @grain", ("grain", grainId.ToString())));

    public async Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName)
    {
        var found = await ReadAsync(Command($"{Columns} and grain_id = @grain and name = @name", ("grain", grainId.ToString()), ("name", reminderName)));
        return found.Reminders.FirstOrDefault();
    }

    public async Task<string?> UpsertRow(ReminderEntry entry)
    {
        await using var command = Command(
            """
            insert into governor_embedded_reminders as stored (service_id, grain_id, name, start_at, period, version)
            values (@service, @grain, @name, @start, @period, 1)
            on conflict (service_id, grain_id, name)
                do update set start_at = excluded.start_at, period = excluded.period, version = stored.version + 1
            returning version
            """,
            ("grain", entry.GrainId.ToString()),
            ("name", entry.ReminderName),
            ("start", DateTime.SpecifyKind(entry.StartAt, DateTimeKind.Utc)),
            ("period", entry.Period));
        return await command.ExecuteScalarAsync() is long version ? version.ToString(CultureInfo.InvariantCulture) : null;
    }

    public async Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag)
    {
        await using var command = Command(
            "delete from governor_embedded_reminders where service_id = @service and grain_id = @grain and name = @name and version::text = @version",
            ("grain", grainId.ToString()),
            ("name", reminderName),
            ("version", eTag));
        return await command.ExecuteNonQueryAsync() == 1;
    }

    public async Task TestOnlyClearTable()
    {
        await using var command = Command("delete from governor_embedded_reminders where service_id = @service");
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<ReminderTableData> ReadAsync(NpgsqlCommand command)
    {
        var entries = new List<ReminderEntry>();
        await using (command)
        {
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                entries.Add(new()
                {
                    GrainId = GrainId.Parse(reader.GetString(0)),
                    ReminderName = reader.GetString(1),
                    StartAt = reader.GetDateTime(2),
                    Period = reader.GetTimeSpan(3),
                    ETag = reader.GetInt64(4).ToString(CultureInfo.InvariantCulture),
                });
            }
        }

        return new(entries);
    }

    private NpgsqlCommand Command(string text, params (string Name, object Value)[] parameters)
    {
        var command = Source.CreateCommand(text);
        command.Parameters.AddWithValue("service", cluster.Value.ServiceId);
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        return command;
    }
}
