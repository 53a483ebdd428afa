import { extendPartitions } from '@bemi-db/trail/partitions';
import { createSource, findSource } from '@bemi-db/trail/sources';
import type pg from 'pg';

export interface FilledLogOptions {
  /** About how many changes. */
  readonly changes: number;
  /** Name of the log; made where there is none. */
  readonly name?: string;
  /** When the last transaction commits; the first one two years before. */
  readonly until?: Date;
  /** Of the log, where it has a beginning already: what was returned. */
  readonly from?: FilledLog;
  /** Stops after this share of the changes, to be gone on with. Default 1. */
  readonly share?: number;
  /** Sequence of the first transaction. Default: behind the tables' shapes. */
  readonly firstSequence?: number;
  /** Called when the log is there, before the first partitions are. */
  readonly onLog?: (log: number) => Promise<void>;
  readonly onProgress?: (done: number) => void;
}

export interface FilledLog {
  readonly log: number;
  readonly nextSequence: number;
  /** Transactions that were written. */
  readonly transactions: number;
}

/** Tables of a clinic, the busiest first. The last three are special: changed long ago, seldom, never. */
export const filledTables = [
  ...['appointment', 'observation', 'patient', 'note', 'prescription', 'invoice'],
  ...['bed', 'staff', 'device', 'consent_form', 'ward', 'archive'],
] as const;

const batchTransactions = 20_000;

/**
 * Fills an empty log by SQL in the audit database itself, which is fast enough for millions: transactions of 3 to 5 changes
 * to 12 tables, by users of whom few do most; 5 % without a context; some TRUNCATEs; commit times over two years, with jitter.
 * The same number of changes gives the same log. There is neither tree nor checkpoint: nothing of it is proven.
 *
 * What is there to be looked for: `role` and `endpoint` of a few values, `userId` of some thousands, a `requestId` of its
 * own for each transaction; `release` "r1" in the older 40 % alone; `breakGlass` in one of 20,000; and role NURSE never
 * together with endpoint /admin.
 *
 * What changes and contexts hold is in the texts below.
 */
export async function fillLog(client: pg.Client, options: FilledLogOptions): Promise<FilledLog> {
  const { changes, until = new Date('2026-11-22T00:00:00Z'), share = 1, onProgress } = options;
  await client.query('SET synchronous_commit = off');
  const { log, ...begun } = options.from ?? (await beginLog(client, options));
  const all = Math.ceil(changes / 4);
  const end = Math.ceil(all * share);
  let { nextSequence, transactions } = begun;
  while (transactions < end) {
    const count = Math.min(batchTransactions, end - transactions);
    await extendPartitions(client, log, nextSequence);
    const { rows } = await client.query<{ next: string }>(batchStatement, [
      ...[log, transactions, count, all, nextSequence, until],
    ]);
    nextSequence = Number(rows[0]!.next);
    await client.query('UPDATE bemi.logs SET next_sequence = $2 WHERE log = $1', [log, nextSequence]);
    transactions += count;
    onProgress?.(transactions * 4);
  }
  return { log, nextSequence, transactions };
}

async function beginLog(
  client: pg.Client,
  { name = 'clinic', firstSequence, onLog }: FilledLogOptions,
): Promise<FilledLog> {
  await createSource(client, {
    ...{ name, systemIdentifier: '1', database: name, slot: 'bemi_slot', publication: 'bemi_publication' },
    ...{ timeline: 1, completeFromLsn: '0/100' },
  });
  const { log } = (await findSource(client, name))!;
  await onLog?.(log);
  await extendPartitions(client, log, 0);
  await client.query(relationsStatement, [log, filledTables]);
  await client.query(relationEventsStatement, [log]);
  return { log, nextSequence: firstSequence ?? filledTables.length, transactions: 0 };
}

const relationsStatement = `
  INSERT INTO bemi.relations (log, relation, oid, schema_name, table_name, root_schema, root_table, document)
  SELECT $1, n - 1, 16384 + n, 'public', name, 'public', name, '{}' FROM unnest($2::text[]) WITH ORDINALITY AS t(name, n)`;
const relationEventsStatement = `
  INSERT INTO bemi.event_log (log, sequence, at, kind, salt, payload)
  SELECT $1, relation, timestamptz '2024-01-01Z', 'relation', decode(md5(relation::text), 'hex'), document FROM bemi.relations
   WHERE log = $1`;

/** Uniform in [0, 1), the same for the same numbers. */
const chance = (number: string, seed: number): string =>
  `((hashint8extended(${number}, ${seed}) & 1073741823) / 1073741824.0::float8)`;
const chosen = (values: readonly string[], share: string): string =>
  `(ARRAY['${values.join("','")}'])[1 + floor(${share} * ${values.length})::integer]`;

const roles = ['NURSE', 'PHYSICIAN', 'CLERK', 'BILLING'];
const endpoints = ['/visits', '/patients', '/orders', '/beds', '/invoices', '/notes', '/search', '/admin'];

// $1 log, $2 first transaction, $3 how many, $4 of how many, $5 next sequence, $6 when the last one commits.
const batchStatement = `
WITH numbered AS MATERIALIZED (
  SELECT n, ${chance('n', 1)} >= 0.05 AS has_context, 3 + floor(${chance('n', 2)} * 3)::integer AS changes
    FROM generate_series($2::bigint, $2::bigint + $3::bigint - 1) n
), transactions AS MATERIALIZED (
  SELECT n, has_context, changes,
         $5::bigint + (sum(changes + has_context::integer + 1) OVER (ORDER BY n)
                       - (changes + has_context::integer + 1))::bigint AS first_entry,
         floor(power(${chance('n', 3)}, 3) * 5000)::integer AS user_number,
         $6::timestamptz - interval '730 days' * (1 - (n + 1)::float8 / $4::bigint)
           + interval '1 hour' * (${chance('n', 4)} - 0.5) AS at,
         ('0/1000'::pg_lsn - '0/0'::pg_lsn + n * 1000)::bigint AS lsn,
         (4293000000 + n) % 4294967296 AS xid
    FROM numbered
), context_rows AS (
  INSERT INTO bemi.context_log (log, context_no, sequence, transaction, authenticity, salt, context)
  SELECT $1, 0, first_entry, first_entry, 'unsigned', decode(md5(n::text), 'hex'),
         json_build_object(
           'userId', 'user_' || user_number,
           'role', CASE WHEN endpoint = '/admin' THEN 'CLERK' ELSE role END,
           'requestId', md5('r' || n), 'endpoint', endpoint,
           'ipAddress', '10.0.' || user_number % 200 || '.' || user_number % 250,
           'release', CASE WHEN n < $4::bigint * 0.4 THEN 'r1' ELSE 'r2' END,
           'accessReason', CASE WHEN n % 20000 = 777 THEN 'breakGlass' ELSE 'TREATMENT' END)
    FROM (SELECT *, ${chosen(roles, chance('user_number', 5))} AS role,
                 ${chosen(endpoints, `power(${chance('n', 6)}, 2)`)} AS endpoint
            FROM transactions WHERE has_context ORDER BY n) t
), changes AS MATERIALIZED (
  SELECT t.*, i, t.first_entry + t.has_context::integer + i AS sequence, t.n * 8 + i AS number
    FROM transactions t CROSS JOIN LATERAL generate_series(0, t.changes - 1) i
), typed AS (
  SELECT c.*,
         CASE WHEN n % 50000 = 4321 AND i = 0 THEN 'TRUNCATE'
              WHEN ${chance('number', 7)} < 0.3 THEN 'INSERT' WHEN ${chance('number', 7)} < 0.9 THEN 'UPDATE' ELSE 'DELETE' END
           AS operation,
         CASE WHEN n < $4::bigint * 0.1 AND ${chance('number', 8)} < 0.1 THEN 9 -- consent_form
              WHEN number % 100003 = 55 THEN 10 -- ward
              ELSE floor(power(${chance('number', 9)}, 2) * 9)::integer END AS relation,
         floor(power(${chance('number', 10)}, 2) * 200000)::integer AS key
    FROM changes c
), change_rows AS (
  INSERT INTO bemi.change_log (log, context_no, relation, sequence, transaction, lsn, before_kind, operation, salt,
                               primary_key, before, after)
  SELECT $1, 0, relation, sequence, first_entry, '0/0'::pg_lsn + lsn + i,
         CASE WHEN operation IN ('UPDATE', 'DELETE') THEN 'full' ELSE 'none' END, operation,
         decode(md5(number::text), 'hex'),
         CASE WHEN operation <> 'TRUNCATE' THEN key::text END,
         CASE operation WHEN 'UPDATE' THEN json_build_object('status', 's' || number % 7, 'updatedAt', at - interval '1 day')
                        WHEN 'DELETE' THEN whole END,
         CASE WHEN operation IN ('INSERT', 'UPDATE') THEN whole END
    FROM (SELECT *, json_build_object(
                      'id', key, 'name', 'Name ' || key % 5000, 'status', 's' || (number + 1) % 7,
                      'amount', (number % 100000) / 100.0, 'email', 'p' || key || '@example.com', 'isActive', key % 3 > 0,
                      'note', CASE WHEN number % 11 = 0 THEN 'checked by user_' || user_number END,
                      'updatedAt', at) AS whole
            FROM typed ORDER BY sequence) c
), transaction_rows AS (
  INSERT INTO bemi.transaction_log (log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn, xid,
                                    committed_at, recorded_at, change_count, context_count, salt, actor)
  SELECT $1, 1, first_entry + has_context::integer + changes, first_entry, '0/0'::pg_lsn + lsn, '0/0'::pg_lsn + lsn + 8,
         '0/0'::pg_lsn + lsn - 992, xid, at, at + interval '1 s', changes, has_context::integer,
         CASE WHEN NOT has_context THEN decode(md5('a' || n), 'hex') END,
         CASE WHEN NOT has_context THEN json_build_object('session_user', 'dba_' || user_number % 9,
                                                          'application_name', 'psql', 'client_addr', '10.9.0.' || n % 5) END
    FROM transactions ORDER BY n
)
SELECT max(first_entry + has_context::integer + changes) + 1 AS next FROM transactions`;
