import { applyPlan } from '@bemi-db/source/apply-plan';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import { planDdl } from '@bemi-db/source/ddl/plan-ddl';
import { createDatabase } from '@bemi-db/test-kit/database';
import { createWorker } from '@bemi-db/worker';
import { expect, test } from 'vitest';
import { runBemi } from '../../test/run-bemi.ts';

test('bemi log shows DDL in its place, by filters and for programs', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const client = await source.connect();
  const targets = { source: source.url, destination: audit.url, slot: `slot_${source.name}` };
  await applyPlan(client, planDdl(await inspectDdl(client)));
  const drain = () => createWorker(targets).run({ drain: true });
  await drain();
  const emit = (context: object) =>
    `SELECT pg_logical_emit_message(true, '_bemi', '${JSON.stringify(context)}')`;
  await client.query(`SET application_name = 'psql'; SET TimeZone = 'UTC'`);
  await client.query('CREATE TABLE "Visit" (id int PRIMARY KEY, note text)');
  await client.query(`INSERT INTO "Visit" VALUES (1, 'a')`);
  await client.query('BEGIN');
  await client.query(emit({ userId: 'u_deploy', accessReason: 'release 7' }));
  await client.query(`ALTER TABLE "Visit" ADD COLUMN at float DEFAULT random()`);
  await client.query(`UPDATE "Visit" SET note = 'b'`);
  await client.query('COMMIT');
  await client.query('ALTER TABLE "Visit" SET UNLOGGED');
  await client.query(`CREATE SCHEMA app; CREATE TABLE app.other (id int); DROP SCHEMA app CASCADE`);
  await client.query(`SELECT pg_logical_emit_message(true, '_bemi_ddl', 'no JSON')`);
  await client.query(
    `SELECT pg_logical_emit_message(true, '_bemi_ddl', '{"tag":"\\u001b[31m","objects":[7]}')`,
  );
  await client.query('DROP TABLE "Visit"');
  await drain();
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: targets.slot,
  };

  const people = await runBemi(['log'], environment);
  expect(people.code).toBe(0);
  const sentences = people.stdout.replaceAll(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/gm, '').split('\n');
  expect(sentences).toEqual([
    'postgres dropped table Visit  [psql · 127.0.0.1]',
    '    DROP TABLE "Visit"',
    'somebody did \\u001b[31m on something ?',
    'somebody changed something',
    '    a message about DDL can’t be read: not JSON',
    ...[
      'postgres dropped schema app, table app.other  [psql · 127.0.0.1]',
      expect.stringContaining('DROP SCHEMA app CASCADE'),
    ],
    ...['postgres created table app.other  [psql · 127.0.0.1]', expect.stringContaining('CREATE SCHEMA app')],
    'postgres set the replica identity of table app.other  [psql · 127.0.0.1]',
    '    by Bemi’s event trigger: full',
    'postgres altered table Visit  [psql · 127.0.0.1]',
    '    UNLOGGED: its changes are not in the write-ahead log, and not recorded',
    '    ALTER TABLE "Visit" SET UNLOGGED',
    'postgres rewrote table Visit  [psql · 127.0.0.1]',
    '    ALTER TABLE "Visit" SET UNLOGGED',
    'u_deploy updated Visit 1  note: "a" → "b"  [release 7]',
    'u_deploy altered table Visit  [release 7 · psql · 127.0.0.1]',
    '    ALTER TABLE "Visit" ADD COLUMN at float DEFAULT random()',
    'u_deploy rewrote table Visit  [release 7 · psql · 127.0.0.1]',
    '    its rows may be other ones since: no entry says how',
    '    ALTER TABLE "Visit" ADD COLUMN at float DEFAULT random()',
    ...['direct SQL (without context) created Visit 1', '    id: 1, note: "a"'],
    ...[
      'postgres created table Visit  [psql · 127.0.0.1]',
      '    CREATE TABLE "Visit" (id int PRIMARY KEY, note text)',
    ],
    ...[
      'postgres set the replica identity of table Visit  [psql · 127.0.0.1]',
      '    by Bemi’s event trigger: full',
    ],
    '',
  ]);

  const tags = async (...flags: string[]): Promise<unknown[]> => {
    const { stdout } = await runBemi(['log', '--json', ...flags], environment);
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines
      .map((line) => JSON.parse(line))
      .map((entry) => entry.ddl?.tag ?? entry.refused ?? entry.operation);
  };
  expect(await tags('--operation', 'ddl,insert', '--table', 'Visit', '--limit', '4')).toEqual([
    'DROP TABLE',
    'ALTER TABLE',
    'ALTER TABLE',
    'ALTER TABLE',
  ]);
  expect(await tags('--operation', 'DDL', '--table', 'app.other')).toEqual([
    'DROP SCHEMA',
    'CREATE TABLE',
    'ALTER TABLE',
  ]);
  expect(await tags('--context', 'userId=u_deploy')).toEqual(['UPDATE', 'ALTER TABLE', 'ALTER TABLE']);
  expect(await tags('--operation', 'update,insert')).toEqual(['UPDATE', 'INSERT']);
  expect(await tags('--primary-key', '1')).toEqual(['UPDATE', 'INSERT']);
  expect(await tags('--until', '1h')).toEqual([]);
  expect(await tags('--without-context', '--limit', '3')).toEqual(['DROP TABLE', '\u001b[31m', 'not JSON']);

  const { stdout } = await runBemi(['log', '--json', '--limit', '1'], environment);
  expect(JSON.parse(stdout)).toEqual({
    ...{ sequence: expect.any(Number), operation: 'DDL', schema: 'public', table: 'Visit' },
    ...{ primaryKey: null, before: null, after: null, changed: null, context: null },
    ...{
      timestamp: expect.stringMatching(/Z$/),
      transactionId: expect.any(Number),
      position: expect.stringMatching('/'),
    },
    ddl: {
      ...{ version: 1, event: 'drop', tag: 'DROP TABLE', statement: 'DROP TABLE "Visit"' },
      objects: [{ kind: 'table', schema: 'public', name: 'Visit', oid: expect.any(Number) }],
      ...{ session_user: 'postgres', application_name: 'psql', client_addr: '127.0.0.1' },
    },
  });
});
