-- Who it was, by the database's word: the view shows the actor that a trigger in the source reports
-- (docs/spec/context-message.md, Actor).

-- As before, and the actor. It is the transaction's, never part of a context.
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
       c.lsn AS position,
       t.actor::jsonb AS actor
  FROM bemi.change_log c
  JOIN bemi.sources s ON s.log = c.log
  JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
  JOIN bemi.transaction_log t ON t.log = c.log AND t.transaction = c.transaction
  LEFT JOIN bemi.context_log x ON x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no;

-- The name that people look for first, where it is ours: it has the columns that it was made with.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_rewrite w
               JOIN pg_class v ON v.oid = w.ev_class
               JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
              WHERE v.oid = to_regclass('public.changes') AND v.relkind = 'v'
                AND pg_has_role(v.relowner, 'USAGE') AND has_schema_privilege('public', 'CREATE')
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = 'bemi.changes'::regclass)
     AND (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
           WHERE a.attrelid = to_regclass('public.changes') AND a.attnum > 0)
         = ARRAY['id', 'database', 'schema', 'table', 'primary_key', 'operation', 'before', 'after', 'context',
                 'committed_at', 'queued_at', 'created_at', 'transaction_id', 'position']
     -- Somebody's own view of the same columns stays his.
     AND pg_get_viewdef(to_regclass('public.changes')) ~ '^[^(]* FROM bemi\.changes;?\s*$'
  THEN
    CREATE OR REPLACE VIEW public.changes AS SELECT * FROM bemi.changes;
  END IF;
END $$;
