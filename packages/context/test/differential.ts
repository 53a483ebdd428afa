/** Random things that an application does with a client of `pg`, by all the ways that `pg` has. */
import { driver } from '@bemi-db/test-kit/drivers';
import fc from 'fast-check';
import pg from 'pg';
import { errorSeen, type Outcome, outcomeOf } from './outcome.ts';

/** Operations that are queued together, in one context. */
export interface Step {
  readonly who: string | undefined;
  readonly together: readonly Operation[];
}

export interface Operation {
  readonly way: Way;
  readonly id: number;
  readonly number: number;
}

interface Cursor extends pg.Submittable {
  read(rows: number): Promise<unknown[]>;
  close(): Promise<void>;
}

const Cursor = driver<new (text: string, values: unknown[]) => Cursor>('pg-cursor');
const QueryStream =
  driver<new (text: string, values: unknown[], options: object) => pg.Submittable & AsyncIterable<unknown>>(
    'pg-query-stream',
  );

const ends = ['BEGIN', 'BEGIN', 'COMMIT', 'ROLLBACK', 'COMMIT AND CHAIN', 'ROLLBACK AND CHAIN'];
const savepoints = ['SAVEPOINT s', 'ROLLBACK TO s', 'RELEASE s', 'ROLLBACK TO SAVEPOINT s'];
const sessions = [
  'LISTEN here',
  "NOTIFY here, 'x'",
  'UNLISTEN *',
  'SET application_name = a',
  'SELECT 1; SELECT 2',
  'DEALLOCATE ALL',
  "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$",
];

const ways = {
  end: ({ number }, _who) => ({ text: ends[number % ends.length]! }),
  savepoint: ({ number }) => ({ text: savepoints[number % savepoints.length]! }),
  session: ({ number }) => ({ text: sessions[number % sessions.length]! }),
  read: ({ id }) => ({ text: 'SELECT * FROM t WHERE id >= $1 ORDER BY id', values: [id] }),
  insert: ({ id, number }, who) => ({
    text: 'INSERT INTO t VALUES ($1, $2, $3) RETURNING *',
    values: [who, id, number - 1],
  }),
  insertText: ({ id }, who) => ({ text: `INSERT INTO t VALUES (${literal(who)}, ${id})` }),
  upsert: ({ id }, who) => ({
    text: 'INSERT INTO t VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET who = excluded.who',
    values: [who, id],
  }),
  update: ({ id }, who) => ({ text: 'UPDATE t SET who = $1 WHERE id = $2 RETURNING id', values: [who, id] }),
  remove: ({ id }) => ({ text: 'DELETE FROM t WHERE id = $1', values: [id] }),
  several: ({ id }, who) => ({
    text: `SELECT 1; INSERT INTO t VALUES (${literal(who)}, ${id}); UPDATE t SET who = ${literal(who)}; NOTIFY here`,
  }),
  begun: ({ id }, who) => ({ text: `BEGIN; INSERT INTO t VALUES (${literal(who)}, ${id}); SAVEPOINT s` }),
  func: ({ id }) => ({ text: 'SELECT put($1)', values: [id] }),
  procedure: ({ id }) => ({ text: `CALL put_and_commit(${id})` }),
  named: ({ id, number }, who) => ({
    name: `n${number % 2}`,
    text: number % 2 ? 'INSERT INTO t VALUES ($1, $2)' : 'UPDATE t SET who = $1 WHERE id > $2',
    values: [who, id],
  }),
  namedWrong: ({ id, number }) => ({
    name: 'wrong',
    text: `INSERT INTO t VALUES ($1, $2, ${number}) nonsense`,
    values: ['?', id],
  }),
  array: ({ id }, who) => ({
    text: 'INSERT INTO t VALUES ($1, $2) RETURNING who, id',
    values: [who, id],
    rowMode: 'array',
  }),
  types: ({ id }, who) => ({
    text: "INSERT INTO t VALUES ($1, $2, 0.5, 'epoch') RETURNING *",
    values: [who, id],
    types: { getTypeParser: (oid: number) => (value: unknown) => `${oid}:${String(value)}` },
  }),
  binary: ({ id }, who) => ({
    text: 'INSERT INTO t VALUES ($1, $2) RETURNING id',
    values: [who, id],
    binary: true,
  }),
  paged: ({ id }, who) => ({
    text: 'WITH x AS (UPDATE t SET who = $1 WHERE id <> $2 RETURNING id) SELECT id FROM x UNION ALL SELECT * FROM generate_series(10, 13)',
    values: [who, id],
    rows: 2,
  }),
  badSyntax: () => ({ text: 'UPDATE t SETT who = $1', values: ['?'] }),
  badName: () => ({ text: 'SELECT 1; DELETE FROM t WHERE nothing = 1' }),
  badValue: () => ({ text: 'INSERT INTO t VALUES ($1, $2)', values: ['?', 'no number'] }),
  badArguments: () => ({ text: 'INSERT INTO t VALUES ($1, $2)', values: ['?'] }),
  noArray: () => ({ text: 'INSERT INTO t VALUES ($1)', values: 'no array' }),
  empty: () => ({ text: '' }),
  slow: ({ id }) => ({
    text: `SET LOCAL statement_timeout = '20ms'; INSERT INTO t SELECT '?', ${id} FROM pg_sleep(3)`,
  }),
} satisfies Record<string, (operation: Operation, who: string | undefined) => object>;

/** How what is asked for is asked. */
const askings = [
  'promise',
  'callback',
  'values',
  'submittable',
  'cursor',
  'stream',
  'copyIn',
  'copyBad',
  'copyOut',
] as const;

interface Way {
  readonly what: keyof typeof ways;
  readonly how: (typeof askings)[number];
}

export const operation: fc.Arbitrary<Operation> = fc.record({
  way: fc.record({
    what: fc.constantFrom(...(Object.keys(ways) as (keyof typeof ways)[])),
    how: fc.oneof({ weight: 3, arbitrary: fc.constant('promise' as const) }, fc.constantFrom(...askings)),
  }),
  id: fc.integer({ min: 1, max: 6 }),
  number: fc.nat({ max: 7 }),
});

export async function run(
  client: pg.ClientBase,
  operation: Operation,
  who: string | undefined,
): Promise<Outcome> {
  const config = ways[operation.way.what](operation, who) as pg.QueryConfig;
  try {
    return await ask(client, operation, config, who);
  } catch (error) {
    const seen = errorSeen(error) as { where?: string };
    // pg-cursor numbers its portals.
    return { ...seen, where: seen.where?.replace(/C_\d+/, 'C') };
  }
}

function ask(
  client: pg.ClientBase,
  { way, id, number }: Operation,
  config: pg.QueryConfig,
  who: string | undefined,
): Promise<Outcome> {
  const { text, values } = config;
  switch (way.how) {
    case 'promise':
      return client.query(config).then(seen);
    case 'values':
      return client.query(text, values).then(seen);
    case 'callback':
      return new Promise((resolve, reject) => {
        const answer: unknown = client.query(config, (error, result) =>
          error ? reject(error) : resolve([answer, seen(result)]),
        );
      });
    case 'submittable':
      return submitted(client, config);
    case 'cursor':
      return throughCursor(client, text, values, number);
    case 'stream':
      return throughStream(client, text, values, number);
    case 'copyIn':
      return outcomeOf(client, 'COPY t (who, id) FROM STDIN', { input: `${who ?? '\\N'}\t${id}\n` });
    case 'copyBad':
      return outcomeOf(client, 'COPY t (who, id) FROM STDIN', { input: '?\tno number\n' });
    case 'copyOut':
      return afterLeftovers(client, () => outcomeOf(client, 'COPY (SELECT * FROM t ORDER BY id) TO STDOUT'));
  }
}

/**
 * A cursor that failed closes its portal without Sync, so the server's CloseComplete comes with the answers to whatever
 * is next: pg-copy-streams would take it for the end of its data, and leave that to `pg`, which throws.
 */
async function afterLeftovers(client: pg.ClientBase, ask: () => Promise<Outcome>): Promise<Outcome> {
  const [, outcome] = await Promise.all([client.query(''), ask()]);
  return outcome;
}

function submitted(client: pg.ClientBase, config: pg.QueryConfig): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query(config);
    const rows: unknown[] = [];
    query.on('row', (row) => rows.push(row));
    query.on('end', (result) => resolve([rows, seen(result)]));
    query.on('error', reject);
    if (client.query(query) !== query) reject(new Error('It returned something else.'));
  });
}

async function throughCursor(
  client: pg.ClientBase,
  text: string,
  values: unknown[] | undefined,
  rows: number,
): Promise<Outcome> {
  const cursor = client.query(new Cursor(text, values ?? []));
  const pages: unknown[] = [];
  try {
    // One that is closed before it was sent blocks its connection, in plain pg as well: never close unread.
    for (let page = await cursor.read(rows + 1); page.length > 0; page = await cursor.read(rows + 1)) {
      pages.push(page);
    }
  } finally {
    await cursor.close();
  }
  return pages;
}

async function throughStream(
  client: pg.ClientBase,
  text: string,
  values: unknown[] | undefined,
  limit: number,
): Promise<Outcome> {
  const rows: unknown[] = [];
  for await (const row of client.query(new QueryStream(text, values ?? [], { batchSize: 2 }))) {
    rows.push(row);
    if (rows.length > limit) break;
  }
  return rows;
}

function seen(result: pg.QueryResult | pg.QueryResult[]): Outcome {
  if (Array.isArray(result)) return result.map(seen);
  const { command, rowCount, oid, rows, fields } = result;
  return {
    ...{ command, rowCount, oid, rows, keys: Object.keys(result) },
    fields: fields?.map(({ name, columnID, dataTypeID, format }) => [name, columnID, dataTypeID, format]),
  };
}

function literal(value: string | undefined): string {
  return value === undefined ? 'NULL' : `'${value}'`;
}
