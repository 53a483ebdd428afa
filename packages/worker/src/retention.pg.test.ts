import { setTimeout as delay } from 'node:timers/promises';
import { holdKeyHash, newHoldId, readHolds } from '@bemi-db/trail/holds/holds';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import { planRetention } from '@bemi-db/trail/retention/plan-retention';
import { expect, test } from 'vitest';
import { createErasableClinic, type ErasableClinic } from '../test/erasable-clinic.ts';
import { splitPartitions } from '../test/split-partitions.ts';
import type { WorkerOptions } from './create-worker.ts';

const by = 'archivist';
/** In days: what was recorded a millisecond ago has expired. */
const moment = 1e-8;

/** Some 1,700 entries in partitions of 512, of which the first 1,100 or so are older than `between`. */
async function agedClinic(
  options: Partial<WorkerOptions> = { retentionDays: moment },
): Promise<{ clinic: ErasableClinic; between: Date }> {
  const clinic = await createErasableClinic('FULL', undefined, options);
  const { transact, drain } = clinic;
  await transact({ userId: 'founder' }, `INSERT INTO patient VALUES ('first', 'Ada', NULL)`);
  await transact(undefined, `INSERT INTO patient VALUES ('bad', 'Eve', '"\\u0000"')`);
  for (let n = 0; n < 10; n++) {
    await transact(
      { userId: `nurse ${n}` },
      `INSERT INTO patient SELECT 'p${n}.' || i, 'x' FROM generate_series(1, 110) i`,
    );
  }
  await drain();
  await delay(20);
  const between = new Date();
  await transact(
    { userId: 'later' },
    `INSERT INTO patient SELECT 'later ' || i, 'x' FROM generate_series(1, 500) i`,
  );
  await drain();
  const { rows } = await clinic.trail.query<{ size: string }>('SELECT next_sequence AS size FROM bemi.logs');
  await splitPartitions(clinic.trail, 0, 512, Number(rows[0]!.size));
  expect((await clinic.verify()).findings).toEqual([]);
  return { clinic, between };
}

const countBefore = async ({ trail }: ErasableClinic, sequence: number) => {
  const { rows } = await trail.query(
    `SELECT (SELECT count(*)::int FROM bemi.change_log WHERE sequence < $1) AS changes,
            (SELECT count(*)::int FROM bemi.context_log WHERE sequence < $1) AS contexts,
            (SELECT count(*)::int FROM bemi.change_index WHERE sequence < $1) AS indexed,
            (SELECT count(*)::int FROM bemi.transaction_log WHERE sequence < $1) AS commits,
            (SELECT count(*)::int FROM bemi.quarantine WHERE sequence < $1) AS quarantined,
            (SELECT count(*)::int FROM bemi.event_log WHERE sequence < $1) AS events,
            (SELECT count(*)::int FROM bemi.tiles WHERE level = 0 AND index < $1 / 256) AS tiles`,
    [sequence],
  );
  return rows[0];
};

test('a prefix of partitions goes; events and tiles stay, and the log verifies', async () => {
  const { clinic, between } = await agedClinic();
  const plan = await planRetention(clinic.trail, 0, between);
  expect(plan).toMatchObject({ before: 1024 });
  const worker = clinic.startWorker();
  const had = await countBefore(clinic, 1024);
  const retention = { before: 1024, olderThan: between.toISOString(), by };
  const answer = await clinic.ask('retention', retention);
  expect(answer).toEqual({ sequence: expect.any(String) });
  expect(await countBefore(clinic, 1024)).toEqual({
    ...{ changes: 0, contexts: 0, indexed: 0, commits: 0, quarantined: 0 },
    ...{ events: had.events, tiles: 4 },
  });
  expect(await clinic.ask('retention', retention)).toHaveProperty('refusal');
  // The transaction at the border has lost its first changes, and what is left of it still has its commit.
  const { rows } = await clinic.trail.query('SELECT min(id)::int AS first FROM bemi.changes');
  expect(rows).toEqual([{ first: 1024 }]);

  const expectVerified = async (): Promise<void> => {
    const report = await clinic.verify();
    expect(report.findings).toEqual([]);
    expect(report.notices).toEqual([{ code: 'entries-dropped', before: 1024 }]);
    expect(report.provenSize).toBe(report.size);
  };
  await expectVerified();
  await worker.stop();
  await clinic.transact(undefined, `UPDATE patient SET name = 'Ada L.' WHERE id = 'first'`);
  await clinic.drain();
  await expectVerified();

  // What no retention explains is found all the same.
  await clinic.trail.query('SET session_replication_role = replica');
  await clinic.trail.query('DELETE FROM bemi.change_log WHERE sequence = 1100');
  expect((await clinic.verify()).findings[0]).toEqual({ code: 'missing', sequence: 1100, count: 1 });
});

test('a dropped prefix without an event, a tile of it, the shape of a table', async () => {
  const { clinic, between } = await agedClinic();
  const { trail } = clinic;
  await trail.query('SET session_replication_role = replica');
  await trail.query('BEGIN; DROP TABLE bemi.change_log_0_512, bemi.context_log_0_512');
  expect((await clinic.verify(true)).findings[0]).toMatchObject({ code: 'missing', sequence: 512 });
  await trail.query('ROLLBACK');
  const worker = clinic.startWorker();
  await clinic.ask('retention', { before: 1024, olderThan: between.toISOString(), by });
  await worker.stop();
  await trail.query(`BEGIN; DELETE FROM bemi.tiles WHERE level = 0 AND index = 1`);
  expect((await clinic.verify(true)).findings).toContainEqual({ code: 'tile-missing', level: 0, index: 1 });
  await trail.query(`ROLLBACK; BEGIN; DELETE FROM bemi.event_log WHERE sequence = 2`);
  expect((await clinic.verify(true)).findings).toEqual([
    { code: 'events-missing', sequence: expect.any(Number), before: 1024, count: 1 },
  ]);
  await trail.query(`ROLLBACK; BEGIN; DELETE FROM bemi.event_log WHERE kind = 'relation'`);
  expect((await clinic.verify(true)).findings.map(({ code }) => code)).toContain('unknown-relation');
  await trail.query(
    `ROLLBACK; BEGIN; UPDATE bemi.tiles SET hashes = overlay(hashes PLACING '\\x00'::bytea FROM 40) WHERE level = 0 AND index = 1`,
  );
  expect((await clinic.verify(true)).findings).not.toEqual([]);
  await trail.query('ROLLBACK');
});

test('holds keep what they name; erasure and retention name the hold', async () => {
  const { clinic, between } = await agedClinic();
  clinic.startWorker();
  const { trail } = clinic;
  const id = newHoldId();
  const placed = {
    ...{ event: 'placed', id, reason: 'case 4711', by: 'legal', schema: 'public', table: 'patient' },
    primaryKeyHash: holdKeyHash(id, 'p3.7'),
  };
  // Both at once: the erasure waits until the hold is in force.
  const erasure = async (key: string) =>
    clinic.erase((await clinic.find('patient', key)).changes.map(({ sequence }) => sequence));
  const [hold, held] = await Promise.all([clinic.ask('hold', placed), erasure('p3.7')]);
  expect(hold).toHaveProperty('sequence');
  expect(held).toEqual({ refusal: `the hold ${id} of legal keeps some of the entries: case 4711` });
  expect(await clinic.ask('hold', placed)).toEqual({ refusal: `there is a hold ${id} already` });
  expect(await readHolds(trail, 0)).toMatchObject([
    { id, table: 'patient', isOfRecord: true, placedBy: 'legal' },
  ]);
  const { rows } = await trail.query(`SELECT payload::text FROM bemi.event_log WHERE kind = 'hold'`);
  expect(rows[0].payload).not.toContain('p3.7');
  // Whoever takes the hold away behind the worker's back is seen.
  for (const change of ['DELETE FROM bemi.holds', `UPDATE bemi.holds SET table_name = 'visit'`]) {
    await trail.query(`BEGIN; ${change}`);
    expect((await clinic.verify(true)).findings).toMatchObject([{ code: 'hold-altered', id }]);
    await trail.query('ROLLBACK');
  }
  // Another record of the table is free; a context that the held one shares is not, nor a row whose key can't be read.
  expect(await erasure('p3.8')).toHaveProperty('sequence');
  const [context] = await clinic.contexts(await clinic.find('patient', 'p3.9'));
  expect(await clinic.erase([context!.sequence])).toHaveProperty('refusal', expect.stringContaining(id));
  const { suspects } = await clinic.find('patient', 'bad');
  expect(await clinic.erase(suspects)).toHaveProperty('refusal', expect.stringContaining(id));
  const retention = { before: 1024, olderThan: between.toISOString(), by };
  expect(await clinic.ask('retention', retention)).toHaveProperty(
    'refusal',
    expect.stringContaining('case 4711'),
  );

  expect(await clinic.ask('hold', { event: 'released', id: newHoldId(), by: 'legal' })).toHaveProperty(
    'refusal',
  );
  expect(await clinic.ask('hold', { event: 'released', id, by: 'legal' })).toHaveProperty('sequence');
  expect(await readHolds(trail, 0)).toEqual([]);
  expect(await erasure('p3.7')).toHaveProperty('sequence');
  // Of a whole table.
  const all = newHoldId();
  await clinic.ask('hold', { ...placed, id: all, primaryKeyHash: undefined });
  expect(await erasure('p3.9')).toHaveProperty('refusal');
  await clinic.ask('hold', { event: 'released', id: all, by: 'legal' });
  expect(await clinic.ask('retention', retention)).toHaveProperty('sequence');
  expect((await clinic.verify()).findings).toEqual([]);
});

test('dropping waits for a reader without holding up the writer', async () => {
  const { clinic, between } = await agedClinic();
  const reader = await clinic.audit.connect();
  await reader.query('BEGIN; SELECT count(*) FROM bemi.change_log');
  clinic.startWorker();
  const id = await request(clinic.trail, 0, 'retention', {
    before: 1024,
    olderThan: between.toISOString(),
    by,
  });
  await delay(2_500);
  expect(await requestAnswer(clinic.trail, id)).toBeUndefined();
  await clinic.transact(undefined, `INSERT INTO patient VALUES ('meanwhile', 'x', NULL)`);
  const recorded = async () => (await clinic.find('patient', 'meanwhile')).changes.length;
  await expect.poll(recorded, { timeout: 2_000 }).toBe(1);
  await reader.query('COMMIT');
  await expect.poll(() => requestAnswer(clinic.trail, id), { timeout: 10_000 }).toHaveProperty('sequence');
  expect((await clinic.verify()).findings).toEqual([]);
});
