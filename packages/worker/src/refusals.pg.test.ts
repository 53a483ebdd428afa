import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, onTestFinished, test } from 'vitest';
import { createAuditedBank, expectWholeLog } from '../test/audited-bank.ts';
import { createWorker, type WorkerOptions } from './create-worker.ts';

async function problemOf(options: WorkerOptions): Promise<unknown> {
  const failure: unknown = await createWorker(options)
    .run({ drain: true })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  return (failure as { problem?: unknown } | undefined)?.problem;
}

test('an audit database restored from an older copy is refused', async () => {
  const bank = await createAuditedBank();
  await createWorker(bank.targets).run({ drain: true });
  await bank.auditSql.query('CREATE TABLE copy AS SELECT * FROM bemi.sources');
  await bank.sourceSql.query('UPDATE account SET balance = 1');
  await createWorker(bank.targets).run({ drain: true });
  await bank.auditSql.query(
    'UPDATE bemi.sources s SET confirmed_lsn = c.confirmed_lsn, last_final_lsn = c.last_final_lsn FROM copy c WHERE c.log = s.log',
  );
  expect(await problemOf(bank.targets)).toMatchObject({ code: 'slot-ahead', kind: 'refuse' });
});

test('a transaction that is sent again but was another one is refused', async () => {
  const bank = await createAuditedBank();
  await createWorker(bank.targets).run({ drain: true });
  // The slot of the bank is confirmed; one made before the same writes sends them again.
  const earlier = `${bank.slot}_2`;
  await bank.sourceSql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [earlier]);
  await bank.sourceSql.query('UPDATE account SET balance = 1 WHERE id = 1');
  await bank.sourceSql.query('UPDATE account SET balance = 2 WHERE id = 2');
  await createWorker(bank.targets).run({ drain: true });
  await expect(
    createWorker({ ...bank.targets, slot: earlier }).run({ drain: true }),
  ).resolves.toBeUndefined();
  await expectWholeLog(bank);

  await bank.sourceSql.query(`SELECT pg_copy_logical_replication_slot($1, $2)`, [earlier, `${bank.slot}_3`]);
  await bank.sourceSql.query('UPDATE account SET balance = 3 WHERE id = 3');
  // So many that the one before is in a full tile: of what the newest is made the worker looks at itself.
  await bank.sourceSql.query(`INSERT INTO bulk (text) SELECT 'x' FROM generate_series(1, 600)`);
  await createWorker(bank.targets).run({ drain: true });
  await bank.auditSql.query('SET session_replication_role = replica'); // past the triggers against accidents
  await bank.auditSql.query(
    `UPDATE bemi.transaction_log SET xid = xid + 1
      WHERE sequence = (SELECT sequence FROM bemi.transaction_log ORDER BY sequence DESC OFFSET 1 LIMIT 1)`,
  );
  expect(await problemOf({ ...bank.targets, slot: `${bank.slot}_3` })).toMatchObject({
    code: 'history-changed',
    kind: 'refuse',
  });
});

test('a database whose encoding can not hold every text is refused as configuration', async () => {
  const bank = await createAuditedBank();
  const sql = await (await createDatabase()).connect();
  const name = `${bank.source.name}_latin1`;
  await sql.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`);
  onTestFinished(async () => {
    await bank.sourceSql.query(`DROP DATABASE ${name}`);
  });
  const destination = new URL(bank.audit.url);
  destination.pathname = `/${name}`;
  expect(await problemOf({ ...bank.targets, destination: destination.href })).toMatchObject({
    code: 'audit-encoding',
    kind: 'configuration',
  });
});

test('a role that may not make the publication is told what is missing, and how to make it', async () => {
  const source = await createDatabase();
  const audit = await createDatabase();
  const sql = await source.connect();
  const role = `${source.name}_weak`;
  await sql.query(
    `CREATE TABLE t (id integer PRIMARY KEY); CREATE ROLE ${role} LOGIN REPLICATION PASSWORD 'x'`,
  );
  onTestFinished(async () => {
    await sql.query(`DROP ROLE ${role}`);
  });
  const stop = new AbortController();
  const worker = createWorker({
    source: source.urlAs(role, 'x'),
    destination: audit.url,
    slot: `${source.name}_slot`,
  });
  const running = worker.run({ signal: stop.signal });
  await expect
    .poll(() => worker.status().problem, { timeout: 30_000 })
    .toMatchObject({
      code: 'publication',
      kind: 'retry',
      message: expect.stringContaining('42501'),
      fix: expect.stringContaining('CREATE PUBLICATION "bemi_publication" FOR ALL TABLES'),
    });
  // Somebody does it: the worker goes on by itself.
  await sql.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  await expect.poll(() => worker.status().state, { timeout: 30_000 }).toBe('recording');
  stop.abort();
  await running;
});
