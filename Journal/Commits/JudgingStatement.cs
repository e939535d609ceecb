using Npgsql;
using NpgsqlTypes;

namespace Governor.Journal.Commits;

/// <summary>
/// The statement for a batch that did not stand as a whole. It locks the rows that exist, judges every commit by what is stored, and
/// writes those that stand. A row that another silo makes between the look and the write is a unique violation: the whole batch is
/// undone and tried again, now seeing it.
/// </summary>
internal static class JudgingStatement
{
    public const int StateRow = 0;
    public const int HeadRow = 1;

    /// <summary>Answers a row per commit and head that did not stand: kind, index, stored version or sequence, committed version, stored hash.</summary>
    public const string Text = """
        WITH writer AS MATERIALIZED (
            SELECT FROM governor.journal_writer WHERE id = $1 AND epoch = $2 FOR SHARE
        ), c AS MATERIALIZED (
            SELECT i.n, i.subject, i.key, i.expected, i.state, i.pending, i.id, i.name IS NULL AS unrecorded, g.version AS stored,
                   CASE WHEN g.version > i.expected
                             AND governor.committed(i.id, i.subject, i.key, i.expected, i.kind, i.namespace, i.name, $32)
                        THEN i.expected + 1 END AS done
            FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::boolean[], $8::uuid[], $29::text[], $30::text[], $31::text[])
                 WITH ORDINALITY AS i (subject, key, expected, state, pending, id, kind, namespace, name, n)
            LEFT JOIN LATERAL (
                SELECT s.version FROM governor.grain_state s WHERE s.subject = i.subject AND s.key = i.key FOR UPDATE) g ON true
        ), h AS MATERIALIZED (
            SELECT i.m, i.n, i.chain, i.expected, i.expected_hash, i.next, i.hash, t.sequence AS stored, t.hash AS stored_hash
            FROM unnest($9::bigint[], $10::text[], $11::bigint[], $12::bytea[], $13::bigint[], $14::bytea[])
                 WITH ORDINALITY AS i (n, chain, expected, expected_hash, next, hash, m)
            LEFT JOIN LATERAL (
                SELECT r.sequence, r.hash FROM governor.chain_head r WHERE r.chain = i.chain FOR UPDATE) t ON true
        ), h_failed AS MATERIALIZED (
            SELECT m, n, stored, stored_hash FROM h WHERE coalesce(stored, 0) <> expected OR (expected > 0 AND stored_hash <> expected_hash)
        ), failed AS MATERIALIZED (
            SELECT n FROM c WHERE done IS NOT NULL OR coalesce(stored, 0) <> expected OR NOT EXISTS (SELECT FROM writer)
            UNION ALL
            SELECT n FROM h_failed
        ), state_updated AS (
            UPDATE governor.grain_state s SET version = c.expected + 1, state = c.state, pending = c.pending, commit_id = c.id, committed_at = now()
            FROM c WHERE s.subject = c.subject AND s.key = c.key AND c.expected > 0 AND c.n NOT IN (SELECT n FROM failed)
        ), state_inserted AS (
            INSERT INTO governor.grain_state (subject, key, version, state, pending, commit_id)
            SELECT subject, key, 1, state, pending, id FROM c WHERE expected = 0 AND n NOT IN (SELECT n FROM failed)
        ), ids AS (
            INSERT INTO governor.commit_id (id, version) SELECT id, expected + 1 FROM c WHERE unrecorded AND n NOT IN (SELECT n FROM failed)
        ), head_updated AS (
            UPDATE governor.chain_head r SET sequence = h.next, hash = h.hash
            FROM h WHERE r.chain = h.chain AND h.expected > 0 AND h.n NOT IN (SELECT n FROM failed)
        ), head_inserted AS (
            INSERT INTO governor.chain_head (chain, sequence, hash)
            SELECT chain, next, hash FROM h WHERE expected = 0 AND n NOT IN (SELECT n FROM failed)
        ), b AS MATERIALIZED (
            SELECT nextval('governor.log_batch') AS batch
        ), events AS (
            INSERT INTO governor.governance_event
                (batch, ordinal, commit_id, sequence, at, api_group, kind, namespace, name, action, actor, cluster, correlation, record, payload)
            SELECT b.batch, row_number() OVER (ORDER BY e.o) - 1, e.commit_id, e.sequence, e.at, e.api_group, e.kind, e.namespace, e.name,
                   e.action, e.actor, e.cluster, e.correlation, e.record, e.payload
            FROM unnest($15::bigint[], $16::uuid[], $17::bigint[], $18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::text[],
                        $23::text[], $24::text[], $25::text[], $26::text[], $27::bytea[], $28::bytea[])
                 WITH ORDINALITY AS e (n, commit_id, sequence, at, api_group, kind, namespace, name, action, actor, cluster, correlation,
                                       record, payload, o)
            CROSS JOIN b
            WHERE e.n NOT IN (SELECT n FROM failed)
            RETURNING 1
        ), queued AS (
            INSERT INTO governor.log_pending (batch, events)
            SELECT b.batch, e.count FROM b CROSS JOIN (SELECT count(*) FROM events) e WHERE e.count > 0
        )
        SELECT 0, (n - 1)::int, coalesce(stored, 0), done, NULL::bytea FROM c WHERE done IS NOT NULL OR coalesce(stored, 0) <> expected
        UNION ALL
        SELECT 1, (m - 1)::int, coalesce(stored, 0), NULL, stored_hash FROM h_failed
        UNION ALL
        SELECT 2, 0, 0, NULL, NULL WHERE NOT EXISTS (SELECT FROM writer)
        """;

    private static readonly NpgsqlDbType[] Types =
    [
        NpgsqlDbType.Uuid, NpgsqlDbType.Bigint,
        .. Arrays(NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Bigint, NpgsqlDbType.Bytea, NpgsqlDbType.Boolean, NpgsqlDbType.Uuid),
        .. Arrays(NpgsqlDbType.Bigint, NpgsqlDbType.Text, NpgsqlDbType.Bigint, NpgsqlDbType.Bytea, NpgsqlDbType.Bigint, NpgsqlDbType.Bytea),
        .. Arrays(NpgsqlDbType.Bigint, NpgsqlDbType.Uuid, NpgsqlDbType.Bigint, NpgsqlDbType.TimestampTz),
        .. Arrays(NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Text),
        .. Arrays(NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Bytea, NpgsqlDbType.Bytea),
        .. Arrays(NpgsqlDbType.Text, NpgsqlDbType.Text, NpgsqlDbType.Text), NpgsqlDbType.Interval,
    ];

    public static void Declare(NpgsqlParameterCollection parameters)
    {
        foreach (var type in Types)
            parameters.Add(new NpgsqlParameter { NpgsqlDbType = type });
    }

    public static void Bind(NpgsqlParameterCollection parameters, CommitBatch batch, Guid writer, long epoch, TimeSpan retention)
    {
        var (commits, heads, events) = (batch.Commits, batch.Heads, batch.Events);
        var next = 0;
        void Set(object value) => parameters[next++].Value = value;
        T[] Commits<T>(Func<PendingCommit, T> of) => [.. commits.Select(of)];
        T[] Heads<T>(Func<HeadMove, T> of) => [.. heads.Select(of)];
        T[] Events<T>(Func<EncodedEvent, T> of) => [.. events.Select(e => of(e.Event))];

        Set(writer);
        Set(epoch);
        Set(Commits(c => c.Commit.Grain.Subject));
        Set(Commits(c => c.Commit.Grain.Key));
        Set(Commits(c => c.Commit.ExpectedVersion));
        Set(Commits(c => c.Commit.State));
        Set(Commits(c => c.Commit.Pending));
        Set(Commits(c => c.Commit.Id));

        // Indexes are counted from 1, as WITH ORDINALITY does.
        Set(Heads(h => h.Commit + 1L));
        Set(Heads(h => h.Chain));
        Set(Heads(h => h.Before.Sequence));
        Set(Heads(h => h.Before.Hash.ToArray()));
        Set(Heads(h => h.After.Sequence));
        Set(Heads(h => h.After.Hash.ToArray()));

        Set(events.Select(e => e.Commit + 1L).ToArray());
        Set(events.Select(e => commits[e.Commit].Commit.Id).ToArray());
        Set(events.Select(e => e.Sequence).ToArray());
        Set(Events(e => e.Event.At.UtcDateTime));
        Set(Events(e => e.Event.Subject.Group));
        Set(Events(e => e.Event.Subject.Kind));
        Set(Events(e => e.Event.Subject.Namespace));
        Set(Events(e => e.Event.Subject.Name));
        Set(Events(e => e.Event.Action));
        Set(Events(e => e.Event.Actor));
        Set(Events(e => e.Event.Cluster));
        Set(Events(e => e.Event.Correlation));
        Set(Events(e => e.Record));
        Set(Events(e => e.Payload.Bytes));

        // Where to look for a commit that was committed before: at its first event.
        Set(Commits(c => c.Witness?.Kind));
        Set(Commits(c => c.Witness?.Namespace));
        Set(Commits(c => c.Witness?.Name));
        Set(retention);
    }

    private static IEnumerable<NpgsqlDbType> Arrays(params NpgsqlDbType[] elements) => elements.Select(e => NpgsqlDbType.Array | e);
}
