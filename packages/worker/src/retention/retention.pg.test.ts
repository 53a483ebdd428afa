import { holdKeyHash, newHoldId } from '@bemi-db/trail/holds/holds';
import { expect, test } from 'vitest';
import { createErasableClinic, type ErasableClinic } from '../../test/erasable-clinic.ts';
import { splitPartitions } from '../../test/split-partitions.ts';
import { createWorker } from '../create-worker.ts';

/** In days: what was recorded a millisecond ago has expired. */
const moment = 1e-8;
const dayMs = 86_400_000;

const settings = async ({ trail }: ErasableClinic) => {
  const { rows } = await trail.query<{ payload: Record<string, unknown> }>(
    `SELECT payload FROM bemi.event_log WHERE kind = 'config' ORDER BY sequence`,
  );
  return rows.map(({ payload }) => payload);
};

const firstChange = async ({ trail }: ErasableClinic) => {
  const { rows } = await trail.query<{ first: number }>(
    'SELECT min(sequence)::int AS first FROM bemi.change_log',
  );
  return rows[0]!.first;
};

const retentionEvents = async ({ trail }: ErasableClinic) => {
  const { rows } = await trail.query<{ before: number }>(
    `SELECT (payload->>'before')::int AS before FROM bemi.event_log WHERE kind = 'retention' ORDER BY sequence`,
  );
  return rows.map(({ before }) => before);
};

/** Some 1,500 entries, in partitions of 512. */
async function fill(clinic: ErasableClinic): Promise<void> {
  for (let n = 0; n < 13; n++) {
    await clinic.transact(
      { userId: `nurse ${n}` },
      `INSERT INTO patient SELECT 'p${n}.' || i, 'x' FROM generate_series(1, 110) i`,
    );
  }
  await clinic.transact({ userId: 'guard' }, `INSERT INTO visit VALUES ('p1.1', now(), 1)`);
  await clinic.drain();
  const { rows } = await clinic.trail.query<{ size: string }>('SELECT next_sequence AS size FROM bemi.logs');
  await splitPartitions(clinic.trail, 0, 512, Number(rows[0]!.size));
}

test('the period is said by the log: longer at once, shorter only for a reason and a week later', async () => {
  const clinic = await createErasableClinic();
  const drainWith = (retentionDays?: number) =>
    createWorker({ ...clinic.targets, ...(retentionDays ? { retentionDays } : {}) }).run({ drain: true });
  await clinic.drain();
  await drainWith(2192);
  await drainWith(100); // no effect
  await drainWith(3650);
  await drainWith();
  expect(await settings(clinic)).toMatchObject([
    { event: 'retention-set', days: 2192, by: 'worker' },
    { event: 'retention-set', days: 3650, by: 'worker' },
  ]);
  clinic.startWorker();
  const lower = { event: 'retention-set', days: 365, by: 'dpo' };
  expect(await clinic.ask('config', lower)).toEqual({
    refusal: 'to keep for less long than before, say why',
  });
  for (const wrong of [
    { days: 0 },
    { days: 1.5 },
    { days: undefined },
    { days: 40_000 },
    { schema: 'public' },
    { by: '' },
  ])
    expect(await clinic.ask('config', { ...lower, ...wrong })).toHaveProperty('refusal');
  const askedAt = Date.now();
  expect(await clinic.ask('config', { ...lower, reason: 'policy 7' })).toHaveProperty('sequence');
  expect(await clinic.ask('config', { ...lower, days: 4000 })).toHaveProperty('sequence');
  const [, , lowered, raised] = await settings(clinic);
  expect(lowered).toMatchObject({ days: 365, reason: 'policy 7', by: 'dpo' });
  const delayMs = Date.parse(String(lowered!['effectiveAt'])) - askedAt;
  expect(delayMs).toBeGreaterThanOrEqual(7 * dayMs - 1_000);
  expect(raised).toMatchObject({ days: 4000 });
  expect(Date.parse(String(raised!['effectiveAt']))).toBeLessThan(Date.now() + dayMs);
  expect((await clinic.verify()).findings).toEqual([]);
});

test('nothing is dropped that the log keeps, whoever asks', async () => {
  const clinic = await createErasableClinic();
  await fill(clinic);
  clinic.startWorker();
  const request = { before: 512, olderThan: new Date(Date.now() - dayMs).toISOString(), by: 'thief' };
  expect(await clinic.ask('retention', request)).toEqual({
    refusal: expect.stringContaining('the log keeps everything for 2192 days, and by its own time'),
  });
});

test('what has expired goes by itself, a partition a run; a hold keeps it', async () => {
  const clinic = await createErasableClinic('FULL', undefined, { retentionDays: moment });
  await fill(clinic);
  const id = newHoldId();
  const hold = { event: 'placed', id, reason: 'case', by: 'legal', schema: 'public', table: 'patient' };
  const holder = clinic.startWorker();
  await clinic.ask('hold', { ...hold, primaryKeyHash: holdKeyHash(id, 'p6.1') }); // in the second partition
  await holder.stop();
  const abort = new AbortController();
  const running = createWorker({
    ...clinic.targets,
    retentionIntervalMs: 500,
    aliveIntervalMs: 300,
  }).run({ signal: abort.signal });
  try {
    await expect.poll(() => retentionEvents(clinic), { timeout: 20_000 }).toEqual([512]);
    const alive = async () => {
      const { rows } = await clinic.trail.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM bemi.event_log WHERE kind = 'alive'`,
      );
      return rows[0]!.count;
    };
    const seen = await alive();
    // More runs than one go by.
    await expect.poll(alive, { timeout: 20_000 }).toBeGreaterThan(seen + 2);
    expect(await retentionEvents(clinic)).toEqual([512]);
    // Nor is it asked for, again and again, what would be refused.
    const { rows: asked } = await clinic.trail.query(`SELECT FROM bemi.inbox WHERE kind = 'retention'`);
    expect(asked).toHaveLength(1);
    await clinic.ask('hold', { event: 'released', id, by: 'legal' });
    await expect.poll(() => retentionEvents(clinic), { timeout: 20_000 }).toEqual([512, 1024]);
    expect(await firstChange(clinic)).toBeGreaterThanOrEqual(1024);
  } finally {
    abort.abort();
    await running;
  }
  const report = await clinic.verify();
  expect(report.findings).toEqual([]);
  expect(report.notices).toEqual([{ code: 'entries-dropped', before: 1024 }]);
});

test('a table that is kept longer keeps its partitions; changes of the others are erased in them', async () => {
  const clinic = await createErasableClinic('FULL', undefined, { retentionDays: moment });
  await fill(clinic);
  const id = newHoldId();
  const holder = clinic.startWorker();
  await clinic.ask('hold', {
    ...{ event: 'placed', id, reason: 'case', by: 'legal', schema: 'public', table: 'patient' },
    primaryKeyHash: holdKeyHash(id, 'p6.1'),
  });
  const visits = { event: 'retention-set', days: 3650, schema: 'public', table: 'visit', by: 'dpo' };
  expect(await clinic.ask('config', visits)).toHaveProperty('sequence');
  await holder.stop();
  const abort = new AbortController();
  const running = createWorker({
    ...clinic.targets,
    retentionIntervalMs: 300,
    aliveIntervalMs: 300, // by which the log knows the time
  }).run({ signal: abort.signal });
  const kept = async () => {
    const { rows } = await clinic.trail.query<{ table: string; key: string | null }>(
      `SELECT r.root_table AS "table", c.primary_key AS key FROM bemi.change_log c JOIN bemi.relations r USING (log, relation)
        WHERE c.salt IS NOT NULL ORDER BY c.sequence`,
    );
    return rows.map(({ table, key }) => `${table} ${key}`);
  };
  try {
    await expect.poll(kept, { timeout: 20_000 }).toEqual(['patient p6.1', expect.stringMatching(/^visit /)]);
    await clinic.ask('hold', { event: 'released', id, by: 'legal' });
    await expect.poll(kept, { timeout: 20_000 }).toEqual([expect.stringMatching(/^visit /)]);
  } finally {
    abort.abort();
    await running;
  }
  expect(await retentionEvents(clinic)).toEqual([]);
  const { rows } = await clinic.trail.query<{ reason: string }>(
    `SELECT DISTINCT payload->>'reason' AS reason FROM bemi.event_log WHERE kind = 'erasure'`,
  );
  expect(rows).toEqual([{ reason: `kept for ${moment} days: all tables but public.visit` }]);
  expect((await clinic.verify()).findings).toEqual([]);
});
