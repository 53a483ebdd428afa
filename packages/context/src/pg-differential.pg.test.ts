import type { Duplex } from 'node:stream';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import fc from 'fast-check';
import pg from 'pg';
import { expect, it } from 'vitest';
import { type Decoded, decodeWal } from '../test/decoded-wal.ts';
import { type Operation, operation, run, type Step } from '../test/differential.ts';
import type { Outcome } from '../test/outcome.ts';
import { runWithBemiContext } from './context.ts';
import { wrapPool } from './pg.ts';

const SCHEMA = `
  CREATE TABLE t (who text, id int PRIMARY KEY, n numeric CHECK (n >= 0), at timestamptz, UNIQUE (n) DEFERRABLE INITIALLY DEFERRED);
  CREATE FUNCTION put(int) RETURNS int LANGUAGE sql AS $$ INSERT INTO t VALUES ('?', $1) RETURNING id $$;
  CREATE PROCEDURE put_and_commit(int) LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO t VALUES ('?', $1); COMMIT; RAISE NOTICE 'half'; INSERT INTO t VALUES ('?', $1 + 1); END $$`;

const who = fc.constantFrom(undefined, 'c1', 'c2');
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ who, together: fc.tuple(operation) }) },
  { weight: 1, arbitrary: fc.record({ who, together: fc.array(operation, { minLength: 2, maxLength: 4 }) }) },
);
const script = fc.array(step, { minLength: 1, maxLength: 14 });
const seed = testSeed();

it(
  `random scripts have the same results and errors with and without the wrapper (TEST_SEED=${seed})`,
  async () => {
    const plain = await createDatabase();
    const wrapped = await createDatabase();
    const admins = await Promise.all([plain.connect(), wrapped.connect()]);
    for (const admin of admins) await admin.query(SCHEMA);
    const wal = await decodeWal(wrapped);

    await fc.assert(
      fc.asyncProperty(script, async (steps) => {
        for (const admin of admins) await admin.query('TRUNCATE t');
        await wal.take();
        const expected = await outcomesOf(plain, (pool) => pool, steps);
        const outcomes = await outcomesOf(wrapped, wrapPool, steps);
        expect(outcomes).toEqual(expected);
        for (const transaction of await wal.take()) expectContexts(transaction);
      }),
      { numRuns: effort(30, 3_000), seed, endOnFailure: true },
    );
  },
  effort(120_000, 3_600_000),
);

const HUNG = 'no answer';

/** `pg` itself hangs after some errors, by version: then it has to hang with the wrapper as well. */
async function answered(work: Promise<Outcome>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(resolve, 5_000, HUNG);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function outcomesOf(
  database: TestDatabase,
  wrap: (pool: pg.Pool) => pg.Pool,
  steps: readonly Step[],
): Promise<Outcome[]> {
  const pool = wrap(new pg.Pool({ connectionString: database.url, max: 1 }));
  const client = await pool.connect();
  const heard: Outcome[] = [];
  client.on('error', () => heard.push('error'));
  client.on('notice', ({ message, code }) => heard.push({ notice: message, code }));
  client.on('notification', ({ channel, payload }) => heard.push({ channel, payload }));
  const outcomes: Outcome[] = [];
  const abandon = () => {
    (client as unknown as { connection: { stream: Duplex } }).connection.stream.destroy();
    client.release(true);
    return outcomes;
  };
  for (const { who, together } of steps) {
    const work = () => Promise.all(together.map((each: Operation) => run(client, each, who)));
    const outcome = await answered(who === undefined ? work() : runWithBemiContext({ who }, work));
    outcomes.push(outcome);
    if (outcome === HUNG) return abandon();
  }
  const status = await answered(endTransaction(client));
  if (status === HUNG) return abandon();
  client.release();
  const left = await pool.query('TABLE t ORDER BY id');
  await pool.end();
  return [outcomes, heard, status, left.rows];
}

/** @returns whether there was one. */
async function endTransaction(client: pg.ClientBase): Promise<Outcome> {
  const status = await client.query('SAVEPOINT here').then(
    () => 'open',
    (error: unknown) => (error as { code?: unknown }).code,
  );
  await client.query('ROLLBACK');
  return status;
}

/** Each row says in its first column in whose context it was written; `?` where that is not carried. */
function expectContexts(transaction: Decoded): void {
  let inForce: unknown;
  for (const entry of transaction) {
    if (typeof entry === 'object') inForce = entry['who'];
    else {
      const [operation, writer] = entry.split(' ');
      if (operation === 'DELETE' || operation === 'TRUNCATE' || writer === '?') continue;
      expect(inForce, JSON.stringify(transaction)).toBe(writer === 'null' ? undefined : writer);
    }
  }
}
