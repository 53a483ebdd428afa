-- How many changes there were, by hour, table and operation, without a context, and by name: what the overview shows. Counted in
-- the blocks of the index of changes, in its statement; so that retention, which drops blocks, and erasure, which takes names
-- out, leave the counts exact. docs/architecture.md says how they are read.

-- A block that an older version has indexed is counted when its turn comes; so is one whose names were erased.
ALTER TABLE bemi.change_blocks ADD COLUMN changes_counted boolean NOT NULL DEFAULT false;
ALTER TABLE bemi.change_blocks ADD COLUMN names_counted boolean NOT NULL DEFAULT false;
CREATE INDEX change_blocks_uncounted_idx ON bemi.change_blocks (log, block) WHERE NOT (changes_counted AND names_counted);

-- "table" is the sequence of the first shape, as in the index: of a partition, the table at its root. Hours are those of UTC. Rows
-- stand in the order of the key: whoever adds up years reads them page by page.
CREATE TABLE bemi.activity (
  log             integer     NOT NULL,
  block           bigint      NOT NULL,
  hour            timestamptz NOT NULL,
  "table"         bigint      NOT NULL,
  inserts         integer     NOT NULL,
  updates         integer     NOT NULL,
  deletes         integer     NOT NULL,
  truncates       integer     NOT NULL,
  -- Of them, those that no context says anything of, as `n` of the index.
  without_context integer     NOT NULL,
  PRIMARY KEY (log, block, hour, "table")
);

-- Who it was, by each name that the index has (`a`): names, and beside each how many changes, how many of them without a context,
-- and what kind of name it is: 1, shown as who did it; 2, the program that a trigger in the source reports.
CREATE TABLE bemi.activity_names (
  log             integer     NOT NULL,
  block           bigint      NOT NULL,
  hour            timestamptz NOT NULL,
  "table"         bigint      NOT NULL,
  names           text[]      NOT NULL,
  changes         integer[]   NOT NULL,
  without_context integer[]   NOT NULL,
  kinds           integer[]   NOT NULL,
  PRIMARY KEY (log, block, hour, "table")
);

-- The same of 128 blocks together, once all of them are counted: whoever asks for years adds up few rows. "table" -1 is all
-- tables.
CREATE TABLE bemi.activity_ranges (
  log        integer NOT NULL,
  range      bigint  NOT NULL,
  first_hour timestamptz,
  last_hour  timestamptz,
  PRIMARY KEY (log, range)
);
CREATE TABLE bemi.activity_range_names (
  log             integer   NOT NULL,
  range           bigint    NOT NULL,
  "table"         bigint    NOT NULL,
  names           text[]    NOT NULL,
  changes         bigint[]  NOT NULL,
  without_context bigint[]  NOT NULL,
  kinds           integer[] NOT NULL,
  PRIMARY KEY (log, range, "table")
);

-- What a row of the index counts for: its changes by table and operation, and who it was.
CREATE TYPE bemi.tally AS (
  block bigint, hour timestamptz, without_context boolean, tables bigint[], operations text[], counts integer[],
  names text[], shown text, program text);

-- As before, and what each row counts for.
DROP FUNCTION bemi.indexed_rows(integer, bigint, bigint);
CREATE FUNCTION bemi.indexed_rows(log_number integer, from_block bigint, to_block bigint)
RETURNS TABLE (context_no integer, sequence bigint, last_sequence bigint, transaction bigint, document jsonb,
               committed_at timestamptz, tally bemi.tally)
-- The planner takes what it doesn't know for a single row, and would compare each with each.
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
  WITH tables AS MATERIALIZED (
    SELECT r.relation, min(r.relation) OVER (PARTITION BY r.root_schema, r.root_table)::text AS number
      FROM bemi.relations r WHERE r.log = log_number
  ), kinds AS MATERIALIZED (
    SELECT c.transaction, c.context_no, c.sequence >> 8 AS part, c.relation, left(c.operation, 1) AS operation,
           min(c.sequence) AS first_sequence, max(c.sequence) AS last_sequence, count(*)::integer AS changes
      FROM bemi.change_log c
     WHERE c.log = log_number AND c.sequence >= from_block << 10 AND c.sequence < to_block << 10
     GROUP BY 1, 2, 3, 4, 5
  ), groups AS MATERIALIZED (
    SELECT k.transaction, k.context_no, min(k.first_sequence) AS first_sequence, max(k.last_sequence) AS last_sequence,
           array_agg(DISTINCT tables.number || k.operation) || array_agg(DISTINCT tables.number) AS tables,
           array_agg(DISTINCT k.operation) AS operations,
           array_agg(tables.number::bigint) AS counted_tables, array_agg(k.operation) AS counted_operations,
           array_agg(k.changes) AS counts
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
           'n', said.nothing, 'a', named.names)),
         c.committed_at,
         (g.first_sequence >> 10, date_trunc('hour', c.committed_at, 'UTC'), said.nothing,
          g.counted_tables, g.counted_operations, g.counts, named.names,
          CASE WHEN said.nothing THEN reported.actor ->> 'session_user' ELSE named.shown END,
          reported.actor ->> 'application_name')::bemi.tally
    FROM groups g
    JOIN commits c ON c.transaction = g.transaction
    LEFT JOIN contexts x ON x.transaction = g.transaction AND x.context_no = g.context_no
   CROSS JOIN LATERAL (
     SELECT CASE WHEN x.transaction IS NULL THEN true WHEN x.context IS NULL THEN NOT x.is_erased
                 ELSE x.context = '{}' END AS nothing) said
   -- Of messages that contradict each other, the first.
   CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(c.actor) WHEN 'array' THEN c.actor -> 0 ELSE c.actor END AS actor) reported
   CROSS JOIN LATERAL (
     SELECT coalesce(array_agg(DISTINCT who), '{}') AS names,
            (array_agg(who ORDER BY place) FILTER (WHERE place IS NOT NULL))[1] AS shown
       FROM (
         SELECT CASE jsonb_typeof(m.value) WHEN 'object' THEN inside.value ELSE m.value #>> '{}' END AS who,
                array_position(ARRAY['userid', 'user', 'useremail', 'email', 'username', 'actor', 'actorid', 'sub',
                                     'accountid', 'job', 'script'], lower(translate(m.key, '-_', ''))) * 10
                  + coalesce(inside.place, 0) AS place
           FROM (SELECT (jsonb_each(x.context)).*) m
           LEFT JOIN LATERAL (
             SELECT i.value #>> '{}' AS value, array_position(ARRAY['id', 'email', 'name', 'username'], lower(i.key)) AS place
               FROM jsonb_each(CASE jsonb_typeof(m.value) WHEN 'object' THEN m.value ELSE '{}' END) i
              WHERE lower(i.key) IN ('id', 'email', 'name', 'username') AND jsonb_typeof(i.value) IN ('string', 'number')
           ) inside ON true
          WHERE lower(translate(m.key, '-_', '')) IN ('userid', 'user', 'useremail', 'email', 'username', 'actor', 'actorid',
                                                      'sub', 'accountid', 'job', 'script')
            AND jsonb_typeof(m.value) IN ('string', 'number', 'object')
          UNION ALL
         SELECT unnest(bemi.actors(NULL, c.actor)), NULL WHERE c.actor IS NOT NULL
       ) each WHERE who <> '') named
$$;

CREATE FUNCTION bemi.counted_changes(tallies bemi.tally[])
RETURNS TABLE (block bigint, hour timestamptz, "table" bigint, inserts integer, updates integer, deletes integer,
               truncates integer, without_context integer)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT t.block, t.hour, k."table",
         coalesce(sum(k.changes) FILTER (WHERE k.operation = 'I'), 0)::integer,
         coalesce(sum(k.changes) FILTER (WHERE k.operation = 'U'), 0)::integer,
         coalesce(sum(k.changes) FILTER (WHERE k.operation = 'D'), 0)::integer,
         coalesce(sum(k.changes) FILTER (WHERE k.operation = 'T'), 0)::integer,
         coalesce(sum(k.changes) FILTER (WHERE t.without_context), 0)::integer
    FROM unnest(tallies) t
   CROSS JOIN LATERAL unnest(t.tables, t.operations, t.counts) AS k("table", operation, changes)
   GROUP BY 1, 2, 3
$$;

CREATE FUNCTION bemi.counted_names(tallies bemi.tally[])
RETURNS TABLE (block bigint, hour timestamptz, "table" bigint, names text[], changes integer[], without_context integer[],
               kinds integer[])
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH each AS (
    SELECT t.block, t.hour, k."table", n.name, sum(k.changes)::integer AS changes,
           coalesce(sum(k.changes) FILTER (WHERE t.without_context), 0)::integer AS without_context,
           bit_or((n.name IS NOT DISTINCT FROM t.shown)::integer + (n.name IS NOT DISTINCT FROM t.program)::integer * 2) AS kind
      FROM unnest(tallies) t
     CROSS JOIN LATERAL unnest(t.tables, t.counts) AS k("table", changes)
     CROSS JOIN LATERAL unnest(t.names) AS n(name)
     GROUP BY 1, 2, 3, 4
  )
  SELECT e.block, e.hour, e."table", array_agg(e.name ORDER BY e.name COLLATE "C"),
         array_agg(e.changes ORDER BY e.name COLLATE "C"), array_agg(e.without_context ORDER BY e.name COLLATE "C"),
         array_agg(e.kind ORDER BY e.name COLLATE "C")
    FROM each e GROUP BY 1, 2, 3
$$;

-- The names of ranges, added up. Those of no table are those of all.
CREATE FUNCTION bemi.added_names(log_number integer, from_range bigint, to_range bigint)
RETURNS TABLE (range bigint, "table" bigint, names text[], changes bigint[], without_context bigint[], kinds integer[])
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH each AS MATERIALIZED (
    SELECT a.block >> 7 AS range, a."table", n.name, sum(n.changes) AS changes, sum(n.without_context) AS without_context,
           bit_or(n.kind) AS kind
      FROM bemi.activity_names a
     CROSS JOIN LATERAL unnest(a.names, a.changes, a.without_context, a.kinds) AS n(name, changes, without_context, kind)
     WHERE a.log = log_number AND a.block >= from_range << 7 AND a.block < to_range << 7
     GROUP BY 1, 2, 3
  ), whole AS (
    SELECT e.range, -1::bigint AS "table", e.name, sum(e.changes)::bigint AS changes,
           sum(e.without_context)::bigint AS without_context, bit_or(e.kind) AS kind
      FROM each e GROUP BY 1, 3
     UNION ALL
    SELECT * FROM each
  )
  SELECT w.range, w."table", array_agg(w.name ORDER BY w.name COLLATE "C"),
         array_agg(w.changes ORDER BY w.name COLLATE "C"), array_agg(w.without_context ORDER BY w.name COLLATE "C"),
         array_agg(w.kind ORDER BY w.name COLLATE "C")
    FROM whole w GROUP BY 1, 2
$$;

-- Adds up the oldest range that is whole and was not yet: one at a time, for it takes some tens of milliseconds. Returns whether
-- there was one.
CREATE FUNCTION bemi.roll_up_names(log_number integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  whole bigint;
BEGIN
  SELECT n INTO whole
    FROM generate_series((SELECT b.block >> 7 FROM bemi.change_blocks b WHERE b.log = log_number ORDER BY b.block LIMIT 1),
                         (bemi.indexed_changes(log_number) >> 17) - 1) n
   WHERE NOT EXISTS (SELECT FROM bemi.activity_ranges g WHERE g.log = log_number AND g.range = n)
     AND NOT EXISTS (SELECT FROM bemi.change_blocks b
                      WHERE b.log = log_number AND NOT (b.changes_counted AND b.names_counted)
                        AND b.block >= n << 7 AND b.block < (n + 1) << 7)
   ORDER BY n LIMIT 1;
  IF whole IS NULL THEN RETURN false; END IF;
  INSERT INTO bemi.activity_range_names (log, range, "table", names, changes, without_context, kinds)
  SELECT log_number, n.* FROM bemi.added_names(log_number, whole, whole + 1) n;
  INSERT INTO bemi.activity_ranges (log, range, first_hour, last_hour)
  SELECT log_number, whole, min(a.hour), max(a.hour)
    FROM bemi.activity_names a WHERE a.log = log_number AND a.block >= whole << 7 AND a.block < (whole + 1) << 7;
  RETURN true;
END $$;

-- Takes the names of blocks out, which are then counted again.
CREATE FUNCTION bemi.forget_names(log_number integer, blocks bigint[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  UPDATE bemi.change_blocks b SET names_counted = false WHERE b.log = log_number AND b.block = ANY (blocks);
  DELETE FROM bemi.activity_names n WHERE n.log = log_number AND n.block = ANY (blocks);
  DELETE FROM bemi.activity_ranges g WHERE g.log = log_number AND g.range IN (SELECT b >> 7 FROM unnest(blocks) b);
  DELETE FROM bemi.activity_range_names g WHERE g.log = log_number AND g.range IN (SELECT b >> 7 FROM unnest(blocks) b);
$$;

-- Counts what is indexed and not counted, the newest first: people ask for it first. Returns how many blocks: fewer than asked for
-- when nothing is left.
CREATE FUNCTION bemi.count_changes(log_number integer, max_blocks integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  from_block bigint;
  to_block bigint;
  done integer := 0;
BEGIN
  -- Never a name that is being erased.
  PERFORM pg_advisory_xact_lock(hashtext('bemi.change_index'), log_number);
  -- Runs of blocks that follow each other are counted at once.
  FOR from_block, to_block IN
    SELECT min(u.block), max(u.block) + 1
      FROM (SELECT b.block, b.block + row_number() OVER (ORDER BY b.block DESC) AS run FROM bemi.change_blocks b
             WHERE b.log = log_number AND NOT (b.changes_counted AND b.names_counted)
             ORDER BY b.block DESC LIMIT max_blocks) u
     GROUP BY u.run
  LOOP
    DELETE FROM bemi.activity a WHERE a.log = log_number AND a.block >= from_block AND a.block < to_block;
    DELETE FROM bemi.activity_names n WHERE n.log = log_number AND n.block >= from_block AND n.block < to_block;
    WITH tallies AS MATERIALIZED (
      SELECT array_agg(r.tally) AS tallies FROM bemi.indexed_rows(log_number, from_block, to_block) r
    ), counted AS (
      INSERT INTO bemi.activity (log, block, hour, "table", inserts, updates, deletes, truncates, without_context)
      SELECT log_number, a.* FROM tallies t CROSS JOIN LATERAL bemi.counted_changes(t.tallies) a ORDER BY 2, 3, 4
    ), named AS (
      INSERT INTO bemi.activity_names (log, block, hour, "table", names, changes, without_context, kinds)
      SELECT log_number, n.* FROM tallies t CROSS JOIN LATERAL bemi.counted_names(t.tallies) n ORDER BY 2, 3, 4
    )
    UPDATE bemi.change_blocks b SET changes_counted = true, names_counted = true
     WHERE b.log = log_number AND b.block >= from_block AND b.block < to_block;
    done := done + (to_block - from_block)::integer;
  END LOOP;
  RETURN CASE WHEN bemi.roll_up_names(log_number) THEN max_blocks ELSE done END;
END $$;

-- As before, and counts them.
CREATE OR REPLACE FUNCTION bemi.index_changes(log_number integer, max_blocks integer) RETURNS integer
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
  -- What was counted before the index was emptied.
  DELETE FROM bemi.activity a WHERE a.log = log_number AND a.block >= from_block;
  DELETE FROM bemi.activity_names n WHERE n.log = log_number AND n.block >= from_block;
  DELETE FROM bemi.activity_ranges g WHERE g.log = log_number AND g.range >= from_block >> 7;
  DELETE FROM bemi.activity_range_names g WHERE g.log = log_number AND g.range >= from_block >> 7;
  WITH rows AS MATERIALIZED (
    SELECT * FROM bemi.indexed_rows(log_number, from_block, to_block)
  ), tallies AS MATERIALIZED (
    SELECT array_agg(r.tally) AS tallies FROM rows r
  ), counted AS (
    INSERT INTO bemi.activity (log, block, hour, "table", inserts, updates, deletes, truncates, without_context)
    SELECT log_number, a.* FROM tallies t CROSS JOIN LATERAL bemi.counted_changes(t.tallies) a ORDER BY 2, 3, 4
  ), named AS (
    INSERT INTO bemi.activity_names (log, block, hour, "table", names, changes, without_context, kinds)
    SELECT log_number, n.* FROM tallies t CROSS JOIN LATERAL bemi.counted_names(t.tallies) n ORDER BY 2, 3, 4
  ), indexed AS (
    INSERT INTO bemi.change_index (log, context_no, sequence, last_sequence, transaction, document)
    SELECT log_number, r.context_no, r.sequence, r.last_sequence, r.transaction, r.document FROM rows r ORDER BY r.sequence
  )
  INSERT INTO bemi.change_blocks (log, block, first_at, last_at, changes_counted, names_counted)
  SELECT log_number, b, min(r.committed_at), max(r.committed_at), true, true
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
  PERFORM bemi.roll_up_names(log_number);
  RETURN to_block - from_block;
END $$;

-- As before, and the names that were counted.
CREATE OR REPLACE FUNCTION bemi.erase_entries(log_number integer, entries json) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  erased bigint := 0;
  touched bigint;
  first_entry bigint;
  last_entry bigint;
  blocks bigint[];
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
  -- Names that were counted: all of a block, which is counted again.
  WITH touched_blocks AS MATERIALIZED (
    SELECT DISTINCT b.block
      FROM (SELECT (pair->>0)::bigint AS first_entry, (pair->>1)::bigint AS last_entry FROM json_array_elements(entries) AS pair) e
     CROSS JOIN LATERAL (
       SELECT x.transaction FROM bemi.context_log x
        WHERE x.log = log_number AND x.sequence BETWEEN e.first_entry AND e.last_entry
        UNION
       SELECT t.transaction FROM bemi.transaction_log t
        WHERE t.log = log_number AND t.sequence BETWEEN e.first_entry AND e.last_entry AND t.commitment IS NOT NULL) erased_of
      JOIN bemi.transaction_log t ON t.log = log_number AND t.transaction = erased_of.transaction
     CROSS JOIN LATERAL generate_series(t.transaction >> 10, t.sequence >> 10) AS b(block)
  )
  SELECT array_agg(b.block) INTO blocks FROM touched_blocks b;
  PERFORM bemi.forget_names(log_number, blocks);
  PERFORM set_config('bemi.permit', '', true);
  RETURN erased;
END $$;

-- As before, and what was counted.
CREATE OR REPLACE FUNCTION bemi.drop_entries(log_number integer, before_sequence bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '300ms' AS $$
DECLARE
  parent text;
  child name;
  first_block bigint;
  cut_block bigint;
BEGIN
  IF before_sequence IS NULL
     OR before_sequence > (SELECT coalesce(max(t.transaction), 0) FROM bemi.transaction_log t WHERE t.log = log_number)
  THEN
    RAISE EXCEPTION 'entries before % of log % are not all old', before_sequence, log_number USING ERRCODE = 'BM003';
  END IF;
  FOR attempt IN 1..10 LOOP
    BEGIN
      -- index_changes may be counting what is dropped here.
      PERFORM pg_advisory_xact_lock(hashtext('bemi.change_index'), log_number);
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
  -- Of the first transaction that is left, entries may be gone: as far as it goes, it is counted again.
  SELECT t.transaction >> 10, t.sequence >> 10 INTO first_block, cut_block
    FROM bemi.transaction_log t WHERE t.log = log_number ORDER BY t.sequence LIMIT 1;
  DELETE FROM bemi.change_blocks b WHERE b.log = log_number AND b.block < first_block;
  UPDATE bemi.change_blocks b SET changes_counted = false, names_counted = false
   WHERE b.log = log_number AND b.block <= cut_block;
  DELETE FROM bemi.activity a WHERE a.log = log_number AND a.block <= cut_block;
  DELETE FROM bemi.activity_names n WHERE n.log = log_number AND n.block <= cut_block;
  DELETE FROM bemi.activity_ranges g WHERE g.log = log_number AND g.range <= cut_block >> 7;
  DELETE FROM bemi.activity_range_names g WHERE g.log = log_number AND g.range <= cut_block >> 7;
  PERFORM set_config('bemi.permit', '', true);
END $$;

REVOKE EXECUTE ON FUNCTION bemi.count_changes(integer, integer) FROM PUBLIC;
