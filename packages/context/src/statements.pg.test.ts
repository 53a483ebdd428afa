import { createDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { type Decoded, decodeWal } from '../test/decoded-wal.ts';
import { type Outcome, outcomeOf } from '../test/outcome.ts';
import { type Example, SCHEMA, type StatementRow, statements } from '../test/statements.ts';
import { runWithBemiContext } from './context.ts';
import { wrapClient } from './pg.ts';

const ways = ['simple', 'extended', 'in a transaction', 'read only'] as const;
type Way = (typeof ways)[number];
const CONTEXT = { userId: 'u1' };

it.each(statements)('$message: $statement', async (row) => {
  const database = await createDatabase();
  const plain = await database.connect();
  const wrapped = wrapClient(await database.connect(), row.options);
  const wal = await decodeWal(database);

  for (const [index, given] of row.examples.entries()) {
    const example: Example = typeof given === 'string' ? { sql: given } : given;
    if ((example.since ?? 0) > serverMajor()) continue;
    for (const way of index === 0 ? ways : ways.slice(0, effort(2, ways.length))) {
      const label = `${way}: ${example.sql}`;
      const expected = await outcomeIn(way, plain, example, () => runOne(plain, example, way));
      const outcome = await outcomeIn(way, wrapped, example, async () => {
        await wal.take();
        return runWithBemiContext(CONTEXT, () => runOne(wrapped, example, way));
      });
      const failed = 'code' in (outcome as object);
      if (way === 'extended' && example.fails === '2D000' && serverMajor() < 18 && !failed) {
        // Before PostgreSQL 18 it may commit: what comes after that has no context.
        expect(outcome, label).toEqual(expected);
        expect(await wal.take(), label).toEqual([[CONTEXT, 'INSERT 5'], ['INSERT 6']]);
        continue;
      }
      // A procedure that commits inside is what the option excludes.
      if (example.fails !== '2D000') expect(outcome, label).toEqual(expected);
      else if (way !== 'read only') expect(outcome, label).toMatchObject({ code: '2D000' });
      if (way === 'simple')
        expect(failed ? (outcome as { code: unknown }).code : undefined, label).toBe(example.fails);
      expectContext(await wal.take(), row, label, failed);
    }
  }
});

/** In a schema of its own, and with the session as it was before. */
async function outcomeIn(
  way: Way,
  client: pg.Client,
  example: Example,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  await client.query(
    `DROP SCHEMA IF EXISTS app CASCADE; CREATE SCHEMA app; SET search_path = app; ${SCHEMA}`,
  );
  if (example.before !== undefined) await client.query(example.before);
  if (way === 'read only') await client.query('SET default_transaction_read_only = on');
  const outcome = await work();
  await client.query('ROLLBACK');
  await client.query('SET default_transaction_read_only = off');
  if (example.after !== undefined) await client.query(example.after).catch(() => undefined);
  return outcome;
}

async function runOne(client: pg.Client, example: Example, way: Way): Promise<Outcome> {
  if (way === 'in a transaction') await client.query('BEGIN');
  const outcome = await outcomeOf(client, example.sql, {
    extended: way === 'extended',
    input: example.input,
  });
  if (way === 'in a transaction') await client.query('COMMIT');
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
