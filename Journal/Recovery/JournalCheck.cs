using System.Collections.Immutable;
using System.IO.Pipelines;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Journal.Log;
using Npgsql;

namespace Governor.Journal.Recovery;

/// <param name="Log">The log, verified from an export of this moment.</param>
/// <param name="Findings">Where the tables beside the log do not agree with the records; at most <see cref="JournalCheck.MostFindings"/>.</param>
public sealed record JournalCheckReport(AuditVerdict Log, ImmutableArray<string> Findings)
{
    public bool IsClean => Log.Outcome == AuditOutcome.Ok && Findings.IsEmpty;
}

/// <summary>
/// Derives everything in the live database again from the bytes of the records: the log with its chains and checkpoints, the heads
/// of the chains, and the states, of which every record holds version and hash. Memory by the number of grains and subjects.
/// </summary>
public sealed class JournalCheck(JournalDatabase database, IAuditReader reader)
{
    public const int MostFindings = 100;

    private const string AllRecords = "SELECT e.record FROM governor.governance_event e ORDER BY e.batch, e.ordinal";

    public async Task<JournalCheckReport> RunAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenOwnAsync(cancellation);
        // One moment for records, heads and states; the log is verified up to its newest checkpoint, which is one of another moment.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
        await using (var patience = new NpgsqlCommand("SET LOCAL statement_timeout = 0", connection))
            await patience.ExecuteNonQueryAsync(cancellation);
        var findings = new List<string>();
        var (chains, grains) = await ReplayAsync(connection, findings, cancellation);
        await CompareHeadsAsync(connection, chains, findings, cancellation);
        await CompareStatesAsync(connection, grains, findings, cancellation);
        await transaction.CommitAsync(cancellation);
        return new JournalCheckReport(await VerifyLogAsync(cancellation), [.. findings.Take(MostFindings)]);
    }

    private static async Task<(Dictionary<string, ChainHead> Chains, Dictionary<GrainKey, AuditTransition> Grains)> ReplayAsync(
        NpgsqlConnection connection, List<string> findings, CancellationToken cancellation)
    {
        var chains = new Dictionary<string, ChainHead>(StringComparer.Ordinal);
        var grains = new Dictionary<GrainKey, AuditTransition>();
        await using var command = new NpgsqlCommand(AllRecords, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
        {
            var bytes = rows.GetFieldValue<byte[]>(0);
            if (!AuditRecord.TryDecode(bytes, out var record, out var fault))
            {
                findings.Add($"a record cannot be read: {fault}");
                continue;
            }
            var chain = record.Event.Subject.Chain;
            var head = chains.GetValueOrDefault(chain);
            if (record.Sequence != head.Sequence + 1 || record.Previous != head.Hash)
                findings.Add($"{chain}: record {record.Sequence} does not follow record {head.Sequence}");
            chains[chain] = new ChainHead(record.Sequence, AuditRecord.HashOf(bytes));
            grains[new GrainKey(record.Transition.Subject, record.Transition.Key)] = record.Transition;
        }
        return (chains, grains);
    }

    private static async Task CompareHeadsAsync(
        NpgsqlConnection connection, Dictionary<string, ChainHead> chains, List<string> findings, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT chain, sequence, hash FROM governor.chain_head", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
        {
            var (chain, stored) = (rows.GetString(0), new ChainHead(rows.GetInt64(1), new TreeHash(rows.GetFieldValue<byte[]>(2))));
            if (!chains.Remove(chain, out var derived))
                findings.Add($"{chain}: a head without records");
            else if (derived != stored)
                findings.Add($"{chain}: the stored head is {stored.Sequence} {stored.Hash}, the records end at {derived.Sequence} {derived.Hash}");
        }
        findings.AddRange(chains.Keys.Select(chain => $"{chain}: records without a head"));
    }

    private static async Task CompareStatesAsync(
        NpgsqlConnection connection, Dictionary<GrainKey, AuditTransition> grains, List<string> findings, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT subject, key, version, sha256(state) FROM governor.grain_state", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
        {
            var (grain, version) = (new GrainKey(rows.GetString(0), rows.GetString(1)), rows.GetInt64(2));
            if (!grains.Remove(grain, out var last))
                continue; // All of its transitions were without events.
            if (version < last.Version)
                findings.Add($"{grain}: the state is at version {version}, its records at {last.Version}");
            else if (version == last.Version && new TreeHash(rows.GetFieldValue<byte[]>(3)) != last.State)
                findings.Add($"{grain}: the state at version {version} is not the one that its record commits to");
        }
        findings.AddRange(grains.Keys.Select(grain => $"{grain}: records without a state"));
    }

    private async Task<AuditVerdict> VerifyLogAsync(CancellationToken cancellation)
    {
        var pipe = new Pipe();
        var verifying = Task.Run(
            () =>
            {
                using var export = pipe.Reader.AsStream();
                return AuditVerifier.Verify(export, AuditTrust.In(reader.Key));
            },
            CancellationToken.None);
        try
        {
            await using var output = pipe.Writer.AsStream();
            await reader.ExportAsync(output, cancellation);
        }
        catch (InvalidOperationException)
        {
            // The export itself found a hole; the verdict on what it wrote says where.
        }
        return await verifying;
    }
}
