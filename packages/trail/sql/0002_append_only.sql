-- Append-only: what is in the log is not changed by accident, and the role that writes it can't change it at all.
-- docs/security.md says whom each of these stops.
--
-- For the migrations that follow:
--
-- * The writer's role has SELECT on everything, INSERT on the tables of the log, and nothing else (src/roles). Whatever
--   else it needs is a function: SECURITY DEFINER, `SET search_path = pg_catalog, pg_temp`, names with their schema,
--   arguments checked, and `REVOKE EXECUTE … FROM PUBLIC` in the same migration. `bemi setup --destination` then grants
--   it to the writer; a test holds every function to that.
-- * Triggers refuse UPDATE, DELETE and TRUNCATE on the log, for its owner too. A function that erases or expires says so
--   around the statements that do it:
--
--       PERFORM set_config('bemi.permit', 'erasure', true);
--       UPDATE …
--       PERFORM set_config('bemi.permit', '', true);
--
--   (Not by `SET bemi.permit` in the function's definition: only a superuser may write a setting there that the server
--   doesn't know, and the owner is none.)
--   'erasure' lets an UPDATE through that sets all texts of a row and its salt to NULL, keeps everything else, and leaves
--   a commitment; 'retention' that and DELETE in bemi.quarantine. DETACH and DROP of a partition need no permit.
--   The setting is no secret: it keeps accidents apart from intent. Privileges keep the writer out, and `bemi verify`
--   finds what somebody does who has them.
-- * A partition made by bemi.create_partitions or bemi.create_log has the triggers. Whoever makes one otherwise calls
--   bemi.guard_partition.

-- Refuses a statement before it has touched a row. First argument: the operations that a permit may allow here.
CREATE FUNCTION bemi.refuse_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  permit text := coalesce(current_setting('bemi.permit', true), '');
BEGIN
  IF tg_op = ANY (string_to_array(tg_argv[0], ' '))
     AND (permit = 'retention' OR permit = 'erasure' AND tg_op = 'UPDATE') THEN
    RETURN NULL; -- bemi.keep_rows looks at each row
  END IF;
  RAISE EXCEPTION '% of bemi.% is refused: the log is append-only', tg_op, tg_table_name
    USING ERRCODE = 'BM004',
          HINT = 'To erase a record''s data, run bemi erase. To drop what has expired, run bemi retention. Both keep the log verifiable.';
END $$;

-- Refuses what a permitted statement may not do to a row. Arguments: as above; the columns that erasure empties.
CREATE FUNCTION bemi.keep_rows() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  erased  text[] := string_to_array(tg_argv[1], ' ');
  permit  text := coalesce(current_setting('bemi.permit', true), '');
  row_old jsonb;
  row_new jsonb;
BEGIN
  IF tg_op = 'DELETE' THEN
    IF permit = 'retention' AND 'DELETE' = ANY (string_to_array(tg_argv[0], ' ')) THEN RETURN NULL; END IF;
  ELSIF permit IN ('erasure', 'retention') THEN
    row_old := to_jsonb(old);
    row_new := to_jsonb(new);
    IF row_new - erased - 'commitment' = row_old - erased - 'commitment'
       AND NOT EXISTS (SELECT 1 FROM unnest(erased) e WHERE row_new -> e <> 'null')
       AND (NOT row_new ? 'commitment'
            OR row_new -> 'commitment' <> 'null'
               AND row_old -> 'commitment' IN ('null', row_new -> 'commitment')) THEN
      RETURN NULL;
    END IF;
  END IF;
  RAISE EXCEPTION '% of bemi.% is refused: the log is append-only', tg_op, tg_table_name
    USING ERRCODE = 'BM004',
          DETAIL = format('Only %s may become NULL, all of them, beside a commitment.', array_to_string(erased, ', ')),
          HINT = 'To erase a record''s data, run bemi erase. To drop what has expired, run bemi retention. Both keep the log verifiable.';
END $$;

-- Puts the statement triggers on a partition, or on a partitioned table's partitioned part: a statement fires only the
-- triggers of the table that it names. (Row triggers come from the parent.)
CREATE FUNCTION bemi.guard_partition(partition regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER refuse_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON %s
                  FOR EACH STATEMENT EXECUTE FUNCTION bemi.refuse_changes(''UPDATE'')', partition);
END $$;

-- None of these fires on INSERT or COPY.
CREATE TRIGGER keep_rows AFTER UPDATE OR DELETE ON bemi.change_log FOR EACH ROW
  EXECUTE FUNCTION bemi.keep_rows('UPDATE', 'primary_key before after salt');
CREATE TRIGGER keep_rows AFTER UPDATE OR DELETE ON bemi.context_log FOR EACH ROW
  EXECUTE FUNCTION bemi.keep_rows('UPDATE', 'context salt');
CREATE TRIGGER keep_rows AFTER UPDATE OR DELETE ON bemi.transaction_log FOR EACH ROW
  EXECUTE FUNCTION bemi.keep_rows('UPDATE', 'actor salt');
CREATE TRIGGER keep_rows AFTER UPDATE OR DELETE ON bemi.event_log FOR EACH ROW
  EXECUTE FUNCTION bemi.keep_rows('UPDATE', 'actor payload salt');
CREATE TRIGGER keep_rows AFTER UPDATE OR DELETE ON bemi.quarantine FOR EACH ROW
  EXECUTE FUNCTION bemi.keep_rows('UPDATE DELETE', 'bytes');

CREATE TRIGGER refuse_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON bemi.quarantine FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('UPDATE DELETE');
CREATE TRIGGER refuse_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON bemi.relations FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('');
CREATE TRIGGER refuse_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON bemi.tiles FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('');
CREATE TRIGGER refuse_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON bemi.checkpoints FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('');
-- These move with every audit transaction.
CREATE TRIGGER refuse_changes BEFORE DELETE OR TRUNCATE ON bemi.logs FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('');
CREATE TRIGGER refuse_changes BEFORE DELETE OR TRUNCATE ON bemi.sources FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('');
CREATE TRIGGER refuse_changes BEFORE DELETE OR TRUNCATE ON bemi.frontier FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('');

DO $$
DECLARE
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['change_log', 'context_log', 'transaction_log', 'event_log'] LOOP
    PERFORM bemi.guard_partition(tree.relid) FROM pg_partition_tree(to_regclass('bemi.' || parent)) tree;
  END LOOP;
END $$;

-- What the writer needs beyond INSERT. BM003: an argument that would leave the log broken.

CREATE OR REPLACE FUNCTION bemi.create_log(log_name text, new_log_id text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number integer;
  parent text;
  child text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('bemi.create_log'));
  SELECT l.log INTO number FROM bemi.logs l WHERE l.name = log_name;
  IF found THEN RETURN number; END IF;
  IF coalesce(log_name, '') = '' OR coalesce(new_log_id, '') !~ '^[0-9a-f]{32}$' THEN
    RAISE EXCEPTION 'a log needs a name, and an id of 32 hexadecimal digits' USING ERRCODE = 'BM003';
  END IF;
  SELECT coalesce(max(l.log) + 1, 0) INTO number FROM bemi.logs l;
  INSERT INTO bemi.logs (log, name, log_id) VALUES (number, log_name, new_log_id);
  FOREACH parent IN ARRAY ARRAY['change_log', 'context_log', 'context_index', 'transaction_log', 'event_log'] LOOP
    child := parent || '_' || number;
    EXECUTE format('CREATE TABLE bemi.%I PARTITION OF bemi.%I FOR VALUES IN (%s) PARTITION BY RANGE (sequence)',
                   child, parent, number);
    IF parent <> 'context_index' THEN PERFORM bemi.guard_partition(to_regclass(format('bemi.%I', child))); END IF;
  END LOOP;
  RETURN number;
END $$;

-- Starts the log of a source. A second call with the same name changes nothing.
CREATE FUNCTION bemi.create_source(log_name text, new_log_id text, source_system text, source_database text,
                                   source_slot text, source_publication text, source_timeline integer, source_lsn pg_lsn)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number integer := bemi.create_log(log_name, new_log_id);
BEGIN
  INSERT INTO bemi.sources (log, system_identifier, database, slot, publication, timeline, complete_from_lsn, confirmed_lsn)
  VALUES (number, source_system, source_database, source_slot, source_publication, source_timeline, source_lsn, source_lsn)
  ON CONFLICT (log) DO NOTHING;
  RETURN number;
END $$;

CREATE OR REPLACE FUNCTION bemi.create_partitions(log_number integer, from_sequence bigint, to_sequence bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parent text;
  child text;
  covered_to bigint;
BEGIN
  -- Short ranges would fill the catalog.
  IF log_number IS NULL OR from_sequence IS NULL OR to_sequence IS NULL OR to_sequence - from_sequence < 65536 THEN
    RAISE EXCEPTION 'sequences % to % are no range for partitions', from_sequence, to_sequence USING ERRCODE = 'BM003';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('bemi.create_partitions'), log_number);
  FOREACH parent IN ARRAY ARRAY['change_log', 'context_log', 'context_index', 'transaction_log', 'event_log'] LOOP
    child := parent || '_' || log_number || '_' || from_sequence;
    CONTINUE WHEN to_regclass(format('bemi.%I', child)) IS NOT NULL;
    SELECT max(substring(pg_get_expr(leaf.relpartbound, leaf.oid) FROM 'TO \(''(\d+)''\)')::bigint) INTO covered_to
      FROM pg_inherits i JOIN pg_class leaf ON leaf.oid = i.inhrelid
     WHERE i.inhparent = to_regclass(format('bemi.%I', parent || '_' || log_number));
    IF from_sequence <> coalesce(covered_to, from_sequence) THEN
      RAISE EXCEPTION 'the partitions of bemi.% continue at %, not at %', parent || '_' || log_number, covered_to, from_sequence
        USING ERRCODE = 'BM003';
    END IF;
    EXECUTE format('CREATE TABLE bemi.%I (LIKE bemi.%I INCLUDING DEFAULTS)', child, parent);
    IF parent <> 'context_index' THEN PERFORM bemi.guard_partition(to_regclass(format('bemi.%I', child))); END IF;
    EXECUTE format('ALTER TABLE bemi.%I ATTACH PARTITION bemi.%I FOR VALUES FROM (%s) TO (%s)',
                   parent || '_' || log_number, child, from_sequence, to_sequence);
  END LOOP;
END $$;

ALTER FUNCTION bemi.take_over(integer) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION bemi.fence(integer, bigint, bigint) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION bemi.notify_inbox() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION bemi.indexed_contexts(integer) SET search_path = pg_catalog, pg_temp;

-- The end of the tree only grows, and has as many roots of 32 bytes as its size has bits that are set.
CREATE OR REPLACE FUNCTION bemi.seal(log_number integer, new_size bigint, new_hashes bytea, new_checkpoint text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF length(new_hashes) = 32 * length(replace(new_size::bit(64)::text, '0', '')) THEN
    INSERT INTO bemi.frontier AS f (log, size, hashes, checkpoint)
    VALUES (log_number, new_size, new_hashes, new_checkpoint)
    ON CONFLICT (log) DO UPDATE SET size = excluded.size, hashes = excluded.hashes, checkpoint = excluded.checkpoint,
                                    signed_at = excluded.signed_at
     WHERE f.size <= excluded.size;
  END IF;
  IF NOT found THEN
    RAISE EXCEPTION 'the tree of log % can''t end at %', log_number, new_size USING ERRCODE = 'BM003';
  END IF;
  INSERT INTO bemi.checkpoints (log, size, checkpoint)
  SELECT log_number, new_size, new_checkpoint
   WHERE NOT EXISTS (SELECT 1 FROM bemi.checkpoints c WHERE c.log = log_number
                      AND c.size = (SELECT max(size) FROM bemi.checkpoints WHERE log = log_number)
                      AND c.signed_at > clock_timestamp() - interval '1 minute')
  ON CONFLICT (log, size) DO NOTHING;
END $$;

-- The log's end never moves back, and only to where its tree was sealed in the same transaction.
CREATE OR REPLACE FUNCTION bemi.advance(log_number integer, new_next_sequence bigint, new_last_final_lsn pg_lsn,
                                        new_confirmed_lsn pg_lsn, new_timeline integer)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  current_next bigint;
BEGIN
  SELECT l.next_sequence INTO STRICT current_next FROM bemi.logs l WHERE l.log = log_number;
  IF current_next <> new_next_sequence THEN
    UPDATE bemi.logs l SET next_sequence = new_next_sequence
      FROM bemi.frontier f
     WHERE l.log = log_number AND f.log = l.log AND f.size = new_next_sequence AND l.next_sequence < new_next_sequence;
    IF NOT found THEN
      RAISE EXCEPTION 'log % ends at %, and can''t end at %', log_number, current_next, new_next_sequence
        USING ERRCODE = 'BM003';
    END IF;
  END IF;
  UPDATE bemi.sources
     SET last_final_lsn = greatest(last_final_lsn, new_last_final_lsn),
         confirmed_lsn = greatest(confirmed_lsn, new_confirmed_lsn),
         timeline = new_timeline
   WHERE log = log_number;
END $$;

CREATE OR REPLACE FUNCTION bemi.index_contexts(log_number integer, max_rows integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  copied integer;
BEGIN
  INSERT INTO bemi.context_index (log, context_no, sequence, transaction, context)
  SELECT log, context_no, sequence, transaction, context::jsonb FROM bemi.context_log
   WHERE log = log_number AND sequence > bemi.indexed_contexts(log_number) AND context IS NOT NULL
   ORDER BY sequence LIMIT max_rows;
  GET DIAGNOSTICS copied = ROW_COUNT;
  RETURN copied;
END $$;

-- Says which event a request became. One that is answered stays as it is.
CREATE FUNCTION bemi.answer(log_number integer, request_id bigint, event_sequence bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bemi.inbox SET sequence = event_sequence, answered_at = now()
   WHERE id = request_id AND log = log_number AND sequence IS NULL;
END $$;

REVOKE EXECUTE ON FUNCTION
  bemi.create_log(text, text),
  bemi.create_source(text, text, text, text, text, text, integer, pg_lsn),
  bemi.create_partitions(integer, bigint, bigint),
  bemi.take_over(integer),
  bemi.fence(integer, bigint, bigint),
  bemi.seal(integer, bigint, bytea, text),
  bemi.advance(integer, bigint, pg_lsn, pg_lsn, integer),
  bemi.index_contexts(integer, integer),
  bemi.answer(integer, bigint, bigint)
FROM PUBLIC;
