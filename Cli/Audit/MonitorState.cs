using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary>What a monitor remembers: the right edge of the tree it has seen, and the log's keys.</summary>
/// <param name="Statements">The changes of keys since the monitor began.</param>
internal sealed record MonitorState(LogKeyring Keys, IReadOnlyList<KeyChangeSeen> Statements, MerkleFrontier Tree)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public LogKeyring Keys { get; private set; } = Keys;

    public IReadOnlyList<KeyChangeSeen> Statements { get; private set; } = Statements;

    /// <summary>A state that can be thrown away when what comes next turns out to be false.</summary>
    public MonitorState Copy() => new(Keys, Statements, new MerkleFrontier(Tree.Size, Tree.Encode()));

    /// <exception cref="TamperedLogException">The leaf is not what it says.</exception>
    public MonitoredEvent Append(AuditLeaf leaf)
    {
        if (!AuditRecord.TryDecode(leaf.Record, out var record, out var fault))
            throw new TamperedLogException($"leaf {leaf.Index}: the record cannot be read: {fault}");
        var governanceEvent = record.Event;
        if (leaf.Payload is { } bytes)
        {
            if (AuditPayload.CommitmentOf(bytes) != record.Payload || !AuditPayload.TryDecode(bytes, out var payload, out fault))
                throw new TamperedLogException($"leaf {leaf.Index}: values or rationale are not those that the record commits to");
            governanceEvent = record.With(payload);
        }
        if (AuditActions.IsKeyChange(record.Event.Action))
            Take(leaf.Index, governanceEvent.NewValue ?? "");
        Tree.Append(AuditRecord.HashOf(leaf.Record));
        return new MonitoredEvent(leaf.Index, governanceEvent);
    }

    public static MonitorState Read(string file, AuditTrust trust)
    {
        try
        {
            var stored = JsonSerializer.Deserialize<Stored>(File.ReadAllBytes(file), Json)
                ?? throw new UsageException($"--state: {file}: expected what 'governor audit watch' wrote, found nothing");
            var key = VerifierKey.TryParse(stored.Key, out var parsed) ? parsed : throw new UsageException($"--state: {file}: expected a verifier key, found '{stored.Key}'");
            var state = new MonitorState(LogKeyring.Of(key), [], new MerkleFrontier(stored.Size, Convert.FromBase64String(stored.Frontier)));
            foreach (var change in stored.KeyChanges)
                state.Take(change.Leaf, change.Note);
            if (!state.Keys.All.Any(known => known.PublicKey.AsSpan().SequenceEqual(trust.PublicKey.AsSpan())))
                throw new UsageException($"--state: {file} remembers a log with the key {key}, which is not the one of --key");
            return state;
        }
        catch (Exception e) when (e is IOException or JsonException or FormatException or ArgumentException or UnauthorizedAccessException)
        {
            throw new UsageException($"--state: {file}: {e.Message}", e);
        }
    }

    public void Write(string file)
    {
        var stored = new Stored(Keys.Genesis.ToString(), Statements, Tree.Size, Convert.ToBase64String(Tree.Encode()));
        var draft = $"{file}.{Guid.NewGuid():n}";
        using (var output = new FileStream(draft, FileMode.CreateNew, FileAccess.Write))
        {
            JsonSerializer.Serialize(output, stored, Json);
            output.Flush(flushToDisk: true);
        }
        File.Move(draft, file, overwrite: true);
    }

    private void Take(long leaf, string note)
    {
        if (!LogKeyStatement.TryVerify(note, out var statement, out var fault) || !Keys.TryApply(leaf, statement, out var next, out fault))
            throw new TamperedLogException($"leaf {leaf}: a change of the log's keys that does not stand: {fault}");
        Keys = next;
        Statements = [.. Statements, new KeyChangeSeen(leaf, note)];
    }

    private sealed record Stored(string Key, IReadOnlyList<KeyChangeSeen> KeyChanges, long Size, string Frontier);
}

internal sealed record KeyChangeSeen(long Leaf, string Note);
