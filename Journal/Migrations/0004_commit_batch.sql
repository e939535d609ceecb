-- Commits a batch whose writer expects every commit to stand: compare-and-set of every state and every chain head, and the events.
-- Whatever is not as expected undoes all of it (SQLSTATE GV001, or a unique violation for a row that somebody else made); the
-- writer then sends the batch again with the statement that judges every commit alone. Rows are locked in the order of the arrays,
-- states before heads, as that statement does it.
CREATE FUNCTION governor.commit_batch(
    writer uuid, writer_epoch bigint,
    subjects text[], keys text[], versions bigint[], states bytea[], pendings boolean[], ids uuid[], created integer,
    chains text[], sequences bigint[], hashes bytea[], next_sequences bigint[], next_hashes bytea[], begun integer,
    unrecorded_ids uuid[], unrecorded_versions bigint[],
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
        UPDATE governor.grain_state s SET version = i.version + 1, state = i.state, pending = i.pending, commit_id = i.id, committed_at = now()
        FROM unnest(subjects, keys, versions, states, pendings, ids) AS i (subject, key, version, state, pending, id)
        WHERE s.subject = i.subject AND s.key = i.key AND s.version = i.version AND i.version > 0;
        GET DIAGNOSTICS touched = ROW_COUNT;
        IF touched <> cardinality(keys) - created THEN
            RAISE EXCEPTION '% of % states are at the expected version', touched, cardinality(keys) - created USING ERRCODE = 'GV001';
        END IF;
    END IF;
    IF created > 0 THEN
        INSERT INTO governor.grain_state (subject, key, version, state, pending, commit_id)
        SELECT i.subject, i.key, 1, i.state, i.pending, i.id
        FROM unnest(subjects, keys, versions, states, pendings, ids) AS i (subject, key, version, state, pending, id)
        WHERE i.version = 0;
    END IF;
    IF cardinality(unrecorded_ids) > 0 THEN
        INSERT INTO governor.commit_id (id, version) SELECT i.id, i.version FROM unnest(unrecorded_ids, unrecorded_versions) AS i (id, version);
    END IF;

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

-- Whether a commit that expected a version is committed: its grain got past that version, and the commit that did it is this one.
-- The state names the last commit; any earlier one is named by its events (of which one subject is given), or in commit_id when it
-- had none. Volatile, so that it sees what was committed while its caller waited for the grain's row.
CREATE FUNCTION governor.committed(
    id uuid, grain_subject text, grain_key text, expected bigint,
    event_kind text, event_namespace text, event_name text, retention interval) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    stored governor.grain_state;
BEGIN
    SELECT * INTO stored FROM governor.grain_state s WHERE s.subject = grain_subject AND s.key = grain_key;
    IF NOT FOUND OR stored.version <= expected THEN
        RETURN false;
    END IF;
    IF stored.commit_id = id THEN
        RETURN true;
    END IF;
    IF event_name IS NULL THEN
        RETURN EXISTS (SELECT FROM governor.commit_id c WHERE c.id = committed.id);
    END IF;
    RETURN EXISTS (
        SELECT FROM governor.governance_event e
        WHERE e.name = event_name AND e.namespace = event_namespace AND e.kind = event_kind
          AND e.recorded_at > now() - retention AND e.commit_id = committed.id);
END $$;

REVOKE ALL ON FUNCTION governor.commit_batch, governor.committed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION governor.commit_batch, governor.committed TO governor_silo;
