import type pg from 'pg';
import type { TableFilter } from '../query/change-filter.ts';
import { relationsOf } from '../query/table-relations.ts';
import { type KeyColumns, keyColumnsOf, keyOfValues } from './old-key.ts';
import { type LifeEvent, type Lifetime, recordLifetimes } from './record-lifetimes.ts';

/** A change of the record that is to be erased. Holds no value of a row. */
export interface FoundChange {
  readonly sequence: number;
  readonly operation: string;
  readonly transaction: number;
  readonly contextNo: number;
  /** When it committed: ISO 8601 in UTC. */
  readonly committedAt: string;
}

export interface FoundRecord {
  /** In ascending order. */
  readonly changes: readonly FoundChange[];
  /** Every key under which the record was found; the one asked for comes first. */
  readonly keys: readonly string[];
  /** Quarantined rows of the table that hold the key's text: whose they are can't be told. */
  readonly suspects: readonly number[];
  /** Quarantined rows of the table, those among them. */
  readonly quarantinedCount: number;
}

export interface RecordToFind {
  readonly log: number;
  readonly table: TableFilter;
  /** As recorded; `recordKey` makes it. */
  readonly primaryKey: string;
}

/** Finds every change of a record that isn't erased yet, through changes of its key and all shapes of its table. */
export async function findRecord(client: pg.ClientBase, record: RecordToFind): Promise<FoundRecord> {
  const { log, table, primaryKey } = record;
  const relations = await relationsOf(client, log, [table]);
  const keyChanges = await readKeyChanges(client, log, relations);
  const changes = new Map<string, FoundChange[]>();
  const changesOf = async (key: string): Promise<readonly LifeEvent[]> => {
    const known = changes.get(key) ?? (await readChanges(client, log, relations, key));
    changes.set(key, known);
    return known.map(({ sequence, operation }) => ({
      ...{ sequence, key, oldKey: undefined },
      operation: operation as LifeEvent['operation'],
    }));
  };
  const lifetimes = await recordLifetimes(
    { keyChanges: (key) => keyChanges.get(key) ?? [], changesOf },
    primaryKey,
  );
  const keys = [...new Set([primaryKey, ...lifetimes.map(({ key }) => key)])];
  for (const key of keys) await changesOf(key);
  const found = keys.flatMap((key) => changes.get(key)!.filter((change) => isWithin(lifetimes, key, change)));
  found.sort((a, b) => a.sequence - b.sequence);
  return { changes: found, keys, ...(await readQuarantined(client, log, relations, keys)) };
}

function isWithin(lifetimes: readonly Lifetime[], key: string, { sequence }: FoundChange): boolean {
  return lifetimes.some((life) => life.key === key && life.from <= sequence && sequence <= life.to);
}

async function readChanges(
  client: pg.ClientBase,
  log: number,
  relations: readonly string[],
  key: string,
): Promise<FoundChange[]> {
  const { rows } = await client.query<
    Record<'sequence' | 'operation' | 'transaction' | 'at', string> & { no: number }
  >(
    `SELECT c.sequence, c.operation, c.transaction, c.context_no AS no,
            to_char(t.committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
       FROM bemi.change_log c JOIN bemi.transaction_log t ON t.log = c.log AND t.transaction = c.transaction
      WHERE c.log = $1 AND c.relation = ANY ($2::bigint[]) AND c.primary_key = $3
      ORDER BY c.sequence`,
    [log, relations, key],
  );
  return rows.map(({ sequence, operation, transaction, no, at }) => ({
    sequence: Number(sequence),
    operation,
    transaction: Number(transaction),
    contextNo: no,
    committedAt: at,
  }));
}

/**
 * The UPDATEs of a table that changed a key, under both keys. A column of the key is in `before` only where it changed;
 * or, where the identity is the key itself, where any of it did. No index finds them: it reads the table's UPDATEs.
 */
async function readKeyChanges(
  client: pg.ClientBase,
  log: number,
  relations: readonly string[],
): Promise<Map<string, LifeEvent[]>> {
  const changes: LifeEvent[] = [];
  const { rows: shapes } = await client.query<{ relation: string; document: string }>(
    'SELECT relation, document::text AS document FROM bemi.relations WHERE log = $1 AND relation = ANY ($2::bigint[])',
    [log, relations],
  );
  for (const { relation, document } of shapes) {
    const columns = keyColumnsOf(document);
    if (columns.names.length > 0) changes.push(...(await keyChangesOfShape(client, log, relation, columns)));
  }
  changes.sort((a, b) => a.sequence - b.sequence);
  const byKey = new Map<string, LifeEvent[]>();
  for (const change of changes) {
    for (const key of [change.key, change.oldKey!]) {
      const known = byKey.get(key);
      if (known) known.push(change);
      else byKey.set(key, [change]);
    }
  }
  return byKey;
}

async function keyChangesOfShape(
  client: pg.ClientBase,
  log: number,
  relation: string,
  columns: KeyColumns,
): Promise<LifeEvent[]> {
  const { rows } = await client.query<{ sequence: string; key: string; values: (string | null)[] }>(
    `SELECT c.sequence, c.primary_key AS key,
            ARRAY(SELECT coalesce(c.before->>name, c.after->>name)
                    FROM unnest($3::text[]) WITH ORDINALITY AS key(name, position) ORDER BY position) AS values
       FROM bemi.change_log c
      WHERE c.log = $1 AND c.relation = $2 AND c.operation = 'UPDATE' AND c.before_kind <> 'none'
        AND c.before IS NOT NULL AND c.primary_key IS NOT NULL
        AND EXISTS (SELECT FROM unnest($3::text[]) AS key(name) WHERE c.before->key.name IS NOT NULL)
      ORDER BY c.sequence`,
    [log, relation, columns.names],
  );
  return rows.flatMap(({ sequence, key, values }) => {
    const oldKey = keyOfValues(values, columns);
    if (oldKey === undefined || oldKey === key) return [];
    return [{ sequence: Number(sequence), operation: 'UPDATE' as const, key, oldKey }];
  });
}

/** A row in quarantine has no key: its bytes are a message of pgoutput, in which the key is a text among others. */
async function readQuarantined(
  client: pg.ClientBase,
  log: number,
  relations: readonly string[],
  keys: readonly string[],
): Promise<Pick<FoundRecord, 'suspects' | 'quarantinedCount'>> {
  const texts = keys.map(keyTexts).filter((parts) => parts !== undefined);
  const { rows } = await client.query<{ sequence: string; suspect: boolean }>(
    `SELECT c.sequence, bool_or(EXISTS (
              SELECT FROM json_array_elements($3::json) AS key(parts)
               WHERE NOT EXISTS (SELECT FROM json_array_elements_text(key.parts) AS part(text)
                                  WHERE position(convert_to(part.text, 'UTF8') IN q.bytes) = 0))) AS suspect
       FROM bemi.quarantine q JOIN bemi.change_log c ON c.log = q.log AND c.sequence = q.sequence
      WHERE q.log = $1 AND q.field = 'row' AND q.bytes IS NOT NULL AND c.relation = ANY ($2::bigint[])
      GROUP BY c.sequence ORDER BY c.sequence`,
    [log, relations, JSON.stringify(texts)],
  );
  const suspects = rows.filter(({ suspect }) => suspect).map(({ sequence }) => Number(sequence));
  return { suspects, quarantinedCount: rows.length };
}

/** The texts of a key's columns; unknown of a key that is recorded as its hash. */
function keyTexts(key: string): readonly string[] | undefined {
  if (key.startsWith('sha256:')) return undefined;
  return /^\[".*"\]$/su.test(key) ? (JSON.parse(key) as string[]) : [key];
}
