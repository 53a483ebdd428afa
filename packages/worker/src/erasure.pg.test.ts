import { olderMajors, startOlderPostgres } from '@bemi-db/test-kit/older-server';
import { holdKeyHash, newHoldId } from '@bemi-db/trail/holds/holds';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import { eachChange } from '@bemi-db/trail/query/search-changes';
import { expect, onTestFinished, test } from 'vitest';
import { createErasableClinic, type ErasableClinic } from '../test/erasable-clinic.ts';

const sequencesOf = (found: { changes: readonly { sequence: number }[] }) =>
  found.changes.map(({ sequence }) => sequence);

/** Patient p1, whose key changes twice; p2, who takes the key that p1 had; and a transaction of both. */
async function recordedClinic(identity?: 'FULL' | 'DEFAULT', destination?: string): Promise<ErasableClinic> {
  const clinic = await createErasableClinic(identity, destination);
  const { transact } = clinic;
  await transact({ userId: 'reception' }, `INSERT INTO patient VALUES ('p1', 'Ada', '{}')`);
  await transact(undefined, `INSERT INTO patient VALUES ('p2', 'Bob', NULL)`);
  await transact({ userId: 'ward' }, `UPDATE patient SET name = 'Ada L.' WHERE id = 'p1'`);
  await transact({ userId: 'merge' }, `UPDATE patient SET id = 'p1a' WHERE id = 'p1'`);
  await transact(
    { userId: 'shared', about: 'Ada and Bob' },
    `UPDATE patient SET name = name || '!'`,
    `INSERT INTO visit VALUES ('p1a', '2025-01-02 03:04:05.6+01', 7)`,
  );
  await transact(undefined, `UPDATE patient SET id = 'p1b' WHERE id = 'p1a'`);
  await transact(
    undefined,
    `UPDATE patient SET id = 'p1' WHERE id = 'p2'`,
    `UPDATE patient SET name = 'Bob B.' WHERE id = 'p1'`,
  );
  await transact(undefined, `DELETE FROM patient WHERE id = 'p1b'`);
  await clinic.drain();
  return clinic;
}

async function changesOf({ trail }: ErasableClinic) {
  const changes = [];
  for await (const change of eachChange(trail, { log: 0, filter: {}, order: 'oldest-first', limit: 1_000 }))
    changes.push(change);
  return changes;
}

test.each(['FULL', 'DEFAULT'] as const)(
  'a record is found through changes of its key, in both directions, and not who used the key later: %s',
  async (identity) => {
    const clinic = await recordedClinic(identity);
    const operations = async (...key: string[]) =>
      (await clinic.find('patient', ...key)).changes.map(({ operation }) => operation);
    const ada = ['INSERT', 'UPDATE', 'UPDATE', 'UPDATE', 'UPDATE', 'DELETE'];
    expect(await operations('p1b')).toEqual(ada);
    expect(await operations('p1a')).toEqual(ada);
    // Who was p1 first, and who is p1 now: all that was ever under this key is meant.
    const bob = ['INSERT', 'UPDATE', 'UPDATE', 'UPDATE'];
    expect((await operations('p1')).sort()).toEqual([...ada, ...bob].sort());
    expect(await operations('p2')).toEqual(bob);
    expect((await clinic.find('patient', 'p1b')).keys.toSorted()).toEqual(['p1', 'p1a', 'p1b']);
    expect(await operations('nobody')).toEqual([]);
    // A composite key, of a type whose JSON is written otherwise.
    await clinic.transact(undefined, `UPDATE visit SET at = '2025-01-02 03:04:05.7+01', room = 8`);
    await clinic.transact(undefined, `UPDATE visit SET patient = 'p1b'`);
    await clinic.drain();
    const visit = await clinic.find('visit', 'p1a', '2025-01-02 02:04:05.6+00');
    expect(visit.changes.map(({ operation }) => operation)).toEqual(['INSERT', 'UPDATE', 'UPDATE']);
  },
);

test('erased texts are gone from every table, and every proof holds', async () => {
  const clinic = await recordedClinic();
  const before = await changesOf(clinic);
  clinic.startWorker();
  const found = await clinic.find('patient', 'p1b');
  const contexts = await clinic.contexts(found);
  expect(contexts.map(({ others }) => others.map(({ table, count }) => ({ table, count })))).toEqual([
    [],
    [],
    [],
    [
      { table: 'patient', count: 1 },
      { table: 'visit', count: 1 },
    ],
  ]);
  const own = contexts.slice(0, 3).map(({ sequence }) => sequence);
  const answer = await clinic.erase([...sequencesOf(found), ...own]);
  expect(answer).toEqual({ sequence: expect.any(String) });

  const { rows: events } = await clinic.trail.query(
    `SELECT sequence, payload FROM bemi.event_log WHERE kind = 'erasure'`,
  );
  expect(events).toEqual([
    {
      sequence: 'sequence' in answer && answer.sequence,
      payload: { entries: expect.any(Array), reason: 'article 17', by: 'dpo' },
    },
  ]);
  const erased = new Set(sequencesOf(found).map(String));
  const after = await changesOf(clinic);
  expect(after).toHaveLength(before.length);
  for (const [i, change] of after.entries()) {
    const was = before[i]!;
    if (!erased.has(change.sequence)) expect(change).toEqual({ ...was, contextErased: false });
    else {
      expect(change).toMatchObject({
        erased: true,
        primaryKey: undefined,
        before: undefined,
        after: undefined,
      });
      const isOwn = was.context !== undefined && !was.context.includes('shared');
      expect(change).toMatchObject({ contextErased: isOwn, context: isOwn ? undefined : was.context });
    }
  }
  // Nowhere else either: with the shared context left, its words are.
  const { rows } = await clinic.trail.query(
    `SELECT string_agg(x.context::text, '') || (SELECT string_agg(i.document::text, '') FROM bemi.indexed_rows(0, 0, 1) i)
            || (SELECT string_agg(c::text, '') FROM bemi.change_log c) AS text FROM bemi.context_log x`,
  );
  expect(rows[0].text).not.toMatch(/reception|ward|merge|Ada L|p1b/);
  expect(rows[0].text).toMatch(/Bob B/);

  const report = await clinic.verify();
  expect(report.findings).toEqual([]);
  expect(report.facts.erased).toBe(found.changes.length + own.length);
  expect((await clinic.find('patient', 'p1b')).changes).toEqual([]);
});

test('a second time: nothing is found by key, and the same entries are refused', async () => {
  const clinic = await recordedClinic();
  clinic.startWorker();
  const found = await clinic.find('patient', 'p1b');
  const [first] = sequencesOf(found) as [number];
  expect(await clinic.erase([first])).toHaveProperty('sequence');
  expect(await clinic.erase(sequencesOf(found))).toHaveProperty('sequence');
  expect(await clinic.erase(sequencesOf(found))).toEqual({ refusal: 'the entries are erased already' });
  const report = await clinic.verify();
  expect(report.findings).toEqual([]);
  expect(report.facts.erased).toBe(found.changes.length);
});

test('what is no change or context, and what makes no sense, is refused', async () => {
  const clinic = await recordedClinic();
  clinic.startWorker();
  const refusal = async (payload: object) => clinic.ask('erasure', payload);
  const good = { reason: 'r', by: 'b' };
  expect(await refusal({ ...good, entries: [[0, 1]] })).toHaveProperty(
    'refusal',
    expect.stringContaining('no changes'),
  );
  expect(await refusal({ ...good, entries: [[900_000, 900_000]] })).toHaveProperty('refusal');
  expect(await refusal({ ...good, entries: [[5, 4]] })).toHaveProperty('refusal');
  expect(await refusal({ ...good, entries: [[1, 5_001]] })).toHaveProperty(
    'refusal',
    expect.stringContaining('more than'),
  );
  expect(await refusal({ entries: [[5, 5]], by: 'b' })).toHaveProperty(
    'refusal',
    expect.stringContaining('says why'),
  );
  for (const kind of ['erasure', 'hold', 'retention']) {
    expect(await clinic.ask(kind, null as never)).toHaveProperty('refusal');
    expect(await clinic.ask(kind, [])).toHaveProperty('refusal');
  }
  // What PostgreSQL could not take out of JSON again would stop the worker for ever.
  for (const reason of ['\0', '\ud800', '', 'x'.repeat(2_001)])
    expect(await refusal({ ...good, reason, entries: [[5, 5]] })).toHaveProperty('refusal');
  expect((await clinic.verify()).findings).toEqual([]);
});

test('rows and contexts in quarantine', async () => {
  const clinic = await createErasableClinic();
  await clinic.transact(undefined, `INSERT INTO patient VALUES ('p7', 'Eve', '{"a":"\\u0000"}')`);
  await clinic.sql.query(
    `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"eve \\u0000"}'); INSERT INTO patient VALUES ('p8', 'Zoe', '{}'); COMMIT`,
  );
  await clinic.transact(undefined, `INSERT INTO patient VALUES ('p9', 'Sue', '{"a":"\\u0000"}')`);
  await clinic.drain();
  clinic.startWorker();
  const found = await clinic.find('patient', 'p7');
  expect(found).toMatchObject({ changes: [], quarantinedCount: 2 });
  expect(found.suspects).toHaveLength(1);
  const zoe = await clinic.find('patient', 'p8');
  const contexts = await clinic.contexts(zoe);
  expect(await clinic.erase([...found.suspects, ...contexts.map(({ sequence }) => sequence)])).toHaveProperty(
    'sequence',
  );
  const { rows } = await clinic.trail.query(
    'SELECT field, bytes IS NULL AS gone FROM bemi.quarantine ORDER BY sequence',
  );
  expect(rows).toEqual([
    { field: 'row', gone: true },
    { field: 'context', gone: true },
    { field: 'row', gone: false },
  ]);
  const report = await clinic.verify();
  expect(report).toMatchObject({ findings: [], facts: { erased: 2 } });
});

test('a request without a worker waits for one', async () => {
  const clinic = await recordedClinic();
  const { changes } = await clinic.find('patient', 'p1b');
  const id = await request(clinic.trail, 0, 'erasure', {
    entries: changes.map(({ sequence }) => [sequence, sequence]),
    ...{ reason: 'r', by: 'b' },
  });
  expect(await requestAnswer(clinic.trail, id)).toBeUndefined();
  clinic.startWorker();
  await expect.poll(() => requestAnswer(clinic.trail, id), { timeout: 15_000 }).toHaveProperty('sequence');
  expect((await clinic.verify()).findings).toEqual([]);
});

test('what is done to erased entries afterwards is found', async () => {
  const clinic = await recordedClinic();
  // A full tile tells which entry it is.
  await clinic.transact(undefined, `INSERT INTO patient SELECT 'x' || n FROM generate_series(1, 300) n`);
  await clinic.drain();
  const worker = clinic.startWorker();
  const found = await clinic.find('patient', 'p1b');
  const [sequence] = sequencesOf(found) as [number];
  const { rows } = await clinic.trail.query(
    'SELECT salt, primary_key, before::text, after::text FROM bemi.change_log WHERE sequence = $1',
    [sequence],
  );
  await clinic.erase(sequencesOf(found));
  await worker.stop();
  const { trail } = clinic;
  // As a superuser who has put the triggers out of the way.
  await trail.query('SET session_replication_role = replica');
  await trail.query(`UPDATE bemi.change_log SET commitment = sha256('x') WHERE sequence = $1`, [sequence]);
  expect((await clinic.verify()).findings[0]).toMatchObject({ code: 'altered', sequence });
  // Put back as they were, the texts are what the log has always said: harmless. Any others are found.
  const [was] = rows;
  const restore = (after: string) =>
    trail.query(
      'UPDATE bemi.change_log SET commitment = NULL, salt = $2, primary_key = $3, before = $4, after = $5 WHERE sequence = $1',
      [sequence, was.salt, was.primary_key, was.before, after],
    );
  await restore(was.after);
  expect((await clinic.verify()).findings).toEqual([]);
  await restore(was.after.replace('Ada', 'Eva'));
  expect((await clinic.verify()).findings[0]).toMatchObject({ code: 'altered', sequence });
});

test.each(olderMajors.filter((major) => major === 13 || major === 15))(
  'in an audit database on PostgreSQL %i',
  async (major) => {
    const server = await startOlderPostgres(major);
    onTestFinished(() => server.stop('immediate'));
    const clinic = await recordedClinic('FULL', server.url());
    clinic.startWorker();
    const found = await clinic.find('patient', 'p1b');
    const id = newHoldId();
    const hold = { event: 'placed', id, reason: 'r', by: 'b', schema: 'public', table: 'patient' };
    await clinic.ask('hold', { ...hold, primaryKeyHash: holdKeyHash(id, 'p1a') });
    expect(await clinic.erase(sequencesOf(found))).toHaveProperty('refusal', expect.stringContaining(id));
    await clinic.ask('hold', { event: 'released', id, by: 'b' });
    const contexts = (await clinic.contexts(found)).map(({ sequence }) => sequence);
    expect(await clinic.erase([...sequencesOf(found), ...contexts])).toHaveProperty('sequence');
    const report = await clinic.verify();
    expect(report).toMatchObject({ findings: [], facts: { erased: found.changes.length + contexts.length } });
    const { rows } = await clinic.trail.query('SELECT bemi.may_drop(0) AS may');
    expect(rows).toEqual([{ may: true }]);
  },
);
