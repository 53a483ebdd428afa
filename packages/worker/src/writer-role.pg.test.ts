import { setTimeout as delay } from 'node:timers/promises';
import { runBank } from '@bemi-db/test-kit/bank-workload';
import { request } from '@bemi-db/trail/inbox';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import pg from 'pg';
import { expect, test } from 'vitest';
import { setUpRoles, testTrailRoles } from '../../trail/test/trail-roles.ts';
import { createAuditedBank, expectWholeLog, verifyBank } from '../test/audited-bank.ts';
import { createWorker } from './create-worker.ts';
import { LastSigned } from './signing/last-signed.ts';

/** A bank whose worker connects as the writer. */
async function bankOfWriter() {
  const bank = await createAuditedBank();
  const roles = testTrailRoles(bank.audit);
  await setUpRoles(bank.audit.url, roles);
  const destination = bank.audit.urlAs(roles.writer, roles.writerPassword);
  return {
    bank: { ...bank, targets: { ...bank.targets, destination } },
    readerUrl: bank.audit.urlAs(roles.reader, roles.readerPassword),
    roles,
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(50);
}

test('records, answers, indexes and takes over as the writer; the reader verifies', async () => {
  const { bank, readerUrl } = await bankOfWriter();
  const abort = new AbortController();
  const stop = new AbortController();
  const running = createWorker(bank.targets).run({ signal: stop.signal });
  const load = runBank(bank.source.url, 3, abort.signal, 5);
  const counted = async (query: string) =>
    Number((await bank.auditSql.query<{ n: string }>(query)).rows[0]?.n ?? 0);
  await until(async () => (await counted('SELECT count(*) AS n FROM bemi.logs')) > 0);

  const writer = new pg.Client(bank.targets.destination);
  await writer.connect();
  const id = await request(writer, 0, 'custom', { note: 'x' }, 'operator');
  await writer.end();
  await until(
    async () => (await counted(`SELECT count(sequence) AS n FROM bemi.inbox WHERE id = ${id}`)) > 0,
  );
  await until(async () => (await counted('SELECT count(*) AS n FROM bemi.change_index')) > 0);

  // Another one waits, and takes over.
  const second = createWorker(bank.targets).run({ signal: abort.signal });
  await delay(500);
  stop.abort();
  await running;
  await until(async () => (await counted('SELECT epoch AS n FROM bemi.logs')) >= 2);
  await delay(500);
  abort.abort();
  const { counts } = await load;
  await second;
  await expectWholeLog(bank, counts);

  const reader = new pg.Client(readerUrl);
  await reader.connect();
  try {
    const kept = new LastSigned(process.env['BEMI_STATE_DIR']!, bank.source.name).read()!;
    const report = await verifyStoredLog({ client: reader, log: 0, keys: [], checkpoints: [kept] });
    expect(report.findings).toEqual([]);
    expect(report.provenSize).toBe(report.size);
  } finally {
    await reader.end();
  }
});

test('a log that one role owned goes on when its owner has become another', async () => {
  const bank = await createAuditedBank();
  await createWorker(bank.targets).run({ drain: true });
  const roles = testTrailRoles(bank.audit);
  await setUpRoles(bank.audit.url, roles);
  await bank.sourceSql.query(`INSERT INTO bulk (text) VALUES ('later')`);
  const destination = bank.audit.urlAs(roles.writer, roles.writerPassword);
  await expectWholeLog({ ...bank, targets: { ...bank.targets, destination } });
  // And back: as a superuser, who still may.
  await bank.sourceSql.query(`INSERT INTO bulk (text) VALUES ('later still')`);
  await expectWholeLog(bank);
});

test("what somebody does with the writer's password shows", async () => {
  const { bank } = await bankOfWriter();
  await createWorker(bank.targets).run({ drain: true });
  const writer = new pg.Client(bank.targets.destination);
  await writer.connect();
  try {
    // A false entry behind the end: found, and the worker does not go on over it.
    await writer.query('BEGIN');
    await writer.query(
      `INSERT INTO bemi.event_log (log, sequence, at, kind, salt, payload) SELECT 0, next_sequence, now(), 'custom', '\\x00', '{}' FROM bemi.logs`,
    );
    await writer.query('COMMIT');
    expect((await verifyBank(bank)).findings[0]).toMatchObject({ code: 'inserted' });
    await bank.sourceSql.query(`INSERT INTO bulk (text) VALUES ('later')`);
    await expect(createWorker(bank.targets).run({ drain: true })).rejects.toMatchObject({
      problem: { code: 'log-altered' },
    });
    await bank.auditSql.query(
      `SET session_replication_role = replica; DELETE FROM bemi.event_log WHERE sequence >= (SELECT next_sequence FROM bemi.logs); RESET session_replication_role`,
    );
    await expectWholeLog(bank);
    // A signed end that is none.
    await writer.query(`SELECT bemi.seal(0, 1048576, '\\x${'00'.repeat(32)}', 'x')`);
    expect((await verifyBank(bank)).findings.length).toBeGreaterThan(0);
  } finally {
    await writer.end();
  }
});

test('erasing by the functions, without an event that says so, shows', async () => {
  const { bank } = await bankOfWriter();
  await createWorker(bank.targets).run({ drain: true });
  const writer = new pg.Client(bank.targets.destination);
  await writer.connect();
  try {
    const { rows } = await writer.query('SELECT max(sequence)::integer AS last FROM bemi.change_log');
    await writer.query('SELECT bemi.erase_entries(0, $1)', [JSON.stringify([[rows[0].last, rows[0].last]])]);
    expect((await verifyBank(bank)).findings).toMatchObject([{ sequence: rows[0].last }]);
  } finally {
    await writer.end();
  }
});
