using System.Globalization;
using Governor.Embedded.Runtime.Hosting;
using Npgsql;
using NpgsqlTypes;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Embedded.Runtime.Storage;

/// <summary>Keeps states in a PostgreSQL table; the row's version is the etag.</summary>
internal sealed class PostgresGrainStorage(string name, string serviceId, AdoNetGrainStorageOptions options, PostgresSources sources)
    : IGrainStorage, ISiloParticipant
{
    private const string Table = """
        create table if not exists governor_embedded_storage (
            service_id text not null,
            storage    text not null,
            grain_id   text not null,
            state_name text not null,
            version    bigint not null,
            payload    jsonb,
            written_at timestamptz not null default now(),
            primary key (service_id, storage, grain_id, state_name))
        """;

    private const string Key = "service_id = @service and storage = @storage and grain_id = @grain and state_name = @state";

    private NpgsqlDataSource Source => sources.Open($"Grain storage '{name}'", options.Invariant, options.ConnectionString);

    public Task StartAsync(CancellationToken cancellationToken) => PostgresSources.CreateAsync(Source, Table, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await using var command = Command($"select version, payload::text from governor_embedded_storage where {Key}", stateName, grainId);
        await using var reader = await command.ExecuteReaderAsync();
        var found = await reader.ReadAsync();
        grainState.ETag = found ? Etag(reader.GetInt64(0)) : null;
        grainState.RecordExists = found && !await reader.IsDBNullAsync(1);
        grainState.State = grainState.RecordExists ? StateJson.Read<T>(reader.GetString(1)) : default;
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.ETag = await StoreAsync(stateName, grainId, grainState.ETag, StateJson.Write(grainState.State));
        grainState.RecordExists = true;
    }

    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (grainState.ETag is not null)
            grainState.ETag = options.DeleteStateOnClear ? await DeleteAsync(stateName, grainId, grainState.ETag) : await StoreAsync(stateName, grainId, grainState.ETag, null);
        grainState.RecordExists = false;
        grainState.State = default;
    }

    private async Task<string> StoreAsync(string stateName, GrainId grainId, string? etag, string? payload)
    {
        await using var command = Command(
            etag is null
                ? """
                  insert into governor_embedded_storage (service_id, storage, grain_id, state_name, version, payload)
                  values (@service, @storage, @grain, @state, 1, @payload) on conflict do nothing returning version
                  """
                : $"update governor_embedded_storage set version = version + 1, payload = @payload, written_at = now() where {Key} and version = @version returning version",
            stateName,
            grainId);
        command.Parameters.Add(new("payload", NpgsqlDbType.Jsonb) { Value = (object?)payload ?? DBNull.Value });
        if (etag is not null)
            command.Parameters.AddWithValue("version", Version(etag));
        return await command.ExecuteScalarAsync() is long version ? Etag(version) : throw await ConflictAsync(stateName, grainId, etag);
    }

    private async Task<string?> DeleteAsync(string stateName, GrainId grainId, string etag)
    {
        await using var command = Command($"delete from governor_embedded_storage where {Key} and version = @version", stateName, grainId);
        command.Parameters.AddWithValue("version", Version(etag));
        return await command.ExecuteNonQueryAsync() == 1 ? null : throw await ConflictAsync(stateName, grainId, etag);
    }

    private async Task<InconsistentStateException> ConflictAsync(string stateName, GrainId grainId, string? etag)
    {
        var stored = new GrainState<object>();
        await ReadStateAsync(stateName, grainId, stored);
        return new($"State '{stateName}' of {grainId} in the storage '{name}' was changed.", stored.ETag, etag);
    }

    private NpgsqlCommand Command(string text, string stateName, GrainId grainId)
    {
        var command = Source.CreateCommand(text);
        command.Parameters.AddWithValue("service", serviceId);
        command.Parameters.AddWithValue("storage", name);
        command.Parameters.AddWithValue("grain", grainId.ToString());
        command.Parameters.AddWithValue("state", stateName);
        return command;
    }

    private static string Etag(long version) => version.ToString(CultureInfo.InvariantCulture);

    private static long Version(string etag) => long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
        ? version
        : throw new FormatException($"Expected an etag of the PostgreSQL storage (a number), found '{etag}'.");
}
