-- Erasure, holds and retention: what removes something from the log. Each is done by the worker, in the audit transaction
-- of the event that says so (docs/erasure-and-retention.md).

-- Why a request became no event, if so: an answered request has a sequence or a refusal.
ALTER TABLE bemi.inbox ADD COLUMN refusal text;

-- What must not be erased, as the log's `hold` events say. The key is there as a hash with the hold's id as its salt.
CREATE TABLE bemi.holds (
  log              integer NOT NULL REFERENCES bemi.logs,
  id               text    NOT NULL,
  -- Of the event that placed it.
  sequence         bigint  NOT NULL,
  -- Of a partition: the table at its root, or the partition itself.
  schema_name      text    NOT NULL,
  table_name       text    NOT NULL,
  -- NULL holds every record of the table.
  primary_key_hash text,
  reason           text    NOT NULL,
  placed_by        text    NOT NULL,
  PRIMARY KEY (log, id)
);

-- A field of a commitment, docs/spec/record.md: its length and its bytes, or -1 for NULL.
CREATE FUNCTION bemi.commitment_field(field bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN field IS NULL THEN int4send(-1) ELSE int4send(octet_length(field)) || field END
$$;

CREATE FUNCTION bemi.commitment_field(field text) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT bemi.commitment_field(convert_to(field, 'UTF8'))
$$;

-- The two fields that follow in the commitment of an entry in quarantine; nothing for any other.
CREATE FUNCTION bemi.quarantine_fields(log_number integer, entry bigint, quarantined_field text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((
    SELECT bemi.commitment_field((array_agg(q.reason ORDER BY q.part))[1])
           || bemi.commitment_field(sha256(string_agg(q.bytes, ''::bytea ORDER BY q.part)))
      FROM bemi.quarantine q
     WHERE q.log = log_number AND q.sequence = entry AND q.field = quarantined_field
    HAVING count(*) > 0), ''::bytea)
$$;

-- Whether a hold keeps a change. A row in quarantine has no key to be told by: it is kept by a hold of any record of its
-- table. What is erased already is nothing to keep.
CREATE FUNCTION bemi.is_held(hold bemi.holds, change bemi.change_log) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT change.salt IS NOT NULL
         AND (hold.primary_key_hash IS NULL
              OR change.primary_key IS NULL AND change.operation <> 'TRUNCATE'
              OR encode(sha256(convert_to(hold.id || E'\n' || change.primary_key, 'UTF8')), 'hex') = hold.primary_key_hash)
$$;

-- The holds that keep any of these entries: changes, and contexts of changes that are held. Pairs [first, last].
CREATE FUNCTION bemi.holds_on(log_number integer, entries json) RETURNS SETOF bemi.holds
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT h.* FROM bemi.holds h
   WHERE h.log = log_number AND EXISTS (
     SELECT FROM bemi.relations r
       CROSS JOIN json_array_elements(entries) AS pair
       JOIN bemi.change_log c ON c.log = log_number AND c.relation = r.relation
                             AND c.sequence BETWEEN (pair->>0)::bigint AND (pair->>1)::bigint
      WHERE r.log = log_number
        AND ((r.root_schema, r.root_table) = (h.schema_name, h.table_name)
             OR (r.schema_name, r.table_name) = (h.schema_name, h.table_name))
        AND bemi.is_held(h, c)
     UNION ALL
     SELECT FROM json_array_elements(entries) AS pair
       JOIN bemi.context_log x ON x.log = log_number
                              AND x.sequence BETWEEN (pair->>0)::bigint AND (pair->>1)::bigint
       JOIN bemi.transaction_log t ON t.log = log_number AND t.transaction = x.transaction
       JOIN bemi.change_log c ON c.log = log_number AND c.sequence BETWEEN t.transaction AND t.sequence
                             AND c.transaction = x.transaction AND c.context_no = x.context_no
       JOIN bemi.relations r ON r.log = log_number AND r.relation = c.relation
      WHERE ((r.root_schema, r.root_table) = (h.schema_name, h.table_name)
             OR (r.schema_name, r.table_name) = (h.schema_name, h.table_name))
        AND bemi.is_held(h, c))
   ORDER BY h.sequence
$$;

-- The holds that keep any change before a sequence.
CREATE FUNCTION bemi.holds_before(log_number integer, before_sequence bigint) RETURNS SETOF bemi.holds
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT h.* FROM bemi.holds h
   WHERE h.log = log_number AND EXISTS (
     SELECT FROM bemi.relations r
       JOIN bemi.change_log c ON c.log = log_number AND c.relation = r.relation AND c.sequence < before_sequence
      WHERE r.log = log_number
        AND ((r.root_schema, r.root_table) = (h.schema_name, h.table_name)
             OR (r.schema_name, r.table_name) = (h.schema_name, h.table_name))
        AND bemi.is_held(h, c))
   ORDER BY h.sequence
$$;

-- Erases the texts and salts of changes and contexts, and what a commit says of its actor; commitments stay in their
-- place. `entries` is a list of pairs [first, last]. What is erased already stays as it is. Returns how many entries
-- were erased.
CREATE FUNCTION bemi.erase_entries(log_number integer, entries json) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  erased bigint := 0;
  touched bigint;
  first_entry bigint;
  last_entry bigint;
BEGIN
  PERFORM set_config('bemi.permit', 'erasure', true);
  IF coalesce(json_typeof(entries), '') <> 'array' THEN
    RAISE EXCEPTION 'entries to be erased are a list of pairs' USING ERRCODE = 'BM003';
  END IF;
  -- The worker refuses such a request before it becomes an event.
  IF EXISTS (SELECT FROM bemi.holds_on(log_number, entries)) THEN
    RAISE EXCEPTION 'a hold keeps some of these entries' USING ERRCODE = 'BM005';
  END IF;
  -- index_contexts may be copying a context that is erased here.
  PERFORM pg_advisory_xact_lock(hashtext('bemi.context_index'), log_number);
  FOR first_entry, last_entry IN
    SELECT (pair->>0)::bigint, (pair->>1)::bigint FROM json_array_elements(entries) AS pair
  LOOP
    UPDATE bemi.change_log c
       SET commitment = sha256(bemi.commitment_field(c.operation) || bemi.commitment_field(c.salt)
                               || bemi.commitment_field(c.primary_key) || bemi.commitment_field(c.before::text)
                               || bemi.commitment_field(c.after::text)
                               || bemi.quarantine_fields(c.log, c.sequence, 'row')),
           salt = NULL, primary_key = NULL, before = NULL, after = NULL
     WHERE c.log = log_number AND c.sequence BETWEEN first_entry AND last_entry AND c.salt IS NOT NULL;
    GET DIAGNOSTICS touched = ROW_COUNT;
    erased := erased + touched;
    UPDATE bemi.context_log x
       SET commitment = sha256(bemi.commitment_field(x.authenticity) || bemi.commitment_field(x.salt)
                               || bemi.commitment_field(x.context::text)
                               || bemi.quarantine_fields(x.log, x.sequence, 'context')),
           salt = NULL, context = NULL
     WHERE x.log = log_number AND x.sequence BETWEEN first_entry AND last_entry AND x.salt IS NOT NULL;
    GET DIAGNOSTICS touched = ROW_COUNT;
    erased := erased + touched;
    UPDATE bemi.transaction_log t
       SET commitment = sha256(bemi.commitment_field('actor'::text) || bemi.commitment_field(t.salt)
                               || bemi.commitment_field(t.actor::text)),
           salt = NULL, actor = NULL
     WHERE t.log = log_number AND t.sequence BETWEEN first_entry AND last_entry AND t.salt IS NOT NULL;
    GET DIAGNOSTICS touched = ROW_COUNT;
    erased := erased + touched;
    -- After the commitments are made of them.
    UPDATE bemi.quarantine q SET bytes = NULL
     WHERE q.log = log_number AND q.sequence BETWEEN first_entry AND last_entry AND q.bytes IS NOT NULL;
    DELETE FROM bemi.context_index i
     WHERE i.log = log_number AND i.sequence BETWEEN first_entry AND last_entry;
  END LOOP;
  PERFORM set_config('bemi.permit', '', true);
  RETURN erased;
END $$;

-- Drops the partitions whose entries all have smaller sequences, and what stands in quarantine for them. Events and tiles
-- stay. Dropping waits for readers, and everybody then waits behind it: it waits shortly, lets them through, and tries
-- again; in the end it gives up (55P03).
CREATE FUNCTION bemi.drop_entries(log_number integer, before_sequence bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '300ms' AS $$
DECLARE
  parent text;
  child name;
BEGIN
  IF before_sequence IS NULL
     OR before_sequence > (SELECT coalesce(max(t.transaction), 0) FROM bemi.transaction_log t WHERE t.log = log_number)
  THEN
    RAISE EXCEPTION 'entries before % of log % are not all old', before_sequence, log_number USING ERRCODE = 'BM003';
  END IF;
  FOR attempt IN 1..10 LOOP
    BEGIN
      FOREACH parent IN ARRAY ARRAY['change_log', 'transaction_log', 'context_log', 'context_index'] LOOP
        FOR child IN
          SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = to_regclass(format('bemi.%I', parent || '_' || log_number))
             AND substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''(\d+)''\)')::bigint <= before_sequence
           ORDER BY c.oid
        LOOP
          EXECUTE format('DROP TABLE bemi.%I', child);
        END LOOP;
      END LOOP;
      EXIT;
    EXCEPTION WHEN lock_not_available THEN
      IF attempt = 10 THEN RAISE; END IF;
      PERFORM pg_sleep(0.2);
    END;
  END LOOP;
  PERFORM set_config('bemi.permit', 'retention', true);
  DELETE FROM bemi.quarantine q WHERE q.log = log_number AND q.sequence < before_sequence;
  PERFORM set_config('bemi.permit', '', true);
END $$;

-- Whether nobody reads what would be dropped: the lock is had for a moment, and let go.
CREATE FUNCTION bemi.may_drop(log_number integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['change_log', 'transaction_log', 'context_log', 'context_index'] LOOP
    EXECUTE format('LOCK TABLE ONLY bemi.%I IN ACCESS EXCLUSIVE MODE', parent || '_' || log_number);
  END LOOP;
  RAISE EXCEPTION 'done' USING ERRCODE = 'BM000';
EXCEPTION
  WHEN lock_not_available THEN RETURN false;
  WHEN SQLSTATE 'BM000' THEN RETURN true; -- what was locked is no longer
END $$;

-- Keeps the table of holds what the events say.
CREATE FUNCTION bemi.apply_hold(log_number integer, event_sequence bigint, hold json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF hold->>'event' = 'placed' THEN
    INSERT INTO bemi.holds (log, id, sequence, schema_name, table_name, primary_key_hash, reason, placed_by)
    VALUES (log_number, hold->>'id', event_sequence, hold->>'schema', hold->>'table', hold->>'primaryKeyHash',
            hold->>'reason', hold->>'by');
  ELSIF hold->>'event' = 'released' THEN
    DELETE FROM bemi.holds h WHERE h.log = log_number AND h.id = hold->>'id';
  END IF;
END $$;

-- Carries out what an event says, in the event's own audit transaction.
CREATE FUNCTION bemi.carry_out(log_number integer, kind text, event_sequence bigint, payload json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE kind
    WHEN 'erasure' THEN PERFORM bemi.erase_entries(log_number, payload->'entries');
    WHEN 'retention' THEN PERFORM bemi.drop_entries(log_number, (payload->>'before')::bigint);
    WHEN 'hold' THEN PERFORM bemi.apply_hold(log_number, event_sequence, payload);
    ELSE NULL;
  END CASE;
END $$;

-- As before, and never a context that is being erased.
CREATE OR REPLACE FUNCTION bemi.index_contexts(log_number integer, max_rows integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  copied integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('bemi.context_index'), log_number);
  INSERT INTO bemi.context_index (log, context_no, sequence, transaction, context)
  SELECT log, context_no, sequence, transaction, context::jsonb FROM bemi.context_log
   WHERE log = log_number AND sequence > bemi.indexed_contexts(log_number) AND context IS NOT NULL
   ORDER BY sequence LIMIT max_rows;
  GET DIAGNOSTICS copied = ROW_COUNT;
  RETURN copied;
END $$;

-- Says why a request becomes no event. One that is answered stays as it is.
CREATE FUNCTION bemi.refuse(log_number integer, request_id bigint, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bemi.inbox SET refusal = why, answered_at = now()
   WHERE id = request_id AND log = log_number AND answered_at IS NULL;
END $$;

REVOKE EXECUTE ON FUNCTION
  bemi.commitment_field(bytea),
  bemi.commitment_field(text),
  bemi.quarantine_fields(integer, bigint, text),
  bemi.erase_entries(integer, json),
  bemi.drop_entries(integer, bigint),
  bemi.may_drop(integer),
  bemi.apply_hold(integer, bigint, json),
  bemi.carry_out(integer, text, bigint, json),
  bemi.refuse(integer, bigint, text)
FROM PUBLIC;
