import { databaseUrl } from '@bemi-db/test-kit/database';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type AuditedBank, createAuditedBank } from '../../test/audited-bank.ts';
import { createWorker, type WorkerOptions } from '../create-worker.ts';
import { type Problem, ProblemError } from '../problem.ts';
import type { RecordedGap } from './accept-gap.ts';
import { type FoundGap, isAcceptable } from './gap-acceptance.ts';

async function problemOf(options: WorkerOptions): Promise<Problem> {
  const failure: unknown = await createWorker(options)
    .run({ drain: true })
    .catch((error: unknown) => error);
  if (!(failure instanceof ProblemError)) throw new Error(`It did not refuse, but ended with ${failure}`);
  return failure.problem;
}

interface Acceptance {
  readonly asked: FoundGap;
  readonly recorded: RecordedGap;
}

/** What a person does who accepts what the worker refuses. */
async function accept(options: WorkerOptions): Promise<Acceptance> {
  const { code, message } = await problemOf(options);
  if (!isAcceptable(code)) throw new Error(`${code} can't be accepted`);
  const asked: FoundGap[] = [];
  const recorded = await createWorker(options).acceptGap({
    refused: { code, message },
    reason: 'a test',
    by: 'the tester',
    confirm: async (gap) => {
      asked.push(gap);
    },
  });
  return { asked: asked[0]!, recorded };
}

async function drain(bank: AuditedBank): Promise<void> {
  await createWorker(bank.targets).run({ drain: true });
}

async function balances(bank: AuditedBank): Promise<unknown[]> {
  const { rows } = await bank.auditSql.query(
    `SELECT t.generation, c.after->>'balance' AS balance FROM bemi.change_log c
       JOIN bemi.transaction_log t USING (transaction) WHERE c.operation = 'UPDATE' ORDER BY c.sequence`,
  );
  return rows.map(({ generation, balance }) => [generation, Number(balance)]);
}

const setBalance = (bank: AuditedBank, balance: number) =>
  bank.sourceSql.query('UPDATE account SET balance = $1 WHERE id = 1', [balance]);

test('a slot that was dropped: what was written since is missing, and recording goes on from a new one', async () => {
  const bank = await createAuditedBank();
  await drain(bank);
  await bank.sourceSql.query('SELECT pg_drop_replication_slot($1)', [bank.slot]);
  await setBalance(bank, 1);
  const { asked, recorded } = await accept(bank.targets);
  expect(asked).toMatchObject({ code: 'slot-missing', generation: 2, toLsn: undefined, lostSize: undefined });
  expect(recorded.toLsn).toMatch(/\//);
  await setBalance(bank, 2);
  await drain(bank);
  expect(await balances(bank)).toEqual([[2, 2]]);
  const { rows } = await bank.auditSql.query(
    `SELECT payload FROM bemi.event_log WHERE sequence = $1 AND kind = 'gap'`,
    [recorded.sequence],
  );
  expect(rows[0].payload).toMatchObject({
    generation: 2,
    fromLsn: asked.fromLsn,
    toLsn: recorded.toLsn,
    refused: 'slot-missing',
    reason: 'a test',
    by: 'the tester',
  });
});

test('a slot that was moved on, twice: each time another generation, and the whole log verifies', async () => {
  const bank = await createAuditedBank();
  await drain(bank);
  for (const generation of [2, 3]) {
    await setBalance(bank, 10 * generation);
    await bank.sourceSql.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [bank.slot]);
    const { asked } = await accept(bank.targets);
    expect(asked).toMatchObject({ code: 'slot-ahead', generation });
    expect(asked.toLsn).not.toBe(asked.fromLsn);
    await setBalance(bank, generation);
    await drain(bank);
  }
  expect(await balances(bank)).toEqual([
    [2, 2],
    [3, 3],
  ]);
  const report = await verifyStoredLog({ client: bank.auditSql, log: 0, keys: [], checkpoints: [] });
  expect(report.findings).toEqual([]);
  expect(report.notices.map(({ code }) => code)).toEqual(['gap-accepted', 'gap-accepted']);
});

test('an audit database restored from an older copy: the signed entries that are gone are given up by name', async () => {
  const empty = await createAuditedBank();
  await drain(empty);
  const { original: bank, copy: restored } = await copyOfAudit(empty);
  await setBalance(bank, 1);
  await drain(bank);
  const { rows } = await bank.auditSql.query('SELECT next_sequence::int AS size FROM bemi.logs');
  const { rows: kept } = await bank.auditSql.query('SELECT checkpoint FROM bemi.frontier');
  const { asked } = await accept(restored.targets);
  expect(asked).toMatchObject({ code: 'slot-ahead', lostSize: rows[0].size, generation: 2 });
  await setBalance(bank, 2);
  await drain(restored);
  expect(await balances(restored)).toEqual([[2, 2]]);
  // Whoever kept the checkpoint of what is gone is told that it was given up, and by which event.
  const report = await verifyStoredLog({
    client: restored.auditSql,
    log: 0,
    keys: [],
    checkpoints: [kept[0].checkpoint],
  });
  expect(report.findings).toEqual([]);
  expect(report.notices).toContainEqual(
    expect.objectContaining({ code: 'checkpoint-given-up', size: rows[0].size }),
  );
});

test('signed entries that are gone while the source still has their changes: they are recorded again', async () => {
  const empty = await createAuditedBank();
  await drain(empty);
  const { original: bank, copy: restored } = await copyOfAudit(empty);
  // A slot that has not heard of what is recorded sends it again.
  const behind = `${bank.slot}_behind`;
  await bank.sourceSql.query('SELECT pg_copy_logical_replication_slot($1, $2)', [bank.slot, behind]);
  await setBalance(bank, 1);
  await drain(bank);
  const targets = { ...restored.targets, slot: behind };
  const { asked } = await accept(targets);
  expect(asked).toMatchObject({ code: 'log-cut', toLsn: asked.fromLsn });
  await createWorker(targets).run({ drain: true });
  expect(await balances(restored)).toEqual([[2, 1]]);
});

test('another server: its history is another generation', async () => {
  const bank = await createAuditedBank();
  await drain(bank);
  const other = await startDisposableServer({ settings: { wal_level: 'logical' } });
  onTestFinished(() => other.stop('immediate'));
  const admin = new pg.Client(other.url());
  await admin.connect();
  await admin.query(`CREATE DATABASE ${bank.source.name}`);
  await admin.end();
  const sql = new pg.Client(other.url(bank.source.name));
  sql.on('error', () => undefined);
  await sql.connect();
  await sql.query('CREATE TABLE account (id integer PRIMARY KEY, balance bigint NOT NULL, filler text)');
  await sql.query('ALTER TABLE account REPLICA IDENTITY FULL');
  await sql.query('INSERT INTO account VALUES (1, 0)');
  const targets = { ...bank.targets, source: other.url(bank.source.name) };
  const { asked, recorded } = await accept(targets);
  expect(asked).toMatchObject({ code: 'other-cluster', generation: 2 });
  await sql.query('UPDATE account SET balance = 5');
  await createWorker(targets).run({ drain: true });
  await sql.end();
  expect(await balances(bank)).toEqual([[2, 5]]);
  const { rows } = await bank.auditSql.query(
    'SELECT confirmed_lsn > $1::pg_lsn AS further FROM bemi.sources',
    [recorded.toLsn],
  );
  expect(rows[0].further).toBe(true);
  const report = await verifyStoredLog({ client: bank.auditSql, log: 0, keys: [], checkpoints: [] });
  expect(report.findings).toEqual([]);
});

test('without a gap there is nothing to accept, and an altered log can not be accepted', async () => {
  const bank = await createAuditedBank();
  await drain(bank);
  const nothing = createWorker(bank.targets).acceptGap({
    refused: { code: 'slot-ahead', message: '' },
    reason: 'none',
    by: 'nobody',
    confirm: async () => undefined,
  });
  await expect(nothing).rejects.toMatchObject({ problem: { code: 'no-gap' } });
  await bank.auditSql.query('SET session_replication_role = replica');
  await bank.auditSql.query(
    `UPDATE bemi.change_log SET after = '{}' WHERE sequence = (SELECT max(sequence) FROM bemi.change_log)`,
  );
  await setBalance(bank, 1);
  await bank.sourceSql.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [bank.slot]);
  await expect(accept(bank.targets)).rejects.toMatchObject({ problem: { code: 'log-altered' } });
});

test('whoever says no has changed nothing', async () => {
  const bank = await createAuditedBank();
  await drain(bank);
  await bank.sourceSql.query('SELECT pg_drop_replication_slot($1)', [bank.slot]);
  const { rows: before } = await bank.auditSql.query('SELECT * FROM bemi.sources');
  const { code, message } = await problemOf(bank.targets);
  const refused = createWorker(bank.targets).acceptGap({
    refused: { code: code as 'slot-missing', message },
    reason: 'no',
    by: 'nobody',
    confirm: () => Promise.reject(new Error('no')),
  });
  await expect(refused).rejects.toThrow('no');
  expect((await bank.auditSql.query('SELECT * FROM bemi.sources')).rows).toEqual(before);
  const { rows } = await bank.sourceSql.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [
    bank.slot,
  ]);
  expect(rows).toEqual([]);
});

/** Copies the audit database as it is now. Its connection is closed meanwhile: both banks that are returned have another. */
async function copyOfAudit(bank: AuditedBank): Promise<{ original: AuditedBank; copy: AuditedBank }> {
  const name = `${bank.audit.name}_copy`;
  await bank.auditSql.end();
  await bank.sourceSql.query(`CREATE DATABASE ${name} TEMPLATE ${bank.audit.name}`);
  const destination = databaseUrl(bank.audit.url, name);
  const auditSql = new pg.Client(destination);
  await auditSql.connect();
  onTestFinished(async () => {
    await auditSql.end();
    await bank.sourceSql.query(`DROP DATABASE ${name}`);
  });
  return {
    original: { ...bank, auditSql: await bank.audit.connect() },
    copy: { ...bank, auditSql, targets: { ...bank.targets, destination } },
  };
}
