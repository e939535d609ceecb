-- The tree over the log as tiles, so that proofs are read and not computed; its keys; what witnesses said; what keeps it from being signed.

-- The edge below holds what the frontier held, and more.
ALTER TABLE governor.log_checkpoint DROP COLUMN frontier;

-- Full tiles (C2SP tlog-tiles) of the newest signed tree. Derived from the leaves, and never different afterwards.
CREATE TABLE governor.log_tile (
    level  smallint NOT NULL CHECK (level BETWEEN 0 AND 7),
    tile   bigint   NOT NULL CHECK (tile >= 0),
    hashes bytea    NOT NULL CHECK (octet_length(hashes) = 8192),
    PRIMARY KEY (level, tile)
);
-- Hashes do not compress.
ALTER TABLE governor.log_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- The partial tiles of the newest signed tree: one for each level that has one, replaced with every checkpoint.
CREATE TABLE governor.log_edge (
    level  smallint PRIMARY KEY CHECK (level BETWEEN 0 AND 7),
    tile   bigint   NOT NULL CHECK (tile >= 0),
    hashes bytea    NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8160 AND octet_length(hashes) % 32 = 0)
) WITH (fillfactor = 50);
ALTER TABLE governor.log_edge ALTER COLUMN hashes SET STORAGE EXTERNAL;

-- The key that the log began with, in the form of a C2SP verifier key. What became of it is told by the log's own events.
CREATE TABLE governor.log_genesis (
    the_one    boolean     PRIMARY KEY DEFAULT true CHECK (the_one),
    key        text        NOT NULL,
    stored_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE governor.log_cosignature (
    size      bigint      NOT NULL,
    key_name  text        COLLATE "C" NOT NULL,
    key_id    bigint      NOT NULL,
    line      text        NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (size, key_name, key_id)
);

-- While a row is here, nothing gets its place in the log and nothing is signed. A silo may put one here, and cannot take one away.
CREATE TABLE governor.log_hold (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason text        NOT NULL CHECK (reason <> ''),
    since  timestamptz NOT NULL DEFAULT now(),
    by     text        NOT NULL DEFAULT session_user
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON governor.log_tile
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON governor.log_genesis
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change();

-- The changes of the log's keys, without reading the log: whoever takes the lead needs all of them.
CREATE INDEX governance_event_log_keys ON governor.governance_event (batch, ordinal)
    WHERE action IN ('audit.key-added', 'audit.key-rotated', 'audit.key-revoked');

GRANT SELECT, INSERT ON governor.log_tile, governor.log_genesis, governor.log_hold TO governor_silo;
GRANT SELECT, INSERT, UPDATE, DELETE ON governor.log_edge TO governor_silo;
GRANT SELECT, INSERT, UPDATE ON governor.log_cosignature TO governor_silo;
