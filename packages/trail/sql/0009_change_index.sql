-- Changes are found by what they have in common: table, operation, context, actor. As before, upkeep fills the index behind the
-- writer; it takes the place of the index of contexts, which knew nothing of tables and operations.
-- docs/architecture.md says how it is searched.

-- The table keeps its partitions under another name. What was in it is made again, in the new form.
TRUNCATE bemi.context_index;
DROP INDEX bemi.context_index_context_idx;
DO $$
DECLARE
  thing record;
BEGIN
  FOR thing IN
    SELECT c.relname AS name, c.relkind AS kind FROM pg_class c
     WHERE c.relnamespace = 'bemi'::regnamespace AND c.relname LIKE 'context\_index%' AND c.relkind IN ('r', 'p', 'i', 'I')
  LOOP
    EXECUTE format('ALTER %s bemi.%I RENAME TO %I', CASE WHEN thing.kind IN ('i', 'I') THEN 'INDEX' ELSE 'TABLE' END,
                   thing.name, replace(thing.name, 'context_index', 'change_index'));
  END LOOP;
END $$;

-- A row for the changes that have their transaction, their context and 256 sequences (a tile: no partition ends within one) in
-- common. Its document is under the number of its range of 131,072 sequences, so that one range can be searched after the other:
--
--   {"57": {"t": ["12", "12U", …], "o": ["U", …], "c": {…}, "s": "unsigned", "n": false, "a": ["alice", …]}}
--
-- t: the tables, each by the sequence of its first shape, alone and with an operation. o: the operations. c: the context, as it
-- is shown. s: what is known of it. n: whether there is none that says anything. a: who it was (bemi.actors).
ALTER TABLE bemi.change_index RENAME COLUMN context TO document;
ALTER TABLE bemi.change_index ADD COLUMN last_sequence bigint NOT NULL;
-- A range of sequences chooses partitions. Where the primary key began with the sequence, it would be read for it as well, which
-- takes a hundred times as long as the search in the other index.
ALTER TABLE bemi.change_index DROP CONSTRAINT change_index_pkey;
ALTER TABLE bemi.change_index ADD PRIMARY KEY (transaction, sequence, log);
CREATE INDEX change_index_document_idx ON bemi.change_index USING gin (document jsonb_path_ops);

-- When the changes of each block of 1,024 sequences were committed. A block stands here once its changes are in the index.
CREATE TABLE bemi.change_blocks (
  log      integer NOT NULL REFERENCES bemi.logs,
  block    bigint  NOT NULL,
  first_at timestamptz,
  last_at  timestamptz,
  PRIMARY KEY (log, block)
);

-- Transaction ids mostly rise with the sequence.
CREATE INDEX ON bemi.transaction_log USING brin (xid) WITH (pages_per_range = 16, autosummarize = on);

-- What of a document comes from the context, which may be missing, and from the actor.
CREATE FUNCTION bemi.said(x bemi.context_log, t bemi.transaction_log) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'c', x.context::jsonb - '_bemi', 's', x.authenticity,
    'n', x.sequence IS NULL OR CASE WHEN x.context IS NULL THEN x.salt IS NOT NULL
                                    ELSE x.context::jsonb - '_bemi' = '{}' END,
    'a', bemi.actors(x.context::jsonb - '_bemi', t.actor::jsonb))
$$;

-- What the index must hold of the changes of whole blocks, and when they were committed. bemi.said and bemi.actors, written out:
-- calling them for each row would take twice the time.
CREATE FUNCTION bemi.indexed_rows(log_number integer, from_block bigint, to_block bigint)
RETURNS TABLE (context_no integer, sequence bigint, last_sequence bigint, transaction bigint, document jsonb,
               committed_at timestamptz)
-- The planner takes what it doesn't know for a single row, and would compare each with each.
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
  WITH tables AS MATERIALIZED (
    SELECT r.relation, min(r.relation) OVER (PARTITION BY r.root_schema, r.root_table)::text AS number
      FROM bemi.relations r WHERE r.log = log_number
  ), kinds AS MATERIALIZED (
    SELECT c.transaction, c.context_no, c.sequence >> 8 AS part, c.relation, left(c.operation, 1) AS operation,
           min(c.sequence) AS first_sequence, max(c.sequence) AS last_sequence
      FROM bemi.change_log c
     WHERE c.log = log_number AND c.sequence >= from_block << 10 AND c.sequence < to_block << 10
     GROUP BY 1, 2, 3, 4, 5
  ), groups AS MATERIALIZED (
    SELECT k.transaction, k.context_no, min(k.first_sequence) AS first_sequence, max(k.last_sequence) AS last_sequence,
           array_agg(DISTINCT tables.number || k.operation) || array_agg(DISTINCT tables.number) AS tables,
           array_agg(DISTINCT k.operation) AS operations
      FROM kinds k JOIN tables USING (relation)
     GROUP BY k.transaction, k.context_no, k.part
  -- Transactions that reach into these blocks: one may have begun before them and one go on behind them.
  ), commits AS MATERIALIZED (
    SELECT t.transaction, t.sequence, t.committed_at, t.actor::jsonb AS actor FROM bemi.transaction_log t
     WHERE t.log = log_number AND t.sequence >= from_block << 10
       AND t.sequence <= coalesce((SELECT b.sequence FROM bemi.transaction_log b
                                    WHERE b.log = log_number AND b.sequence >= to_block << 10 ORDER BY b.sequence LIMIT 1),
                                  to_block << 10)
  ), contexts AS MATERIALIZED (
    SELECT x.transaction, x.context_no, x.authenticity, x.context::jsonb - '_bemi' AS context, x.salt IS NULL AS is_erased
      FROM bemi.context_log x
     -- A context may stand behind the changes that it is of, and so behind these blocks.
     WHERE x.log = log_number AND x.sequence >= (SELECT min(c.transaction) FROM commits c)
       AND x.sequence <= (SELECT max(c.sequence) FROM commits c)
  )
  SELECT g.context_no, g.first_sequence, g.last_sequence, g.transaction,
         jsonb_build_object((g.first_sequence >> 17)::text, jsonb_build_object(
           't', g.tables, 'o', g.operations, 'c', x.context, 's', x.authenticity,
           'n', CASE WHEN x.transaction IS NULL THEN true WHEN x.context IS NULL THEN NOT x.is_erased
                     ELSE x.context = '{}' END,
           'a', coalesce((
             SELECT array_agg(DISTINCT who) FROM (
               SELECT CASE jsonb_typeof(m.value) WHEN 'object' THEN inside.value ELSE m.value #>> '{}' END AS who
                 FROM (SELECT (jsonb_each(x.context)).*) m
                 LEFT JOIN LATERAL (
                   SELECT i.value #>> '{}' AS value FROM jsonb_each(CASE jsonb_typeof(m.value) WHEN 'object' THEN m.value ELSE '{}' END) i
                    WHERE lower(i.key) IN ('id', 'email', 'name', 'username') AND jsonb_typeof(i.value) IN ('string', 'number')
                 ) inside ON true
                WHERE lower(translate(m.key, '-_', '')) IN ('userid', 'user', 'useremail', 'email', 'username', 'actor', 'actorid',
                                                            'sub', 'accountid', 'job', 'script')
                  AND jsonb_typeof(m.value) IN ('string', 'number', 'object')
                UNION ALL
               SELECT unnest(bemi.actors(NULL, c.actor)) WHERE c.actor IS NOT NULL
             ) named WHERE who <> ''), '{}'))),
         c.committed_at
    FROM groups g
    JOIN commits c ON c.transaction = g.transaction
    LEFT JOIN contexts x ON x.transaction = g.transaction AND x.context_no = g.context_no
$$;

-- Sequence behind the last change that is in the index; those from there on are looked for in change_log.
CREATE FUNCTION bemi.indexed_changes(log_number integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT max(b.block) + 1 FROM bemi.change_blocks b WHERE b.log = log_number), 0) << 10
$$;

-- Puts the changes of the oldest blocks that are not in the index yet into it. Returns how many blocks: fewer than asked for
-- when it has caught up.
CREATE FUNCTION bemi.index_changes(log_number integer, max_blocks integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  from_block bigint;
  to_block bigint;
  pending regclass;
BEGIN
  -- Never a context that is being erased.
  PERFORM pg_advisory_xact_lock(hashtext('bemi.change_index'), log_number);
  -- What retention has dropped is passed over.
  from_block := greatest(bemi.indexed_changes(log_number) >> 10,
                         (SELECT t.transaction >> 10 FROM bemi.transaction_log t
                           WHERE t.log = log_number ORDER BY t.sequence LIMIT 1));
  SELECT least(l.next_sequence >> 10, from_block + max_blocks) INTO to_block FROM bemi.logs l WHERE l.log = log_number;
  IF from_block IS NULL OR to_block <= from_block THEN RETURN 0; END IF;
  WITH rows AS MATERIALIZED (
    SELECT * FROM bemi.indexed_rows(log_number, from_block, to_block)
  ), indexed AS (
    INSERT INTO bemi.change_index (log, context_no, sequence, last_sequence, transaction, document)
    SELECT log_number, r.context_no, r.sequence, r.last_sequence, r.transaction, r.document FROM rows r ORDER BY r.sequence
  )
  INSERT INTO bemi.change_blocks (log, block, first_at, last_at)
  SELECT log_number, b, min(r.committed_at), max(r.committed_at)
    FROM generate_series(from_block, to_block - 1) b LEFT JOIN rows r ON r.sequence >> 10 = b
   GROUP BY b;
  -- Searches read the list of what is not in its place in the index yet, for each range again. Put there together, it takes
  -- half the time that it would take one by one.
  FOR pending IN
    SELECT i.indexrelid FROM pg_partition_tree('bemi.change_index') leaf
      JOIN pg_index i ON i.indrelid = leaf.relid
      JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_am am ON am.oid = c.relam AND am.amname = 'gin'
     WHERE leaf.isleaf AND leaf.relid IN (SELECT r.tableoid FROM bemi.change_index r
                                           WHERE r.log = log_number AND r.sequence >= from_block << 10)
  LOOP
    PERFORM gin_clean_pending_list(pending);
  END LOOP;
  RETURN to_block - from_block;
END $$;

DROP FUNCTION bemi.index_contexts(integer, integer);
DROP FUNCTION bemi.indexed_contexts(integer);

-- As before, under the other name.

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
  FOREACH parent IN ARRAY ARRAY['change_log', 'context_log', 'change_index', 'transaction_log', 'event_log'] LOOP
    child := parent || '_' || number;
    EXECUTE format('CREATE TABLE bemi.%I PARTITION OF bemi.%I FOR VALUES IN (%s) PARTITION BY RANGE (sequence)',
                   child, parent, number);
    IF parent <> 'change_index' THEN PERFORM bemi.guard_partition(to_regclass(format('bemi.%I', child))); END IF;
  END LOOP;
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
  FOREACH parent IN ARRAY ARRAY['change_log', 'context_log', 'change_index', 'transaction_log', 'event_log'] LOOP
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
    IF parent <> 'change_index' THEN PERFORM bemi.guard_partition(to_regclass(format('bemi.%I', child))); END IF;
    EXECUTE format('ALTER TABLE bemi.%I ATTACH PARTITION bemi.%I FOR VALUES FROM (%s) TO (%s)',
                   parent || '_' || log_number, child, from_sequence, to_sequence);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION bemi.erase_entries(log_number integer, entries json) RETURNS bigint
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
  -- index_changes may be copying a context that is erased here.
  PERFORM pg_advisory_xact_lock(hashtext('bemi.change_index'), log_number);
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
    -- What the index has of these contexts and actors: rows of their transactions.
    UPDATE bemi.change_index i
       SET document = jsonb_build_object((i.sequence >> 17)::text, i.document -> (i.sequence >> 17)::text || bemi.said(x, t))
      FROM (SELECT e.transaction FROM bemi.context_log e
             WHERE e.log = log_number AND e.sequence BETWEEN first_entry AND last_entry
             UNION
            SELECT e.transaction FROM bemi.transaction_log e
             WHERE e.log = log_number AND e.sequence BETWEEN first_entry AND last_entry AND e.commitment IS NOT NULL) erased_of
      JOIN bemi.transaction_log t ON t.log = log_number AND t.transaction = erased_of.transaction
      LEFT JOIN bemi.context_log x ON x.log = log_number AND x.transaction = t.transaction
     WHERE i.log = log_number AND i.sequence BETWEEN t.transaction AND t.sequence AND i.transaction = t.transaction
       AND (x.sequence IS NULL OR i.context_no = x.context_no);
  END LOOP;
  PERFORM set_config('bemi.permit', '', true);
  RETURN erased;
END $$;

CREATE OR REPLACE FUNCTION bemi.drop_entries(log_number integer, before_sequence bigint) RETURNS void
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
      FOREACH parent IN ARRAY ARRAY['change_log', 'transaction_log', 'context_log', 'change_index'] LOOP
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
  DELETE FROM bemi.change_blocks b
   WHERE b.log = log_number
     AND b.block < (SELECT t.transaction >> 10 FROM bemi.transaction_log t WHERE t.log = log_number ORDER BY t.sequence LIMIT 1);
  PERFORM set_config('bemi.permit', '', true);
END $$;

CREATE OR REPLACE FUNCTION bemi.may_drop(log_number integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
  parent text;
BEGIN
  FOREACH parent IN ARRAY ARRAY['change_log', 'transaction_log', 'context_log', 'change_index'] LOOP
    EXECUTE format('LOCK TABLE ONLY bemi.%I IN ACCESS EXCLUSIVE MODE', parent || '_' || log_number);
  END LOOP;
  RAISE EXCEPTION 'done' USING ERRCODE = 'BM000';
EXCEPTION
  WHEN lock_not_available THEN RETURN false;
  WHEN SQLSTATE 'BM000' THEN RETURN true; -- what was locked is no longer
END $$;

REVOKE EXECUTE ON FUNCTION bemi.index_changes(integer, integer) FROM PUBLIC;
