-- Authentic contexts: the applications' keys, and contexts shown without what makes them authentic
-- (docs/spec/context-message.md).

-- The keys of a log's source, as the log's `config` events say.
CREATE TABLE bemi.context_keys (
  log        integer     NOT NULL REFERENCES bemi.logs,
  -- The first 8 characters of the key, which are no secret.
  id         text        NOT NULL,
  -- Of the event that made it.
  sequence   bigint      NOT NULL,
  name       text,
  created_at timestamptz NOT NULL,
  -- From when on it counts no longer, by the time of a transaction's commit.
  revoked_at timestamptz,
  PRIMARY KEY (log, id)
);

-- The keys themselves, encrypted with BEMI_ENCRYPTION_KEY, which is not in this database. The reader may not read this
-- table (src/roles). A key counts only once it is in context_keys too.
CREATE TABLE bemi.context_secrets (
  log    integer NOT NULL REFERENCES bemi.logs,
  id     text    NOT NULL,
  sealed bytea   NOT NULL,
  PRIMARY KEY (log, id)
);
CREATE TRIGGER refuse_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON bemi.context_secrets FOR EACH STATEMENT
  EXECUTE FUNCTION bemi.refuse_changes('');

-- Keeps the table of keys what the events say.
CREATE FUNCTION bemi.apply_config(log_number integer, event_sequence bigint, config json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF config->>'event' = 'context-key-created' THEN
    INSERT INTO bemi.context_keys (log, id, sequence, name, created_at)
    VALUES (log_number, config->>'id', event_sequence, config->>'name', (config->>'createdAt')::timestamptz)
    ON CONFLICT DO NOTHING;
  ELSIF config->>'event' = 'context-key-revoked' THEN
    UPDATE bemi.context_keys k
       SET revoked_at = least(k.revoked_at, (config->>'revokedAt')::timestamptz)
     WHERE k.log = log_number AND k.id = config->>'id';
  END IF;
END $$;

-- As before, and keys.
CREATE OR REPLACE FUNCTION bemi.carry_out(log_number integer, kind text, event_sequence bigint, payload json) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE kind
    WHEN 'erasure' THEN PERFORM bemi.erase_entries(log_number, payload->'entries');
    WHEN 'retention' THEN PERFORM bemi.drop_entries(log_number, (payload->>'before')::bigint);
    WHEN 'hold' THEN PERFORM bemi.apply_hold(log_number, event_sequence, payload);
    WHEN 'config' THEN PERFORM bemi.apply_config(log_number, event_sequence, payload);
    ELSE NULL;
  END CASE;
END $$;

-- As before; a member that differs in each context would make the index as large as the log.
CREATE OR REPLACE FUNCTION bemi.index_contexts(log_number integer, max_rows integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  copied integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('bemi.context_index'), log_number);
  INSERT INTO bemi.context_index (log, context_no, sequence, transaction, context)
  SELECT log, context_no, sequence, transaction, context::jsonb - '_bemi' FROM bemi.context_log
   WHERE log = log_number AND sequence > bemi.indexed_contexts(log_number) AND context IS NOT NULL
   ORDER BY sequence LIMIT max_rows;
  GET DIAGNOSTICS copied = ROW_COUNT;
  RETURN copied;
END $$;

-- As before; of a context, what the application said.
CREATE OR REPLACE VIEW bemi.changes AS
SELECT c.sequence AS id,
       s.database,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.schema_name ELSE r.root_schema END AS schema,
       CASE WHEN c.operation = 'TRUNCATE' THEN r.table_name ELSE r.root_table END AS "table",
       c.primary_key,
       c.operation,
       CASE WHEN c.operation = 'UPDATE' AND c.before_kind = 'full' THEN c.after::jsonb || c.before::jsonb
            ELSE c.before::jsonb END AS before,
       c.after::jsonb AS after,
       x.context::jsonb - '_bemi' AS context,
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

REVOKE EXECUTE ON FUNCTION bemi.apply_config(integer, bigint, json) FROM PUBLIC;
