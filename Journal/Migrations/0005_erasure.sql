-- Payloads are erased under approval, through one function. Every other change of an event stays refused, also to the owner.

-- An erasure is approved by an event about the record that stands in the log itself, where it can be seen for good.
CREATE FUNCTION governor.erasure_is_approved(target bigint, approval uuid) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM governor.governance_event e
        JOIN governor.log_segment s ON s.batch = e.batch
        WHERE e.kind = 'AuditRecord' AND e.namespace = '' AND e.name = target::text AND e.api_group = 'audit.governor.ontai.dev'
          AND e.action = 'audit.erasure-approved' AND e.commit_id = approval)
$$;

-- What may be erased at all: see AuditActions.MayBeErased.
CREATE FUNCTION governor.payload_may_be_erased(action text) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT NOT starts_with(action, 'audit.') AND NOT starts_with(action, 'approval.')
$$;

-- Statements that update events are refused before they look at a row, but for the one of the function below.
CREATE FUNCTION governor.refuse_update() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('governor.erasure', true), '') = '' THEN
        RAISE EXCEPTION '% on %.%: the audit trail is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', HINT = 'payloads are erased under approval, records never';
    END IF;
    RETURN NULL;
END $$;

-- Whoever gets here by another way than the function still needs an approval that stands in the log, and can still only erase.
CREATE FUNCTION governor.refuse_all_but_erasure() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    erased record := OLD;
    leaf   bigint;
BEGIN
    erased.payload := NULL;
    SELECT s.leaf + OLD.ordinal INTO leaf FROM governor.log_segment s WHERE s.batch = OLD.batch;
    IF NEW *<> erased
       OR NOT governor.payload_may_be_erased(OLD.action)
       OR NOT governor.erasure_is_approved(leaf, nullif(current_setting('governor.erasure', true), '')::uuid) THEN
        RAISE EXCEPTION '% on %.%: the audit trail is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege', HINT = 'payloads are erased under approval, records never';
    END IF;
    RETURN NEW;
END $$;

-- A partition named directly still has its own statement trigger, which refuses everything. The row trigger comes to every partition
-- by itself, also to those that are made later.
DROP TRIGGER append_only ON governor.governance_event;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON governor.governance_event
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_change();
CREATE TRIGGER erase_only BEFORE UPDATE ON governor.governance_event
    FOR EACH STATEMENT EXECUTE FUNCTION governor.refuse_update();
CREATE TRIGGER erase_only_row BEFORE UPDATE ON governor.governance_event
    FOR EACH ROW EXECUTE FUNCTION governor.refuse_all_but_erasure();

-- Erases the payload of a leaf; false when it was gone already. Runs as its owner: the silo's role may not update events.
CREATE FUNCTION governor.erase_payload(target bigint, approval uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_at record;
BEGIN
    SELECT e.batch, e.ordinal, e.recorded_at, e.action, e.payload IS NULL AS erased INTO found_at
    FROM (SELECT leaf, leaves, batch FROM governor.log_segment WHERE leaf <= target ORDER BY leaf DESC LIMIT 1) s
    JOIN governor.governance_event e ON e.batch = s.batch AND e.ordinal = target - s.leaf
    WHERE target < s.leaf + s.leaves;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'leaf %: expected a record, found none', target USING ERRCODE = 'UE001';
    END IF;
    IF NOT governor.payload_may_be_erased(found_at.action) THEN
        RAISE EXCEPTION 'leaf %: expected a record that may lose its payload, found one of ''%''', target, found_at.action USING ERRCODE = 'UE002';
    END IF;
    IF NOT governor.erasure_is_approved(target, approval) THEN
        RAISE EXCEPTION 'leaf %: expected ''audit.erasure-approved'' about it in the log, committed as %, found none', target, approval USING ERRCODE = 'UE003';
    END IF;
    IF found_at.erased THEN
        RETURN false;
    END IF;
    PERFORM set_config('governor.erasure', approval::text, true);
    UPDATE governor.governance_event SET payload = NULL
    WHERE batch = found_at.batch AND ordinal = found_at.ordinal AND recorded_at = found_at.recorded_at;
    PERFORM set_config('governor.erasure', '', true);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION governor.erase_payload(bigint, uuid), governor.erasure_is_approved(bigint, uuid), governor.payload_may_be_erased(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION governor.erase_payload(bigint, uuid) TO governor_silo;
