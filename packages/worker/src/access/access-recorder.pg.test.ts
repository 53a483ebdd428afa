import { readFileSync } from 'node:fs';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { accessMemoryName, findAccessLog } from '@bemi-db/trail/access/access-log';
import { countWaitingAccesses, readAccesses } from '@bemi-db/trail/access/read-accesses';
import { recordAccess } from '@bemi-db/trail/access/record-access';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import { migrate } from '@bemi-db/trail/migrate';
import { type StoredLogReport, verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { LastSigned, signedCheckpoints } from '../signing/last-signed.ts';
import { type AccessRecorderOptions, createAccessRecorder } from './access-recorder.ts';

const patience = { timeout: 20_000 };

/** Nobody's log of accesses yet: each test has a database of its own, and shares the worker's key. */
async function auditDatabase(): Promise<{ audit: TestDatabase; sql: pg.Client }> {
  const audit = await createDatabase();
  const sql = await audit.connect();
  await migrate(sql);
  return { audit, sql };
}

/** Records until the test ends, or it is stopped. */
function recording(options: AccessRecorderOptions): () => Promise<void> {
  const abort = new AbortController();
  const ended = createAccessRecorder(options).run({ signal: abort.signal });
  const stop = async (): Promise<void> => {
    abort.abort();
    await ended;
  };
  onTestFinished(stop);
  return stop;
}

async function looked(sql: pg.Client, key: string): Promise<void> {
  await recordAccess(sql, { what: 'view', via: 'dashboard', by: { id: 'ada' }, log: 'app', key });
}

async function keysOf(sql: pg.Client): Promise<(string | undefined)[]> {
  const found = await readAccesses(sql, { limit: 1_000 });
  return found
    .filter(({ entry }) => entry !== undefined)
    .map(({ key }) => key)
    .reverse();
}

/** With all that its workers signed and saw committed. */
async function verified(sql: pg.Client, isInTransaction = false): Promise<StoredLogReport> {
  const { file } = new LastSigned(process.env['BEMI_STATE_DIR']!, await accessMemoryName(sql));
  const checkpoints = signedCheckpoints(readFileSync(file, 'utf8'));
  const { log } = (await findAccessLog(sql))!;
  return verifyStoredLog({ client: sql, log, keys: [], checkpoints, isInTransaction });
}

test('what is asked for becomes entries, in order and once, in a log that verifies', async () => {
  const { audit, sql } = await auditDatabase();
  const recorder = createAccessRecorder({ destination: audit.url });
  expect(await recorder.run({ drain: true })).toBe(true);
  expect(await findAccessLog(sql)).toBeUndefined(); // nobody has looked: there is nothing to keep

  for (let i = 0; i < 250; i++) await looked(sql, String(i));
  expect(await countWaitingAccesses(sql)).toMatchObject({ count: 250 });
  const stop = recording({ destination: audit.url });
  const expected = Array.from({ length: 250 }, (_, i) => String(i));
  await expect.poll(() => keysOf(sql), patience).toEqual(expected);
  await looked(sql, 'next');
  await expect.poll(() => keysOf(sql), patience).toEqual([...expected, 'next']);
  expect(await countWaitingAccesses(sql)).toEqual({ count: 0, since: undefined });
  await stop();
  await looked(sql, 'while nobody records');
  expect(await keysOf(sql)).toHaveLength(251);
  expect(await readAccesses(sql, { limit: 1 })).toMatchObject([
    { key: 'while nobody records', entry: undefined },
  ]);
  expect(await recorder.run({ drain: true })).toBe(true);
  expect(await keysOf(sql)).toEqual([...expected, 'next', 'while nobody records']);

  const report = await verified(sql);
  expect(report.findings).toEqual([]);
  expect(report.provenSize).toBe(report.size);
  const { rows } = await sql.query<{ kind: string; event: string | null }>(
    `SELECT kind, payload->>'event' AS event FROM bemi.event_log WHERE kind <> 'access' ORDER BY sequence`,
  );
  expect(rows.map(({ kind, event }) => `${kind} ${event}`)).toEqual([
    ...['lifecycle created', 'key created', 'config retention-set', 'lifecycle started', 'lifecycle stopped'],
  ]);
});

test('one writes, another waits and takes over; nothing is lost, repeated or moved', async () => {
  const { audit, sql } = await auditDatabase();
  const stopOne = recording({ destination: audit.url });
  await looked(sql, '0');
  await expect.poll(() => keysOf(sql), patience).toEqual(['0']);
  const two = createAccessRecorder({ destination: audit.url });
  const abort = new AbortController();
  const ended = two.run({ signal: abort.signal });
  onTestFinished(async () => {
    abort.abort();
    await ended;
  });
  await expect.poll(() => two.problem()?.code, patience).toBe('log-in-use');
  expect(await createAccessRecorder({ destination: audit.url }).run({ drain: true })).toBe(true);
  await looked(sql, '1');
  await expect.poll(() => keysOf(sql), patience).toEqual(['0', '1']);
  await stopOne();
  await looked(sql, '2');
  await expect.poll(() => keysOf(sql), patience).toEqual(['0', '1', '2']);
  expect(two.problem()).toBeUndefined();
  // Its session is ended by force: what it holds comes again.
  await sql.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'bemi worker: accesses'`,
  );
  for (let i = 3; i < 40; i++) await looked(sql, String(i));
  await expect.poll(() => keysOf(sql), patience).toEqual(Array.from({ length: 40 }, (_, i) => String(i)));
  expect((await verified(sql)).findings).toEqual([]);
});

test('what was altered, removed or rewritten in it is found, and a cut end is refused', async () => {
  const { audit, sql } = await auditDatabase();
  for (let i = 0; i < 5; i++) await looked(sql, String(i));
  const recorder = createAccessRecorder({ destination: audit.url });
  await recorder.run({ drain: true });
  const { log, nextSequence } = (await findAccessLog(sql))!;
  const tampered = async (statement: string) => {
    await sql.query('BEGIN; SET LOCAL session_replication_role = replica');
    await sql.query(statement);
    const { findings } = await verified(sql, true);
    await sql.query('ROLLBACK');
    return findings.map((finding) => ({ ...finding }));
  };
  const where = `WHERE log = ${log} AND sequence = 4`;
  expect(
    await tampered(`UPDATE bemi.event_log SET payload = replace(payload::text, 'ada', 'bob')::json ${where}`),
  ).toMatchObject([{ code: 'altered', sequence: 3 }]);
  expect(await tampered(`DELETE FROM bemi.event_log ${where}`)).toMatchObject([
    { code: 'missing', sequence: 4 },
  ]);
  expect(
    await tampered(`UPDATE bemi.event_log SET payload = NULL, actor = NULL, salt = NULL,
      commitment = sha256('x') ${where}`),
  ).not.toEqual([]);
  await sql.query(
    `SET session_replication_role = replica; DELETE FROM bemi.event_log WHERE log = ${log} AND sequence = ${nextSequence - 1};
     UPDATE bemi.logs SET next_sequence = next_sequence - 1 WHERE log = ${log}; RESET session_replication_role`,
  );
  await looked(sql, 'later');
  expect(await recorder.run({ drain: true })).toBe(false);
  expect(recorder.problem()).toMatchObject({ code: 'log-altered', kind: 'refuse' });
  expect(await countWaitingAccesses(sql)).toMatchObject({ count: 1 });
});

test('nobody can have erased what he looked at, nor what the log says of itself', async () => {
  const { audit, sql } = await auditDatabase();
  for (let i = 0; i < 3; i++) await looked(sql, String(i));
  const recorder = createAccessRecorder({ destination: audit.url });
  await recorder.run({ drain: true });
  const { log } = (await findAccessLog(sql))!;
  const reason = 'embarrassing';
  const refused = [
    await request(sql, log, 'erasure', { entries: [[3, 5]], reason, by: 'me' }),
    await request(sql, log, 'erasure', { entries: [[0, 1]], reason, by: 'me' }),
    await request(sql, log, 'retention', { before: 5, olderThan: new Date().toISOString(), by: 'me' }),
    await request(sql, log, 'custom', {}),
    await request(sql, log, 'config', { event: 'retention-set', days: 1, by: 'me' }), // without a reason
    await request(sql, log, 'config', { event: 'rules-set' }),
    await request(sql, log, 'key', { event: 'replaced' }),
  ];
  const lowered = await request(sql, log, 'config', { event: 'retention-set', days: 1, reason, by: 'me' });
  await recorder.run({ drain: true });
  for (const id of refused)
    expect(await requestAnswer(sql, id)).toMatchObject({ refusal: expect.any(String) });
  expect(await requestAnswer(sql, lowered)).toEqual({ sequence: '6' });
  expect(await keysOf(sql)).toEqual(['0', '1', '2']);
  expect((await verified(sql)).findings).toEqual([]);
  // By the owner's hand.
  await sql.query('SELECT bemi.erase_accesses($1, $2)', [log, JSON.stringify([[3, 3]])]);
  expect((await verified(sql)).findings).toMatchObject([
    { code: 'erased-without-event', sequence: 3, count: 1 },
  ]);
});

test('what has expired is erased, all of it, and the log still verifies', async () => {
  const { audit, sql } = await auditDatabase();
  for (let i = 0; i < 3; i++) await looked(sql, String(i));
  // A millisecond.
  const stop = recording({ destination: audit.url, retentionDays: 1e-8, retentionIntervalMs: 100 });
  const erased = async (): Promise<number> =>
    (await readAccesses(sql, { limit: 10 })).filter(({ isErased }) => isErased).length;
  await expect.poll(erased, patience).toBe(3);
  await looked(sql, '3');
  await expect.poll(erased, patience).toBe(4);
  await stop();
  const report = await verified(sql);
  expect(report.findings).toEqual([]);
  expect(report.facts.erased).toBe(4);
  const { rows } = await sql.query<{ rest: string }>(
    `SELECT concat(e.payload, e.actor, e.salt) AS rest FROM bemi.event_log e WHERE kind = 'access'
     UNION SELECT payload::text FROM bemi.inbox WHERE kind = 'access'`,
  );
  expect(rows).toEqual([{ rest: '' }]);
});
