import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWithBemiContext } from '@bemi-db/context';
import { wrapPostgres } from '@bemi-db/context/postgres';
import { createDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import postgres from 'postgres';
import { expect, it, onTestFinished } from 'vitest';
import { type Decoded, decodeWal } from '../test/decoded-wal.ts';
import { outcomeOf } from './postgres-outcome.ts';
import { type Script, scripts } from './postgres-scripts.ts';

const CONTEXT = { userId: 'u1' };
const SCHEMA = `
  DROP TABLE IF EXISTS t, kinds, wide;
  CREATE TABLE t (id int PRIMARY KEY, v text, n int CHECK (n >= 0));
  CREATE TABLE kinds (j jsonb, a int[], d timestamptz, b bytea, big int8);
  CREATE TABLE wide (first_name text, born_on text)`;

interface Setting {
  readonly options: postgres.Options<Record<string, never>>;
  /** Scripts that plain postgres.js never ends with it. */
  readonly without?: readonly string[];
}

/** Options that change what postgres.js sends, and when. */
const settings: Readonly<Record<string, Setting>> = {
  'as it comes': { options: {} },
  'without prepared statements': { options: { prepare: false } },
  'one connection': { options: { max: 1 }, without: ['a write that is cancelled before it begins'] },
  'nothing pipelined': {
    options: { max: 1, max_pipeline: 1 } as object,
    without: ['a write that is cancelled before it begins'],
  },
  'types not fetched, undefined is null': {
    options: { fetch_types: false, transform: { undefined: null } },
    without: ['a reserved connection', 'a text that ends a transaction that failed'],
  },
};
const withCamelCase = 'names that are transformed';

it.each(Object.entries(settings).slice(0, effort(2, Infinity)))(
  'what an application does is as without the wrapper: %s',
  { timeout: 180_000 },
  async (_, { options, without = [] }) => {
    const database = await createDatabase();
    const admin = await database.connect();
    const wal = await decodeWal(database);
    const directory = mkdtempSync(join(tmpdir(), 'bemi-postgres-js-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const isAsleep = async () => {
      const { rowCount } = await admin.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'`,
      );
      return rowCount === 1;
    };

    async function run(made: typeof postgres, name: string, script: Script): Promise<Run> {
      await admin.query(SCHEMA);
      await wal.take();
      const transform = name === withCamelCase ? { transform: postgres.camel } : {};
      const sql = made(database.url, { ...options, ...transform, onnotice: () => undefined });
      const bench = { sql: sql as postgres.Sql, file: join(directory, 'some.sql'), isAsleep };
      const outcome = await runWithBemiContext(CONTEXT, () => outcomeOf(() => script(bench)));
      // A cursor that was left is still being ended.
      await sql.end({ timeout: 1 });
      return { outcome, transactions: await wal.take() };
    }

    for (const [name, script] of Object.entries(scripts)) {
      if (without.includes(name)) continue;
      const plain = await run(postgres, name, script);
      const wrapped = await run(wrapPostgres(postgres), name, script);
      expect(wrapped.outcome, name).toEqual(plain.outcome);
      const changes = wrapped.transactions.map(withoutContexts);
      expect(inAnyOrder(changes), name).toEqual(inAnyOrder(plain.transactions));
      for (const transaction of wrapped.transactions) expectCovered(transaction, name);
    }
  },
);

interface Run {
  readonly outcome: unknown;
  readonly transactions: readonly Decoded[];
}

/** What is sent on several connections commits in any order. */
function inAnyOrder(transactions: readonly Decoded[]): string[] {
  return transactions.map((transaction) => transaction.join()).sort();
}

function withoutContexts(transaction: Decoded): Decoded {
  return transaction.filter((entry) => typeof entry === 'string');
}

/** A message first, and no other one. */
function expectCovered(transaction: Decoded, name: string): void {
  if (transaction.every((entry) => typeof entry === 'object')) return;
  expect(transaction[0], name).toEqual(CONTEXT);
}
