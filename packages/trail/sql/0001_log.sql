-- The log and what it is made of. docs/architecture.md describes each table; names and types here are the
-- stored format. Row text is json, not jsonb: it loads faster, and what was hashed is exactly what is stored.

-- A log is one ordered, gap-free sequence of entries. The writer locks its row in every audit transaction.
CREATE TABLE bemi.logs (
  log           integer     PRIMARY KEY,
  name          text        NOT NULL UNIQUE,
  -- 16 random bytes in hexadecimal: part of the origin that its checkpoints name, docs/spec/log.md.
  log_id        text        NOT NULL UNIQUE,
  created_at    timestamptz NOT NULL DEFAULT now(),
  -- Counts the writers that have taken the log over; only the newest may append.
  epoch         bigint      NOT NULL DEFAULT 0,
  next_sequence bigint      NOT NULL DEFAULT 0
) WITH (fillfactor = 10); -- updated in every audit transaction: room for HOT

-- Where a log's entries come from, and how far they are recorded.
CREATE TABLE bemi.sources (
  log               integer PRIMARY KEY REFERENCES bemi.logs,
  system_identifier text    NOT NULL,
  database          text    NOT NULL,
  slot              text    NOT NULL,
  publication       text    NOT NULL,
  generation        integer NOT NULL DEFAULT 1,
  timeline          integer NOT NULL,
  -- The log is complete from here on: the slot's position when recording began.
  complete_from_lsn pg_lsn  NOT NULL,
  -- final_lsn of the last recorded transaction. A transaction sent again is one at or below it.
  last_final_lsn    pg_lsn  NOT NULL DEFAULT '0/0',
  -- What the slot may be told. Never told before this row is committed.
  confirmed_lsn     pg_lsn  NOT NULL
) WITH (fillfactor = 10);

-- One row for each shape that a table has had.
CREATE TABLE bemi.relations (
  log         integer NOT NULL REFERENCES bemi.logs,
  -- Sequence of the event that put this shape into the log.
  relation    bigint  NOT NULL,
  oid         bigint  NOT NULL,
  schema_name text    NOT NULL,
  table_name  text    NOT NULL,
  -- The partitioned table that a partition belongs to, at the root; else the table itself.
  root_schema text    NOT NULL,
  root_table  text    NOT NULL,
  document    json    NOT NULL,
  PRIMARY KEY (log, relation)
);
CREATE INDEX ON bemi.relations (log, root_schema, root_table);

-- The columns from the operation to the new row stand together and in this order: docs/spec/record.md commits to them.
CREATE TABLE bemi.change_log (
  log         integer NOT NULL,
  context_no  integer NOT NULL,
  relation    bigint  NOT NULL,
  sequence    bigint  NOT NULL,
  -- Sequence of the transaction's first entry: a transaction's identity. Its entries are contiguous up to its commit.
  transaction bigint  NOT NULL,
  lsn         pg_lsn  NOT NULL,
  before_kind text    NOT NULL,
  operation   text    NOT NULL,
  salt        bytea,
  primary_key text    COLLATE "C",
  -- The old row. Of an UPDATE with a full old row: only the columns that changed.
  before      json,
  after       json,
  -- Kept when payload and salt are erased.
  commitment  bytea,
  PRIMARY KEY (sequence, log)
) PARTITION BY LIST (log);
CREATE INDEX ON bemi.change_log (relation, primary_key, sequence);
-- Sequence comes first in the primary keys so that "the newest changes" of any log come from the index in order.

CREATE TABLE bemi.context_log (
  log          integer NOT NULL,
  context_no   integer NOT NULL,
  sequence     bigint  NOT NULL,
  transaction  bigint  NOT NULL,
  authenticity text    NOT NULL,
  salt         bytea,
  context      json,
  commitment   bytea,
  PRIMARY KEY (sequence, log)
) PARTITION BY LIST (log);
CREATE INDEX ON bemi.context_log (transaction, context_no);

-- The contexts again, to be searched by any member. Upkeep copies them here from context_log, from another connection
-- than the writer's and some seconds behind: an index that the writer had to maintain took 30 % of its time, also
-- with a pending list. Those not copied yet are few, and searched where they stand. Can be emptied and made again.
CREATE TABLE bemi.context_index (
  log         integer NOT NULL,
  context_no  integer NOT NULL,
  sequence    bigint  NOT NULL,
  transaction bigint  NOT NULL,
  context     jsonb   NOT NULL,
  PRIMARY KEY (sequence, log)
) PARTITION BY LIST (log);
CREATE INDEX ON bemi.context_index USING gin (context jsonb_path_ops);

CREATE TABLE bemi.transaction_log (
  log              integer     NOT NULL,
  generation       integer     NOT NULL,
  -- Of the commit entry, the transaction's last.
  sequence         bigint      NOT NULL,
  transaction      bigint      NOT NULL,
  commit_lsn       pg_lsn      NOT NULL,
  end_lsn          pg_lsn      NOT NULL,
  -- end_lsn of the transaction recorded before: between the two nothing else was committed to the published tables.
  covered_from_lsn pg_lsn      NOT NULL,
  xid              bigint      NOT NULL,
  committed_at     timestamptz NOT NULL,
  recorded_at      timestamptz NOT NULL,
  change_count     bigint      NOT NULL,
  context_count    integer     NOT NULL,
  -- What a trigger in the source says of who did it; with its salt and commitment, as in the other tables.
  salt             bytea,
  actor            json,
  commitment       bytea,
  PRIMARY KEY (sequence, log)
) PARTITION BY LIST (log);
CREATE INDEX ON bemi.transaction_log (transaction);
-- Commit LSNs rise with the sequence: a few bytes for each range of pages are enough.
CREATE INDEX ON bemi.transaction_log USING brin (commit_lsn) WITH (pages_per_range = 16, autosummarize = on);
-- Commit times are not monotonic and clocks jump: an attribute to search by, never an order or a partition key.
CREATE INDEX ON bemi.transaction_log USING brin (committed_at) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE bemi.event_log (
  log        integer     NOT NULL,
  sequence   bigint      NOT NULL,
  at         timestamptz NOT NULL,
  kind       text        NOT NULL,
  salt       bytea,
  actor      text,
  payload    json,
  commitment bytea,
  PRIMARY KEY (sequence, log)
) PARTITION BY LIST (log);

-- What jsonb would reject, as it came. The entry that it belongs to says what stands in its place.
CREATE TABLE bemi.quarantine (
  log      integer NOT NULL,
  sequence bigint  NOT NULL,
  part     integer NOT NULL DEFAULT 0,
  field    text    NOT NULL,
  reason   text    NOT NULL,
  bytes    bytea,
  PRIMARY KEY (log, sequence, field, part)
);

-- The log's Merkle tree, docs/spec/log.md: full tiles of 256 hashes. They stay when entries are dropped.
CREATE TABLE bemi.tiles (
  log    integer  NOT NULL REFERENCES bemi.logs,
  level  smallint NOT NULL,
  index  bigint   NOT NULL,
  hashes bytea    NOT NULL,
  PRIMARY KEY (log, level, index)
);
ALTER TABLE bemi.tiles ALTER COLUMN hashes SET STORAGE EXTERNAL; -- hashes don't compress

-- Where the tree ends: the roots of its perfect subtrees, and the checkpoint over them. Moves with every audit
-- transaction that has entries.
CREATE TABLE bemi.frontier (
  log        integer     PRIMARY KEY REFERENCES bemi.logs,
  size       bigint      NOT NULL,
  hashes     bytea       NOT NULL,
  checkpoint text        NOT NULL,
  signed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 10);

-- Checkpoints of the past, one a minute while the log grows.
CREATE TABLE bemi.checkpoints (
  log        integer     NOT NULL REFERENCES bemi.logs,
  size       bigint      NOT NULL,
  checkpoint text        NOT NULL,
  signed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (log, size)
);

-- Other processes never append: they ask here, and the worker appends and answers with the sequence.
CREATE TABLE bemi.inbox (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  log          integer     NOT NULL REFERENCES bemi.logs,
  kind         text        NOT NULL,
  actor        text,
  payload      json        NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  sequence     bigint,
  answered_at  timestamptz
);
CREATE INDEX ON bemi.inbox (log, id) WHERE sequence IS NULL;

CREATE FUNCTION bemi.notify_inbox() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_notify('bemi_inbox', new.log::text);
  RETURN NULL;
END $$;
CREATE TRIGGER notify_inbox AFTER INSERT ON bemi.inbox FOR EACH ROW EXECUTE FUNCTION bemi.notify_inbox();

-- Makes a log with its place in every partitioned table. Returns its number; an existing name is returned as it is.
CREATE FUNCTION bemi.create_log(log_name text, new_log_id text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  number integer;
  parent text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('bemi.create_log'));
  SELECT l.log INTO number FROM bemi.logs l WHERE l.name = log_name;
  IF found THEN RETURN number; END IF;
  SELECT coalesce(max(l.log) + 1, 0) INTO number FROM bemi.logs l;
  INSERT INTO bemi.logs (log, name, log_id) VALUES (number, log_name, new_log_id);
  FOREACH parent IN ARRAY ARRAY['change_log', 'context_log', 'context_index', 'transaction_log', 'event_log'] LOOP
    EXECUTE format('CREATE TABLE bemi.%I PARTITION OF bemi.%I FOR VALUES IN (%s) PARTITION BY RANGE (sequence)',
                   parent || '_' || number, parent, number);
  END LOOP;
  RETURN number;
END $$;

-- Makes the partitions of one range of sequences, ahead of the writer. Attaching takes a lock that appending does
-- not conflict with, unlike CREATE TABLE … PARTITION OF. A range that exists already is left as it is.
CREATE FUNCTION bemi.create_partitions(log_number integer, from_sequence bigint, to_sequence bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  parent text;
  child text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('bemi.create_partitions'), log_number);
  FOREACH parent IN ARRAY ARRAY['change_log', 'context_log', 'context_index', 'transaction_log', 'event_log'] LOOP
    child := parent || '_' || log_number || '_' || from_sequence;
    CONTINUE WHEN to_regclass(format('bemi.%I', child)) IS NOT NULL;
    EXECUTE format('CREATE TABLE bemi.%I (LIKE bemi.%I INCLUDING DEFAULTS)', child, parent);
    EXECUTE format('ALTER TABLE bemi.%I ATTACH PARTITION bemi.%I FOR VALUES FROM (%s) TO (%s)',
                   parent || '_' || log_number, child, from_sequence, to_sequence);
  END LOOP;
END $$;

-- Takes a log over for a new writer: whoever wrote before is fenced off from here on.
CREATE FUNCTION bemi.take_over(log_number integer) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog AS $$
  UPDATE bemi.logs SET epoch = epoch + 1 WHERE log = log_number RETURNING epoch
$$;

-- First statement of every audit transaction: one writer, and it knows where the log ends.
CREATE FUNCTION bemi.fence(log_number integer, writer_epoch bigint, writer_next_sequence bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  current bemi.logs;
BEGIN
  SELECT * INTO STRICT current FROM bemi.logs WHERE log = log_number FOR NO KEY UPDATE;
  IF current.epoch <> writer_epoch THEN
    RAISE EXCEPTION 'log % was taken over by another writer', log_number USING ERRCODE = 'BM001';
  END IF;
  IF current.next_sequence <> writer_next_sequence THEN
    RAISE EXCEPTION 'log % continues at %, not at %', log_number, current.next_sequence, writer_next_sequence
      USING ERRCODE = 'BM002';
  END IF;
END $$;

-- Last statement of every audit transaction: the position moves in the same commit as the entries.
CREATE FUNCTION bemi.advance(log_number integer, new_next_sequence bigint, new_last_final_lsn pg_lsn,
                             new_confirmed_lsn pg_lsn, new_timeline integer)
RETURNS void LANGUAGE sql SET search_path = pg_catalog AS $$
  UPDATE bemi.logs SET next_sequence = new_next_sequence WHERE log = log_number AND next_sequence <> new_next_sequence;
  UPDATE bemi.sources
     SET last_final_lsn = greatest(last_final_lsn, new_last_final_lsn),
         confirmed_lsn = greatest(confirmed_lsn, new_confirmed_lsn),
         timeline = new_timeline
   WHERE log = log_number;
$$;

-- Moves the end of the tree, in the same commit as the entries.
CREATE FUNCTION bemi.seal(log_number integer, new_size bigint, new_hashes bytea, new_checkpoint text)
RETURNS void LANGUAGE sql SET search_path = pg_catalog AS $$
  INSERT INTO bemi.frontier (log, size, hashes, checkpoint) VALUES (log_number, new_size, new_hashes, new_checkpoint)
  ON CONFLICT (log) DO UPDATE SET size = excluded.size, hashes = excluded.hashes, checkpoint = excluded.checkpoint,
                                  signed_at = excluded.signed_at;
  INSERT INTO bemi.checkpoints (log, size, checkpoint)
  SELECT log_number, new_size, new_checkpoint
   WHERE NOT EXISTS (SELECT 1 FROM bemi.checkpoints c WHERE c.log = log_number
                      AND c.size = (SELECT max(size) FROM bemi.checkpoints WHERE log = log_number)
                      AND c.signed_at > clock_timestamp() - interval '1 minute')
  ON CONFLICT (log, size) DO NOTHING;
$$;

-- Sequence of the newest context that is in the index; those after it are searched in context_log. -1 when there is none.
CREATE FUNCTION bemi.indexed_contexts(log_number integer) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT coalesce((SELECT sequence FROM bemi.context_index WHERE log = log_number ORDER BY sequence DESC LIMIT 1), -1)
$$;

-- Copies the oldest contexts that are not in the index yet. Returns how many: fewer than asked for when it has caught up.
CREATE FUNCTION bemi.index_contexts(log_number integer, max_rows integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
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

-- What people query. The old row of an UPDATE is rebuilt from the new one and the columns that changed.
-- An id is unique within a database's log. Row changes of a partition show the table at its root; a TRUNCATE shows the partition that was emptied.
CREATE VIEW bemi.changes AS
SELECT c.sequence AS id,
       s.database,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.schema_name ELSE r.root_schema END AS schema,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.table_name ELSE r.root_table END AS "table",
       c.primary_key,
       c.operation,
       CASE WHEN c.operation = 'UPDATE' AND c.before_kind = 'full' THEN c.after::jsonb || c.before::jsonb
            ELSE c.before::jsonb END AS before,
       c.after::jsonb AS after,
       x.context::jsonb AS context,
       t.committed_at,
       t.recorded_at AS queued_at,
       t.recorded_at AS created_at,
       t.xid AS transaction_id,
       c.lsn AS position
  FROM bemi.change_log c
  JOIN bemi.sources s ON s.log = c.log
  JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
  JOIN bemi.transaction_log t ON t.log = c.log AND t.transaction = c.transaction
  LEFT JOIN bemi.context_log x ON x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no;

-- The name that people look for first, where it is free.
DO $$
BEGIN
  IF to_regclass('public.changes') IS NULL AND to_regnamespace('public') IS NOT NULL
     AND has_schema_privilege('public', 'CREATE') THEN
    CREATE VIEW public.changes AS SELECT * FROM bemi.changes;
  END IF;
END $$;
