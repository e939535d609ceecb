-- Commits a batch whose writer expects every commit to stand: compare-and-set of every state and every chain head, and the events.
-- Whatever is not as expected undoes all of it (SQLSTATE GV001, or a unique violation for a row that somebody else made); the
-- writer then sends the batch again with the statement that judges every commit alone. Rows are locked in the order of the arrays,
-- states before heads, as that statement does it.
CREATE FUNCTION governor.commit_batch(
    writer uuid, writer_epoch bigint,
    subjects text[], keys text[], versions bigint[], states bytea[], pendings boolean[], ids uuid[], created integer,
    chains text[], sequences bigint[], hashes bytea[], next_sequences bigint[], next_hashes bytea[], begun integer,
    event_ids uuid[], event_sequences bigint[], event_ats timestamptz[], event_groups text[], event_kinds text[], event_namespaces text[],
    event_names text[], event_actions text[], event_actors text[], event_clusters text[], event_correlations text[],
    event_records bytea[], event_payloads bytea[]) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    log_batch bigint;
    touched   integer;
BEGIN
    PERFORM FROM governor.journal_writer w WHERE w.id = writer AND w.epoch = writer_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'writer % is not at epoch % any more', writer, writer_epoch USING ERRCODE = 'GV001';
    END IF;

    IF created < cardinality(keys) THEN
        UPDATE governor.grain_state s SET version = i.version + 1, state = i.state, pending = i.pending, committed_at = now()
        FROM unnest(subjects, keys, versions, states, pendings) AS i (subject, key, version, state, pending)
        WHERE s.subject = i.subject AND s.key = i.key AND s.version = i.version AND i.version > 0;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched <> cardinality(keys) - created THEN
            RAISE EXCEPTION '% of % states are at the expected version', touched, cardinality(keys) - created USING ERRCODE = 'GV001';
        END IF;
    END IF;
    IF created > 0 THEN
        INSERT INTO governor.grain_state (subject, key, version, state, pending)
        SELECT i.subject, i.key, 1, i.state, i.pending
        FROM unnest(subjects, keys, versions, states, pendings) AS i (subject, key, version, state, pending)
        WHERE i.version = 0;
    END IF;
    INSERT INTO governor.commit_id (id, version) SELECT i.id, i.version + 1 FROM unnest(ids, versions) AS i (id, version);

    IF begun < cardinality(chains) THEN
        UPDATE governor.chain_head h SET sequence = i.next_sequence, hash = i.next_hash
        FROM unnest(chains, sequences, hashes, next_sequences, next_hashes) AS i (chain, sequence, hash, next_sequence, next_hash)
        WHERE h.chain = i.chain AND h.sequence = i.sequence AND h.hash = i.hash AND i.sequence > 0;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched <> cardinality(chains) - begun THEN
            RAISE EXCEPTION '% of % chains are at the expected head', touched, cardinality(chains) - begun USING ERRCODE = 'GV001';
        END IF;
    END IF;
    IF begun > 0 THEN
        INSERT INTO governor.chain_head (chain, sequence, hash)
        SELECT i.chain, i.next_sequence, i.next_hash
        FROM unnest(chains, sequences, next_sequences, next_hashes) AS i (chain, sequence, next_sequence, next_hash)
        WHERE i.sequence = 0;
    END IF;

    IF cardinality(event_ids) > 0 THEN
        log_batch := nextval('governor.log_batch');
        INSERT INTO governor.governance_event
            (batch, ordinal, commit_id, sequence, at, api_group, kind, namespace, name, action, actor, cluster, correlation, record, payload)
        SELECT log_batch, e.o - 1, e.commit_id, e.sequence, e.at, e.api_group, e.kind, e.namespace, e.name, e.action, e.actor, e.cluster,
               e.correlation, e.record, e.payload
        FROM unnest(event_ids, event_sequences, event_ats, event_groups, event_kinds, event_namespaces, event_names, event_actions,
                    event_actors, event_clusters, event_correlations, event_records, event_payloads)
             WITH ORDINALITY AS e (commit_id, sequence, at, api_group, kind, namespace, name, action, actor, cluster, correlation,
                                   record, payload, o);
        INSERT INTO governor.log_pending (batch, events) VALUES (log_batch, cardinality(event_ids));
    END IF;
END $$;

REVOKE ALL ON FUNCTION governor.commit_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION governor.commit_batch TO governor_silo;
