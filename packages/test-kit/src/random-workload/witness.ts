import pg from 'pg';
import type { WorkloadTable } from './workload-tables.ts';

/**
 * The source's own word on what each of its transactions did, apart from the WAL's decoding: triggers on every table keep
 * each change in a journal, within the transaction that makes it. What is rolled back, to a savepoint too, takes its
 * part of the journal with it. The journal is not published.
 *
 * A trigger's name makes it fire before those that write, and before foreign keys act. Rows are kept as the log must
 * show them: `before` by the table's replica identity, no unpublished column, and no TOASTed value that an UPDATE left
 * alone where the WAL can't hold it. A value of 2,560 bytes is always TOASTed, one of 200 bytes never.
 */
const journalSql = `
  CREATE SCHEMA witness;
  CREATE SEQUENCE witness.number;
  CREATE TABLE witness.change (number bigint NOT NULL, xid bigint NOT NULL, oid oid NOT NULL, schema text NOT NULL,
    "table" text NOT NULL, operation text NOT NULL, before_kind text NOT NULL, primary_key text, before jsonb, after jsonb);
  CREATE INDEX ON witness.change (xid, number);
  CREATE TABLE witness.context (number bigint NOT NULL, xid bigint NOT NULL, content jsonb NOT NULL);
  CREATE INDEX ON witness.context (xid, number);
  CREATE TABLE witness.watched (oid oid PRIMARY KEY, replay_key text[], unpublished text[] NOT NULL, wide text[] NOT NULL);

  -- The log has xids as the WAL has them, without their epoch.
  CREATE FUNCTION witness.xid() RETURNS bigint LANGUAGE sql AS 'SELECT txid_current() % 4294967296';

  -- The primary key's text: of one column its text, of several a JSON array of texts.
  CREATE FUNCTION witness.key_text(columns text[], "row" jsonb) RETURNS text LANGUAGE sql AS $$
    SELECT CASE cardinality(columns) WHEN 0 THEN NULL WHEN 1 THEN "row"->>columns[1]
           ELSE (SELECT '[' || string_agg(to_json("row"->>name)::text, ',' ORDER BY number) || ']'
                   FROM unnest(columns) WITH ORDINALITY AS c(name, number)) END
  $$;

  CREATE FUNCTION witness.keep_row() RETURNS trigger LANGUAGE plpgsql
    SET TimeZone = 'UTC' SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres'
    SET extra_float_digits = 1 SET bytea_output = 'hex' AS $$
  DECLARE
    root_schema text := TG_ARGV[0];
    root_table text := TG_ARGV[1];
    is_full boolean := TG_ARGV[2] = 'full';
    identity text[] := CASE WHEN TG_ARGV[2] = 'full' THEN '{}' ELSE TG_ARGV[2] END;
    key text[] := TG_ARGV[3];
    unpublished text[] := TG_ARGV[4];
    wide text[] := TG_ARGV[5];
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(old) - unpublished END;
    now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(new) - unpublished END;
    old_identity jsonb;
    kind text := 'none';
    seen jsonb;
    name text;
  BEGIN
    IF TG_OP <> 'INSERT' AND is_full THEN
      kind := 'full';
      seen := was;
    ELSIF TG_OP <> 'INSERT' THEN
      SELECT jsonb_object_agg(c, was->c) INTO old_identity FROM unnest(identity) AS c;
      IF TG_OP = 'DELETE' OR NOT now @> old_identity THEN
        kind := 'key';
        seen := old_identity;
      END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND NOT is_full THEN
      FOREACH name IN ARRAY wide LOOP
        IF was->name = now->name AND length(was->>name) >= 2560 THEN now := now - name; END IF;
      END LOOP;
    END IF;
    INSERT INTO witness.change VALUES (nextval('witness.number'), witness.xid(), TG_RELID,
      CASE root_schema WHEN '' THEN TG_TABLE_SCHEMA ELSE root_schema END,
      CASE root_table WHEN '' THEN TG_TABLE_NAME ELSE root_table END,
      TG_OP, kind, witness.key_text(key, coalesce(now, was)), seen, now);
    RETURN NULL;
  END $$;

  CREATE FUNCTION witness.keep_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO witness.change VALUES (nextval('witness.number'), witness.xid(), TG_RELID, TG_TABLE_SCHEMA, TG_TABLE_NAME,
      'TRUNCATE', 'none', NULL, NULL, NULL);
    RETURN NULL;
  END $$;

  -- Sends a context, and keeps it where a rollback takes it as it takes the message.
  CREATE FUNCTION witness.send_context(content text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_logical_emit_message(true, '_bemi', content);
    INSERT INTO witness.context VALUES (nextval('witness.number'), witness.xid(), content::jsonb);
  END $$;
`;

/** Makes the journal, and the triggers that fill it. */
export async function createWitness(client: pg.ClientBase, tables: readonly WorkloadTable[]): Promise<void> {
  await client.query(journalSql);
  for (const table of tables) {
    const { name, key, hasNoReplayKey, unpublished = [], wide = [] } = table;
    await client.query(watchSql(table));
    await client.query('INSERT INTO witness.watched VALUES ($1::text::regclass, $2, $3, $4)', [
      name,
      hasNoReplayKey ? null : key,
      unpublished,
      wide,
    ]);
  }
}

/**
 * Makes a table's triggers, in place of those that it has. The identity is an argument of the trigger and not looked up in the
 * catalog, where a transaction with an older snapshot sees what was.
 */
export function watchSql({
  name,
  root,
  identity,
  key,
  unpublished = [],
  wide = [],
}: Omit<WorkloadTable, 'hasNoReplayKey'>): string {
  const parameters = [
    root?.schema ?? '',
    root?.table ?? '',
    identity === 'full' ? 'full' : arrayText(identity),
    arrayText(key),
    arrayText(unpublished),
    arrayText(wide),
  ];
  // ALWAYS: also where a session plays the replica and other triggers are silent.
  return `
    DROP TRIGGER IF EXISTS "0_witness" ON ${name};
    DROP TRIGGER IF EXISTS "0_witness_truncate" ON ${name};
    CREATE TRIGGER "0_witness" AFTER INSERT OR UPDATE OR DELETE ON ${name} FOR EACH ROW
      EXECUTE FUNCTION witness.keep_row(${parameters.map(pg.escapeLiteral).join(', ')});
    CREATE TRIGGER "0_witness_truncate" AFTER TRUNCATE ON ${name} FOR EACH STATEMENT
      EXECUTE FUNCTION witness.keep_truncate();
    ALTER TABLE ${name} ENABLE ALWAYS TRIGGER "0_witness", ENABLE ALWAYS TRIGGER "0_witness_truncate";`;
}

/** Forgets what has been compared, so that the journal of a long run stays small. Nothing may be written meanwhile. */
export async function pruneWitness(client: pg.ClientBase): Promise<void> {
  await client.query('TRUNCATE witness.change, witness.context');
}

export interface WitnessedCounts {
  /** Committed transactions that changed a table. */
  readonly transactions: number;
  /** Committed changes by operation. */
  readonly changes: Readonly<Record<string, number>>;
}

/** What the journal holds: what has been committed since it was last pruned. */
export async function witnessedCounts(client: pg.ClientBase): Promise<WitnessedCounts> {
  const { rows } = await client.query<{ operation: string; count: string }>(
    'SELECT operation, count(*) FROM witness.change GROUP BY operation ORDER BY operation',
  );
  const { rows: transactions } = await client.query<{ count: string }>(
    'SELECT count(DISTINCT xid) FROM witness.change',
  );
  return {
    transactions: Number(transactions[0]!.count),
    changes: Object.fromEntries(rows.map(({ operation, count }) => [operation, Number(count)])),
  };
}

function arrayText(names: readonly string[]): string {
  return `{${names.map((name) => `"${name}"`).join(',')}}`;
}
