import { effort } from '@bemi-db/test-kit/effort';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { createRecordedDatabase, type RecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { startWorkerProcess } from '../test/worker-process.ts';

const minutes = 60_000;
const mib = 1024 * 1024;
/** Guarantee 5: so much while rows are under 8 MB, and four times the row more beyond. */
const boundBytes = 300 * mib;

interface Drained {
  readonly peakRssBytes: number;
  readonly cpuMs: number;
}

/** Records everything in a process of its own, which must end well. */
async function drain({ source, audit, slot }: RecordedDatabase, maximumRowBytes?: number): Promise<Drained> {
  const worker = startWorkerProcess({
    source: source.url,
    destination: audit.url,
    slot,
    drain: true,
    ...(maximumRowBytes === undefined ? {} : { maximumRowBytes }),
  });
  expect(await worker.exited).toBe(0);
  const { peakRssBytes, cpuMs } = worker.lines.at(-1)! as unknown as Drained;
  return { peakRssBytes, cpuMs };
}

async function expectWhole({ trail }: RecordedDatabase): Promise<void> {
  await verifyLogStructure(trail);
  const { findings } = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
  expect(findings).toEqual([]);
}

async function countOf(client: pg.ClientBase, sql: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(`SELECT count(*)::integer AS n FROM ${sql}`);
  return rows[0]!.n;
}

const prepareBulk = (client: pg.Client) =>
  client.query(
    'CREATE TABLE bulk (id bigint PRIMARY KEY, text text); ALTER TABLE bulk REPLICA IDENTITY FULL',
  );

test(
  'a transaction of very many rows is recorded whole, in bounded memory',
  async () => {
    const count = effort(300_000, 5_000_000);
    const recorded = await createRecordedDatabase(prepareBulk);
    await recorded.sql.query(`INSERT INTO bulk SELECT n, 'large ' || n FROM generate_series(1, ${count}) n`);
    const { peakRssBytes } = await drain(recorded);
    expect(await countOf(recorded.trail, 'bemi.change_log')).toBe(count);
    expect(peakRssBytes).toBeLessThan(boundBytes);
    await expectWhole(recorded);
  },
  30 * minutes,
);

test(
  'a row of many megabytes is recorded, a larger one than is allowed goes into quarantine whole',
  async () => {
    const [rowMib, largeMib, allowedMib] = [effort(20, 60), effort(60, 200), effort(32, 64)];
    const recorded = await createRecordedDatabase(prepareBulk);
    const { sql, trail } = recorded;
    await sql.query(`INSERT INTO bulk VALUES (1, repeat('row ', ${rowMib} * 262144))`);
    const { peakRssBytes } = await drain(recorded, allowedMib * mib);
    expect(peakRssBytes).toBeLessThan(boundBytes + 4 * rowMib * mib);
    const { rows } = await trail.query(
      `SELECT length(after->>'text') AS length FROM bemi.changes WHERE id >= 0`,
    );
    expect(rows).toEqual([{ length: rowMib * mib }]);

    await sql.query(`INSERT INTO bulk VALUES (2, repeat('row ', ${largeMib} * 262144))`);
    await sql.query(`INSERT INTO bulk VALUES (3, 'after it')`);
    const large = await drain(recorded, allowedMib * mib);
    expect(large.peakRssBytes).toBeLessThan(boundBytes + 4 * largeMib * mib);
    const { rows: pieces } = await trail.query(
      `SELECT count(*)::integer AS pieces, sum(length(bytes))::float8 AS bytes, min(reason) AS reason FROM bemi.quarantine`,
    );
    expect(pieces[0]).toMatchObject({ reason: 'row-too-large' });
    expect(pieces[0].bytes).toBeGreaterThan(largeMib * mib);
    expect(pieces[0].pieces).toBeGreaterThan(1);
    expect(await countOf(trail, `bemi.changes WHERE primary_key = '3'`)).toBe(1);
    await expectWhole(recorded);
  },
  30 * minutes,
);

/** Many tables, each with a row; the time that a worker takes for each. */
async function recordTables(tableCount: number, isOneTransaction: boolean): Promise<number> {
  const recorded = await createRecordedDatabase(async (client) => {
    const chunk = 500; // tables in a transaction: each takes locks
    for (let first = 1; first <= tableCount; first += chunk) {
      await client.query(`DO $$ BEGIN FOR n IN ${first} .. ${Math.min(first + chunk - 1, tableCount)} LOOP
        EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY, text text)', n); END LOOP; END $$`);
    }
  });
  const { sql, trail } = recorded;
  if (isOneTransaction) await sql.query('BEGIN');
  for (let n = 1; n <= tableCount; n++) await sql.query(`INSERT INTO t${n} VALUES (${n}, 'x')`);
  if (isOneTransaction) await sql.query('COMMIT');
  const { peakRssBytes, cpuMs } = await drain(recorded);
  expect(peakRssBytes).toBeLessThan(boundBytes);
  expect(await countOf(trail, 'bemi.changes')).toBe(tableCount);
  await expectWhole(recorded);
  return cpuMs / tableCount;
}

test(
  'very many tables: none is forgotten, and four times as many take no longer each',
  async () => {
    const count = effort(200, 2_500);
    const few = await recordTables(count, false);
    const many = await recordTables(4 * count, false);
    // CPU time, in which start-up weighs more for the few. A quadratic step would make it four times as much.
    expect(many / few).toBeLessThan(2);
  },
  60 * minutes,
);

test(
  'a transaction that touches very many tables',
  async () => {
    await recordTables(effort(200, 2_000), true);
  },
  30 * minutes,
);

test(
  'very many tiny transactions, and four times as many take no longer each',
  async () => {
    const count = effort(2_500, 25_000);
    const recorded = await createRecordedDatabase(prepareBulk);
    const { sql, trail } = recorded;
    await sql.query(`CREATE PROCEDURE fill(first integer, last integer) LANGUAGE plpgsql AS $$
      BEGIN FOR n IN first .. last LOOP INSERT INTO bulk VALUES (n, 'tiny'); COMMIT; END LOOP; END $$`);
    await sql.query(`SET synchronous_commit = off`);
    await sql.query(`CALL fill(1, ${count})`);
    const few = await drain(recorded);
    await sql.query(`CALL fill(${count + 1}, ${5 * count})`);
    const many = await drain(recorded);
    expect(await countOf(trail, 'bemi.transaction_log')).toBe(5 * count);
    expect(many.peakRssBytes).toBeLessThan(boundBytes);
    expect(many.cpuMs / (4 * count) / (few.cpuMs / count)).toBeLessThan(2);
    await expectWhole(recorded);
  },
  30 * minutes,
);
