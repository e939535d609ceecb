-- The months whose records are in files and not here any more. Their leaves, tiles and checkpoints stay.

CREATE TABLE governor.log_archive (
    month       text        PRIMARY KEY CHECK (month ~ '^[0-9]{4}-[0-9]{2}$'),
    file        text        NOT NULL,
    sha256      text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    first_leaf  bigint      NOT NULL CHECK (first_leaf >= 0),
    last_leaf   bigint      NOT NULL CHECK (last_leaf >= first_leaf),
    leaves      bigint      NOT NULL CHECK (leaves > 0),
    archived_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON governor.log_archive
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change();

GRANT SELECT ON governor.log_archive TO governor_silo;
