-- State of the grains, their events, and the log over the events.

CREATE TABLE governor.grain_state (
    subject      text        COLLATE "C" NOT NULL,
    key          text        COLLATE "C" NOT NULL,
    version      bigint      NOT NULL CHECK (version > 0),
    state        bytea       NOT NULL,
    pending      boolean     NOT NULL,
    commit_id    uuid,       -- of the commit that made this version
    committed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject, key)
) WITH (fillfactor = 80);

-- Not on committed_at, which changes with every commit and would make every update touch the index.
CREATE INDEX grain_state_pending ON governor.grain_state (subject, key) WHERE pending;

CREATE TABLE governor.chain_head (
    chain    text   COLLATE "C" PRIMARY KEY,
    sequence bigint NOT NULL CHECK (sequence > 0),
    hash     bytea  NOT NULL CHECK (octet_length(hash) = 32)
) WITH (fillfactor = 80);

-- The commits without events: those with events are found by these. Pruned by age. See committed() in 0004.
CREATE TABLE governor.commit_id (
    id           uuid        PRIMARY KEY,
    version      bigint      NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT now()
);

-- One row per writer process. A batch holds its row shared and checks the epoch; a writer that lost its connection raises the epoch,
-- which waits for the lost batch to end and keeps it from starting. Only then does looking a commit up tell the truth.
CREATE TABLE governor.journal_writer (
    id      uuid        PRIMARY KEY,
    epoch   bigint      NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE SEQUENCE governor.log_batch;

CREATE TABLE governor.governance_event (
    batch       bigint      NOT NULL,
    ordinal     integer     NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    commit_id   uuid        NOT NULL,
    sequence    bigint      NOT NULL,
    at          timestamptz NOT NULL,
    api_group   text        COLLATE "C" NOT NULL,
    kind        text        COLLATE "C" NOT NULL,
    namespace   text        COLLATE "C" NOT NULL,
    name        text        COLLATE "C" NOT NULL,
    action      text        COLLATE "C" NOT NULL,
    actor       text        COLLATE "C" NOT NULL,
    cluster     text        COLLATE "C" NOT NULL,
    correlation text        COLLATE "C" NOT NULL,
    record      bytea       NOT NULL,
    payload     bytea,
    PRIMARY KEY (batch, ordinal, recorded_at)
) PARTITION BY RANGE (recorded_at);

-- The name first: it tells two subjects apart sooner than what most of them share.
CREATE INDEX governance_event_subject ON governor.governance_event (name, namespace, kind, batch);

-- Committed batches that are not in the log yet; written with the batch, taken by the sequencer.
CREATE TABLE governor.log_pending (
    batch       bigint      PRIMARY KEY,
    events      integer     NOT NULL CHECK (events > 0),
    recorded_at timestamptz NOT NULL DEFAULT now()
);

-- The order of the log: the events of a batch, by ordinal, are the leaves from "leaf" on. Written by the sequencer alone.
CREATE TABLE governor.log_segment (
    leaf   bigint  PRIMARY KEY,
    leaves integer NOT NULL CHECK (leaves > 0),
    batch  bigint  NOT NULL UNIQUE
);

CREATE TABLE governor.log_checkpoint (
    size      bigint      PRIMARY KEY,
    root      bytea       NOT NULL,
    frontier  bytea       NOT NULL,
    note      text        NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION governor.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.%: the audit trail is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = 'payloads are erased under approval, records never';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON governor.governance_event
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON governor.log_segment
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON governor.log_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change();

-- A statement trigger on the parent does not see statements on a partition, so that every partition gets its own.
CREATE FUNCTION governor.protect_partition(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON governor.%I FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change()',
        partition);
END $$;

-- Where events go when nobody made the month's partition: better there than nowhere.
CREATE TABLE governor.governance_event_default PARTITION OF governor.governance_event DEFAULT;
SELECT governor.protect_partition('governance_event_default');

-- Makes the partitions of this month and of the months ahead; answers how many it made. Runs as its owner, so that the silo's role
-- needs no right to create tables.
CREATE FUNCTION governor.ensure_event_partitions(ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made  integer := 0;
    month timestamptz := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    upper timestamptz;
    name  text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('governor.ensure_event_partitions', 0));
    FOR i IN 0..ahead LOOP
        upper := ((month AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
        name := 'governance_event_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
        IF to_regclass('governor.' || name) IS NULL
           AND NOT EXISTS (SELECT FROM governor.governance_event_default d WHERE d.recorded_at >= month AND d.recorded_at < upper) THEN
            EXECUTE format('CREATE TABLE governor.%I PARTITION OF governor.governance_event FOR VALUES FROM (%L) TO (%L)', name, month, upper);
            PERFORM governor.protect_partition(name);
            made := made + 1;
        END IF;
        month := upper;
    END LOOP;
    RETURN made;
END $$;

REVOKE ALL ON FUNCTION governor.ensure_event_partitions(integer), governor.protect_partition(text) FROM PUBLIC;

SELECT governor.ensure_event_partitions(2);
