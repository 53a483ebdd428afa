import { readdirSync, readFileSync } from 'node:fs';
import { createDatabase } from '@bemi-db/test-kit/database';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import { createWorker } from '@bemi-db/worker';
import { expect, test } from 'vitest';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

const guide = readFileSync(new URL('../../../../docs/context/triggers.md', import.meta.url), 'utf8');
const blocks = (language: string, text = guide): string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map((match) => match[1]!);

test.runIf(streamsContext())('the SQL of the guide, and what is seen of it', async () => {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const sql = await source.connect();
  await sql.query(`CREATE TABLE patient (id int PRIMARY KEY, name text); CREATE TABLE note (text text);
    CREATE TABLE session (expires_at timestamptz);
    ALTER TABLE patient REPLICA IDENTITY FULL; ALTER TABLE note REPLICA IDENTITY FULL; ALTER TABLE session REPLICA IDENTITY FULL`);
  const folder = projectFolder();
  const slot = `slot_${source.name}`;
  const drain = () =>
    createWorker({ source: source.url, destination: audit.url, slot, stateDirectory: `${folder}/.bemi` }).run(
      {
        drain: true,
      },
    );
  await drain();
  await sql.query(`INSERT INTO patient VALUES (1, 'Ada'); INSERT INTO session VALUES ('2020-01-01')`);

  const { code, stdout: migration } = await runBemi(['migration:create', '--print', '--actor']);
  expect(code).toBe(0);
  const [message, setting, session, , query, dropTheirs] = blocks('sql');
  await sql.query(message!);
  await sql.query(migration);
  await sql.query(setting!);
  await sql.query(`INSERT INTO session VALUES ('2020-01-01')`);
  await sql.query(session!);
  await sql.query(dropTheirs!);
  // What the programs send, in the form of their drivers.
  const statements = ['python', 'go', 'ruby', 'java'].flatMap((language) =>
    blocks(language).flatMap((block) => [...block.matchAll(/"(SELECT [^"]+)"/g)].map((match) => match[1]!)),
  );
  expect(statements).toHaveLength(6);
  for (const [n, statement] of statements.entries()) {
    await sql.query('BEGIN');
    await sql.query(statement.replace(/%s|\?/, '$1'), [JSON.stringify({ userId: `program ${n}` })]);
    await sql.query('UPDATE patient SET name = $1 WHERE id = 1', [`name ${n}`]);
    await sql.query('COMMIT');
  }
  await drain();

  const environment = { BEMI_DATABASE_URL: source.url, BEMI_DESTINATION_URL: audit.url };
  const log = await runBemi(['log', '--json'], environment, folder);
  const lines = log.stdout
    .trim()
    .split('\n')
    .map(
      (line) =>
        JSON.parse(line) as { operation: string; table: string; context: object | null; actor?: object },
    )
    .reverse();
  const user = { session_user: sql.user, client_addr: '127.0.0.1' };
  const ada = { userId: '42', endpoint: '/patients/1' };
  expect(
    lines.map(({ operation, table, context, actor }) => [`${operation} ${table}`, context, actor]),
  ).toEqual([
    ['INSERT patient', null, undefined],
    ['INSERT session', null, undefined],
    ['DELETE session', { userId: '42', accessReason: 'clean-up, ticket 1234' }, undefined],
    ['UPDATE patient', ada, user],
    ['INSERT note', ada, user],
    ['INSERT session', null, user],
    ['DELETE session', { userId: 'ada', tool: 'psql' }, user],
    ...statements.map((_, n) => ['UPDATE patient', { userId: `program ${n}` }, user]),
  ]);
  const trail = await audit.connect();
  expect((await trail.query(query!)).rows[0]).toMatchObject({ who: sql.user, address: '127.0.0.1' });
  const seen = await runBemi(['log', '--table', 'session', '--operation', 'INSERT'], environment, folder);
  expect(seen.stdout).toMatch(/ direct SQL by \w+ created session {2}\[127\.0\.0\.1\]\n/);
  expect((await runBemi(['history', 'patient', '1', '--json'], environment, folder)).stdout).toContain(
    `"actor":{"session_user":"${sql.user}"`,
  );
  await sql.query((await runBemi(['migration:create', '--print', '--down', '--actor'])).stdout);
  expect((await sql.query(`SELECT to_regnamespace('bemi_context') AS schema`)).rows).toEqual([
    { schema: null },
  ]);
});

test('files that were written, and none that is overwritten', async () => {
  const folder = projectFolder();
  const create = (...flags: string[]) => runBemi(['migration:create', ...flags], {}, folder);
  expect(await create()).toMatchObject({ code: 0, stdout: expect.stringContaining('SELECT set_config(') });
  const [down, up] = readdirSync(`${folder}/migrations`);
  expect(up).toMatch(/^\d{14}_bemi_context\.sql$/);
  expect(down).toBe(up!.replace('.sql', '.down.sql'));

  const flags = ['--dir', 'prisma/migrations/1_bemi', '--name', 'migration.sql', '--no-context', '--actor'];
  expect(await create(...flags, '--tables', `Patient,"odd.name"."it's"`)).toMatchObject({ code: 0 });
  const file = `${folder}/prisma/migrations/1_bemi/migration.sql`;
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(`attach('"public"."Patient"', '"odd.name"."it''s"')`);
  expect(text).not.toContain('FUNCTION bemi_context.emit_context() RETURNS');
  expect(await create(...flags)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('is not overwritten'),
  });
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect(await create('--dir', 'prisma/migrations/1_bemi', '--name', 'migration.down')).toMatchObject({
    code: 1,
  });
  expect(readdirSync(`${folder}/prisma/migrations/1_bemi`)).toEqual(['migration.down.sql', 'migration.sql']);
});
