import { setTimeout as delay } from 'node:timers/promises';
import { runBank } from '@bemi-db/test-kit/bank-workload';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { concernedContexts } from '@bemi-db/trail/erasure/concerned-contexts';
import { findRecord } from '@bemi-db/trail/erasure/find-record';
import { sequencePairs } from '@bemi-db/trail/erasure/sequence-pairs';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { setUpRoles, testTrailRoles } from '../../trail/test/trail-roles.ts';
import { type AuditedBank, createAuditedBank, verifyBank } from '../test/audited-bank.ts';
import { createWorker } from './create-worker.ts';
import type { Failpoint } from './failpoints.ts';

/** Erases what is recorded of an account, with its contexts. Returns the sequences; none where nothing was left. */
async function eraseAccount(sql: pg.Client, id: number): Promise<number[]> {
  const record = { log: 0, table: { name: 'account' }, primaryKey: String(id) };
  const { changes } = await findRecord(sql, record);
  const contexts = await concernedContexts(sql, 0, changes);
  const sequences = [...changes, ...contexts].map(({ sequence }) => sequence);
  if (sequences.length === 0) return [];
  const payload = { entries: sequencePairs(sequences), reason: 'load', by: 'test' };
  const requestId = await request(sql, 0, 'erasure', payload);
  for (;;) {
    const answer = await requestAnswer(sql, requestId);
    if (answer) {
      expect(answer).toHaveProperty('sequence');
      return sequences;
    }
    await delay(20);
  }
}

async function expectErased(bank: AuditedBank, sequences: ReadonlySet<number>): Promise<void> {
  const report = await verifyBank(bank);
  expect(report.findings).toEqual([]);
  expect(report.provenSize).toBe(report.size);
  expect(report.facts.erased).toBe(sequences.size);
  const { rows } = await bank.auditSql.query<{ left: number; indexed: number }>(
    `SELECT (SELECT count(*)::int FROM bemi.change_log WHERE sequence = ANY ($1) AND (primary_key, before::text, after::text) IS DISTINCT FROM (NULL, NULL, NULL)) AS left,
            (SELECT count(*)::int FROM bemi.context_log x JOIN bemi.change_index i USING (transaction, context_no)
              WHERE x.sequence = ANY ($1) AND i.document #> ARRAY[(i.sequence >> 17)::text, 'c'] <> 'null') AS indexed`,
    [[...sequences]],
  );
  expect(rows[0]).toEqual({ left: 0, indexed: 0 });
}

test('erased while it records under load, with the privileges of the writer alone', async () => {
  const bank = await createAuditedBank();
  const roles = testTrailRoles(bank.audit);
  await setUpRoles(bank.audit.url, roles);
  const destination = bank.audit.urlAs(roles.writer, roles.writerPassword);
  const stop = new AbortController();
  const running = createWorker({ ...bank.targets, destination }).run({ signal: stop.signal });
  const endLoad = new AbortController();
  const load = runBank(bank.source.url, 3, endLoad.signal, 2);
  const erased = new Set<number>();
  await delay(1_500);
  for (let id = 1; id <= 25; id++) {
    for (const sequence of await eraseAccount(bank.auditSql, id)) erased.add(sequence);
    // Also while the log is read: what was erased meanwhile is explained by an event behind its end.
    if (id % 8 === 0) {
      const [report, more] = await Promise.all([
        verifyConcurrently(bank),
        eraseAccount(bank.auditSql, 100 + id),
      ]);
      for (const sequence of more) erased.add(sequence);
      expect(report).toEqual([]);
    }
  }
  endLoad.abort();
  await load;
  stop.abort();
  await running;
  await createWorker(bank.targets).run({ drain: true });
  expect(erased.size).toBeGreaterThan(50);
  await verifyLogStructure(bank.auditSql);
  await expectErased(bank, erased);
});

/** On another connection; without the last checkpoint, which moves on. */
async function verifyConcurrently(bank: AuditedBank): Promise<unknown> {
  const { verifyStoredLog } = await import('@bemi-db/trail/verify/verify-log');
  const client = await bank.audit.connect();
  return (await verifyStoredLog({ client, log: 0, keys: [], checkpoints: [] })).findings;
}

const points: readonly Failpoint[] = ['commit:before', 'commit:after', 'confirm:before'];

test.each(points)('a crash at %s: the event and what it erases are there together, once', async (point) => {
  const bank = await createAuditedBank();
  await createWorker(bank.targets).run({ drain: true });
  let isArmed = false;
  const crashing = createWorker({
    ...bank.targets,
    failpoint: (name) => {
      if (!isArmed || name !== point) return;
      isArmed = false;
      throw new Error(`crash at ${name}`);
    },
  });
  const abort = new AbortController();
  const running = crashing.run({ signal: abort.signal }).catch(() => undefined);
  await delay(700);
  isArmed = true;
  const erasing = eraseAccount(bank.auditSql, 7);
  await Promise.race([running, erasing]);
  const second = new AbortController();
  const again = createWorker(bank.targets).run({ signal: second.signal });
  const erased = await erasing;
  abort.abort();
  second.abort();
  await Promise.all([running, again]);
  expect(isArmed).toBe(false);
  const { rows } = await bank.auditSql.query(
    `SELECT count(*)::int AS n FROM bemi.event_log WHERE kind = 'erasure'`,
  );
  expect(rows).toEqual([{ n: 1 }]);
  await expectErased(bank, new Set(erased));
});
