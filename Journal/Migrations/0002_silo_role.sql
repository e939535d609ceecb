-- What a silo may do: everything its work needs, and nothing that rewrites history. Grant it to the login that the silo uses.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'governor_silo') THEN
        CREATE ROLE governor_silo NOLOGIN;
    END IF;
EXCEPTION
    -- Roles belong to the whole server: another database of it may have been first.
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'the role governor_silo does not exist and % may not create it', current_user
            USING HINT = 'as an administrator: CREATE ROLE governor_silo NOLOGIN; GRANT governor_silo TO <the silo''s login>';
END $$;

GRANT USAGE ON SCHEMA governor TO governor_silo;
GRANT SELECT, INSERT, UPDATE ON governor.grain_state, governor.chain_head TO governor_silo;
GRANT SELECT, INSERT, DELETE ON governor.commit_id, governor.log_pending TO governor_silo;
GRANT SELECT, INSERT, UPDATE, DELETE ON governor.journal_writer TO governor_silo;
GRANT SELECT, INSERT ON governor.governance_event, governor.log_segment, governor.log_checkpoint TO governor_silo;
GRANT USAGE ON SEQUENCE governor.log_batch TO governor_silo;
GRANT SELECT ON governor.schema_migrations TO governor_silo;
GRANT EXECUTE ON FUNCTION governor.ensure_event_partitions(integer) TO governor_silo;
