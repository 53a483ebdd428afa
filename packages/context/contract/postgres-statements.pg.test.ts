import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runWithBemiContext } from '@bemi-db/context';
import { wrapPostgres } from '@bemi-db/context/postgres';
import { createDatabase } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import { effort } from '@bemi-db/test-kit/effort';
import postgres from 'postgres';
import { expect, it, onTestFinished } from 'vitest';
import { type Decoded, decodeWal } from '../test/decoded-wal.ts';
import type { Outcome } from '../test/outcome.ts';
import { type Example, SCHEMA, type StatementRow, statements } from '../test/statements.ts';
import { outcomeBy } from './postgres-outcome.ts';

const ways = ['simple', 'extended', 'in a transaction', 'read only'] as const;
type Way = (typeof ways)[number];
const CONTEXT = { userId: 'u1' };

it.each(statements)('$message: $statement', async (row) => {
  const database = await createDatabase();
  const wal = await decodeWal(database);
  const connect = (made: typeof postgres) => {
    const sql = made(database.url, { max: 1, onnotice: () => undefined });
    onTestFinished(() => sql.end());
    return sql;
  };
  const plain = connect(postgres);
  const wrapped = connect(wrapPostgres(postgres, row.options));

  for (const [index, given] of row.examples.entries()) {
    const example: Example = typeof given === 'string' ? { sql: given } : given;
    for (const way of index === 0 ? ways : ways.slice(0, effort(2, ways.length))) {
      const label = `${way}: ${example.sql}`;
      const expected = await outcomeIn(way, plain, example, () => runOne(plain, example, way));
      const outcome = await outcomeIn(way, wrapped, example, async () => {
        await wal.take();
        return runWithBemiContext(CONTEXT, () => runOne(wrapped, example, way));
      });
      // postgres.js says nothing of a COPY that fails.
      const failed = hasCode(outcome) || example.fails !== undefined;
      // A procedure that commits inside is what the option excludes.
      if (example.fails !== '2D000') expect(outcome, label).toEqual(expected);
      else if (way !== 'read only') expect(outcome, label).toMatchObject({ code: '2D000' });
      expectContext(await wal.take(), row, label, failed);
    }
  }
});

it('on a hot standby, everything is as without the wrapper', async () => {
  const server = await startDisposableServer();
  onTestFinished(() => server.stop('immediate'));
  const onServer = (made: typeof postgres) => made(server.url(), { max: 1, onnotice: () => undefined });
  const setUp = onServer(postgres);
  await setUp.unsafe(SCHEMA);
  await setUp.end();
  writeFileSync(join(server.dataDirectory, 'standby.signal'), '');
  await server.restart('fast', { hot_standby: 'on' });

  const plain = onServer(postgres);
  const wrapped = onServer(wrapPostgres(postgres));
  expect(await plain`SELECT pg_is_in_recovery() AS standby`).toEqual([{ standby: true }]);
  for (const example of statements.flatMap(({ examples }) => examples)) {
    const text = typeof example === 'string' ? example : example.sql;
    const [expected, outcome] = await Promise.all(
      [plain, wrapped].map(async (sql) => {
        const seen = await runWithBemiContext(CONTEXT, () => outcomeBy(sql, text));
        await sql`ROLLBACK`;
        return seen;
      }),
    );
    expect(outcome, text).toEqual(expected);
  }
  await Promise.all([plain.end(), wrapped.end()]);
});

function hasCode(outcome: Outcome): boolean {
  return typeof outcome === 'object' && outcome !== null && 'code' in outcome;
}

/** In a schema of its own, and with the session as it was before. */
async function outcomeIn(
  way: Way,
  sql: postgres.Sql,
  example: Example,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  await sql.unsafe(`DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app; SET search_path = app; ${SCHEMA}`);
  if (example.before !== undefined) await sql.unsafe(example.before);
  if (way === 'read only') await sql`SET default_transaction_read_only = on`;
  const outcome = await work();
  await sql`ROLLBACK`;
  await sql`SET default_transaction_read_only = off`;
  if (example.after !== undefined) await sql.unsafe(example.after).catch(() => undefined);
  return outcome;
}

async function runOne(sql: postgres.Sql, example: Example, way: Way): Promise<Outcome> {
  if (way === 'in a transaction') await sql`BEGIN`;
  const outcome = await outcomeBy(sql, example.sql, { extended: way === 'extended', input: example.input });
  if (way === 'in a transaction') await sql`COMMIT`;
  return outcome;
}

function expectContext(
  transactions: readonly Decoded[],
  row: StatementRow,
  label: string,
  failed: boolean,
): void {
  const messages = transactions.flat().filter((entry) => typeof entry === 'object');
  if (row.message === 'no' || failed) expect(messages, label).toEqual([]);
  else expect(transactions, label).toEqual([[CONTEXT, ...(transactions[0]?.slice(1) ?? [])]]);
  expect(messages.length, label).toBeLessThanOrEqual(1);
}
