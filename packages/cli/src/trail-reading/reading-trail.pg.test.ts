import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { createWorker } from '@bemi-db/worker';
import { expect, test } from 'vitest';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

const guideContext = {
  userId: 'test_user_123',
  role: 'PHYSICIAN',
  ipAddress: '192.168.1.100',
  userAgent: 'Test Script',
  endpoint: '/test',
  accessReason: 'Testing Bemi replication',
};

interface RecordedSource {
  readonly source: TestDatabase;
  readonly environment: Record<string, string>;
  /** Runs statements in a transaction, with a context or without. */
  transact(context: object | undefined, ...statements: string[]): Promise<void>;
  drain(): Promise<void>;
}

async function recordedSource(): Promise<RecordedSource> {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const slot = `slot_${source.name}`;
  const client = await source.connect();
  await client.query(`
    CREATE TABLE "Patient" (id text PRIMARY KEY, "firstName" text, visits numeric);
    ALTER TABLE "Patient" REPLICA IDENTITY FULL;
    CREATE TABLE line ("order" int, no int, PRIMARY KEY ("order", no))`);
  const drain = () => createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  await drain();
  return {
    source,
    environment: {
      BEMI_DATABASE_URL: source.url,
      BEMI_DESTINATION_URL: audit.url,
      BEMI_REPLICATION_SLOT: slot,
    },
    async transact(context, ...statements) {
      await client.query('BEGIN');
      if (context) {
        await client.query(`SELECT pg_logical_emit_message(true, '_bemi', $1)`, [JSON.stringify(context)]);
      }
      for (const statement of statements) await client.query(statement);
      await client.query('COMMIT');
    },
    drain,
  };
}

async function guidesTest(): Promise<RecordedSource> {
  const recorded = await recordedSource();
  await recorded.transact(guideContext, `INSERT INTO "Patient" VALUES ('clx1', 'Test', 9007199254740993.10)`);
  await recorded.transact(guideContext, `UPDATE "Patient" SET "firstName" = 'Updated'`);
  await recorded.transact(undefined, `DELETE FROM "Patient"`);
  await recorded.drain();
  return recorded;
}

const lines = (stdout: string): string[] => stdout.split('\n').filter((line) => line !== '');

test("the guide's test, for programs and for people", async () => {
  const { environment } = await guidesTest();
  const { code, stdout, stderr } = await runBemi(['log', '--json', '--changed-only'], environment);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [remove, update, insert] = lines(stdout).map((line) => JSON.parse(line));
  expect(Object.keys(insert)).toEqual([
    ...['sequence', 'operation', 'schema', 'table', 'primaryKey', 'before', 'after', 'changed'],
    ...['context', 'timestamp', 'transactionId', 'position'],
  ]);
  expect(insert).toMatchObject({
    operation: 'INSERT',
    table: 'Patient',
    before: null,
    context: guideContext,
  });
  expect(update).toMatchObject({
    before: { firstName: 'Test' },
    after: { firstName: 'Updated' },
    changed: ['firstName'],
  });
  expect(remove).toMatchObject({ operation: 'DELETE', after: null, context: null });
  expect(stdout).toContain('"visits":9007199254740993.10');

  const whole = await runBemi(['log', '--json', '--operation', 'update'], environment);
  expect(whole.stdout).toContain('"before":{"id":"clx1","firstName":"Test","visits":9007199254740993.10}');

  const people = await runBemi(['log'], environment);
  expect(people.stdout).toMatch(
    /test_user_123 \(PHYSICIAN\) updated Patient clx1 .*\[Testing Bemi replication · \/test · 192.168.1.100\]/,
  );
  expect(people.stdout).toContain('firstName: "Test" → "Updated"');
  expect(people.stdout).toContain('direct SQL (without context) deleted Patient clx1');
});

test('filters, and what is said when nothing matches', async () => {
  const { environment } = await guidesTest();
  const count = async (...flags: string[]): Promise<number> =>
    lines((await runBemi(['log', '--json', ...flags], environment)).stdout).length;
  expect(await count('--table', 'Patient', '--primary-key', 'clx1')).toBe(3);
  expect(await count('--context', 'userId=test_user_123', '--context', 'role=PHYSICIAN')).toBe(2);
  expect(await count('--operation', 'insert,delete', '--since', '1h')).toBe(2);
  expect(await count('--until', '1h')).toBe(0);
  expect(await count('--table', 'Patient', '--table', 'nothing')).toBe(3);
  expect(await count('--actor', 'test_user_123', '--changed', 'firstName')).toBe(1);
  expect(await count('--value-after', 'firstName=Updated')).toBe(1);
  expect(await count('--value', 'firstName~UPD')).toBe(2);
  expect(await count('--value', 'firstName is null')).toBe(0);
  expect(await count('--text', 'test_user', '--operation', 'update')).toBe(1);
  const all = await runBemi(['log', '--table', 'Patient', '--json'], environment);
  const [{ transactionId }] = lines(all.stdout).map((line) => JSON.parse(line));
  expect(await count('--transaction-id', String(transactionId))).toBeGreaterThan(0);
  expect(await count('--transaction', '999999')).toBe(0);
  expect(await count('--limit', '1')).toBe(1);
  const nothing = await runBemi(['log', '--table', 'patient'], environment);
  expect(nothing).toMatchObject({ code: 0, stdout: expect.stringMatching(/No change matches.*Patient/s) });
});

test('a record, by its key', async () => {
  const recorded = await guidesTest();
  await recorded.transact(undefined, 'INSERT INTO line VALUES (1042, 3)');
  await recorded.transact(undefined, 'ALTER TABLE line ADD COLUMN qty int', 'UPDATE line SET qty = 2');
  await recorded.drain();
  const history = await runBemi(['history', 'Patient', 'clx1', '--json'], recorded.environment);
  expect(lines(history.stdout).map((line) => JSON.parse(line).operation)).toEqual([
    ...['INSERT', 'UPDATE', 'DELETE'],
  ]);
  // Through both shapes of the table.
  const line = await runBemi(['history', 'public.line', '1042', '3'], recorded.environment);
  expect(line.stdout).toMatch(/created line \(1042, 3\).*updated line \(1042, 3\)/s);
});

test('an empty log says what is connected and what to try', async () => {
  const { environment, source } = await recordedSource();
  const { code, stdout } = await runBemi(['log'], environment);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    new RegExp(`No change is recorded yet.*${source.name}, through slot slot_${source.name}.*from LSN`, 's'),
  );
  const json = await runBemi(['log', '--json'], environment);
  expect(json).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('No change is recorded'),
  });

  const unused = await createDatabase();
  const before = await runBemi(['log'], { BEMI_DESTINATION_URL: unused.url });
  expect(before.stdout).toMatch(/The log is empty.*bemi worker/s);
});

test('following shows each change as it is recorded, and ends without an error', async () => {
  const recorded = await recordedSource();
  const following = startBemi(['log', '--follow', '--json'], recorded.environment);
  await recorded.transact({ userId: 'one' }, `INSERT INTO "Patient" VALUES ('a')`);
  await recorded.drain();
  await following.untilPrinted('"userId":"one"');
  await recorded.transact({ userId: 'two' }, `INSERT INTO "Patient" VALUES ('b')`);
  await recorded.drain();
  await following.untilPrinted('"userId":"two"');
  following.child.kill('SIGINT');
  const { code, stdout } = await following.finished;
  expect(code).toBe(0);
  expect(lines(stdout).map((line) => JSON.parse(line).primaryKey)).toEqual(['a', 'b']);
});

test('status of both sides', async () => {
  const { environment, source } = await guidesTest();
  const { code, stdout } = await runBemi(['status', '--json'], environment);
  expect(code).toBe(0);
  const status = JSON.parse(stdout);
  expect(status).toMatchObject({
    source: {
      context: 'on',
      publication: 'bemi_publication',
      slot: { isActive: false, walStatus: 'reserved', isFailover: true },
    },
    audit: { log: { name: source.name, quarantinedRows: '0' } },
    errors: [],
  });
  expect(status.source.retainedWalBytes).toBeGreaterThan(0);
  expect(status.source.lagBytes).toBeGreaterThanOrEqual(0);
  const people = await runBemi(['status'], environment);
  expect(people.stdout).toMatch(
    /Slot .*failover slot.*no worker is streaming.*Lag.*Retained WAL.*Last entry.*Confirmed/s,
  );
  const { BEMI_DESTINATION_URL: _, ...sourceAlone } = environment;
  const half = await runBemi(['status'], sourceAlone);
  expect(half).toMatchObject({ code: 0, stdout: expect.stringContaining('Audit database  not configured') });
  // The table without REPLICA IDENTITY FULL.
  expect(people.stdout).toMatch(/Some old rows are not sent whole.*public.line/s);
});

test('a role that may not read the trail is told what to grant', async () => {
  const { environment } = await guidesTest();
  const url = new URL(environment['BEMI_DESTINATION_URL']!);
  const admin = await createDatabase();
  const client = await admin.connect();
  const role = `reader_${admin.name}`;
  await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  try {
    url.username = role;
    url.password = 'secret';
    const { code, stderr } = await runBemi(['log'], { BEMI_DESTINATION_URL: url.href });
    expect(stderr).toMatch(/may not read the trail.*GRANT USAGE ON SCHEMA bemi/s);
    expect(code).toBe(1);
  } finally {
    await client.query(`DROP ROLE ${role}`);
  }
});

test('a reader that goes away ends it quietly', async () => {
  const { environment } = await guidesTest();
  const running = startBemi(['log', '--json'], environment);
  running.child.stdout.destroy();
  expect(await running.finished).toMatchObject({ code: 0, stderr: '' });
});
