import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

async function selected() {
  const database = await createDatabase();
  const client = await database.connect();
  await client.query(`
    CREATE TABLE patient (id int PRIMARY KEY); CREATE TABLE note (body text);
    CREATE UNLOGGED TABLE cache (id int);
    CREATE TABLE visit (day date, id int) PARTITION BY RANGE (day);
    CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  `);
  const folder = projectFolder();
  const bemi = (...args: string[]) => runBemi(args, {}, folder);
  const setup = await bemi(
    ...['setup', '--admin-url', database.url, '--slot', `slot_${database.name}`],
    ...['--tables', 'patient', '--yes'],
  );
  expect(setup, setup.stderr).toMatchObject({ code: 0 });
  const identities = async () => {
    const { rows } = await client.query(
      `SELECT relname || ' ' || relreplident::text AS it FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1`,
    );
    return rows.map(({ it }) => it);
  };
  const listed = async () => {
    const { stdout } = await bemi('tables', 'list', '--json');
    return (JSON.parse(stdout).tables as { table: string; isRecorded: boolean; note: string }[]).map(
      ({ table, isRecorded, note }) => `${table} ${isRecorded}${note === '' ? '' : ` ${note}`}`,
    );
  };
  return { database, client, folder, bemi, identities, listed };
}

test('tables are added and dropped, listed, and what is done is recorded', async () => {
  const { client, folder, bemi, identities, listed } = await selected();
  expect(await listed()).toEqual([
    'cache false unlogged: nothing can record it',
    ...['note false not published', 'patient true', 'visit false not published'],
  ]);

  const dry = await bemi('tables', 'add', 'note', 'vis*', '--dry-run');
  expect(dry.stdout).toBe(
    `ALTER TABLE "public"."note" REPLICA IDENTITY FULL;
ALTER TABLE "public"."visit" REPLICA IDENTITY FULL;
ALTER TABLE "public"."visit_2026" REPLICA IDENTITY FULL;
ALTER PUBLICATION "bemi_publication" ADD TABLE "public"."note", "public"."visit";
`,
  );
  const added = await bemi('tables', 'add', 'note', 'vis*', '--yes');
  expect(added, added.stderr).toMatchObject({ code: 0 });
  expect(await listed()).toEqual(expect.arrayContaining(['note true', 'visit true']));
  expect((await bemi('tables', 'add', 'note', '--yes')).stdout).toContain(
    'Nothing to do: public.note is recorded',
  );

  const audit = await createDatabase();
  await client.query(`INSERT INTO note VALUES ('a'); INSERT INTO visit VALUES ('2026-05-01', 1)`);
  const drained = await runBemi(['worker', '--drain'], { BEMI_DESTINATION_URL: audit.url }, folder);
  expect(drained, drained.stderr).toMatchObject({ code: 0 });
  const list = await runBemi(['tables', 'list'], { BEMI_DESTINATION_URL: audit.url }, folder);
  expect(list.stdout).toMatch(/✓ public\.note +FULL .*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
  expect(list.stdout).toMatch(/✓ public\.visit \(1 partition\) +FULL .*\d{4}/);
  expect(list.stdout).toContain('3 of 4 tables are recorded.');

  // A partition that was not named by itself can't be dropped by itself.
  const part = await bemi('tables', 'drop', 'visit_2026', '--yes');
  expect(part).toMatchObject({ code: 1, stderr: expect.stringContaining('bemi tables drop public.visit') });
  const dropped = await bemi('tables', 'drop', 'note', 'visit', '--yes');
  expect(dropped, dropped.stderr).toMatchObject({ code: 0 });
  expect(await identities()).toEqual(['cache d', 'note d', 'patient f', 'visit d', 'visit_2026 d']);
  await client.query(`UPDATE note SET body = 'b'; UPDATE visit SET id = 2`);
  expect((await bemi('tables', 'drop', 'note', '--yes')).stdout).toContain('public.note is not recorded');
});

test('what no publication can do is refused, with what to do instead', async () => {
  const { client, bemi, identities } = await selected();
  expect(await bemi('tables', 'add', 'Note', '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no table public\.Note.*public\.note/s),
  });
  expect(await bemi('tables', 'add', 'cache', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('SET LOGGED'),
  });
  expect(await bemi('tables', 'add', 'note', '--publication', 'nowhere', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('bemi setup'),
  });
  // Another publication needs the identity of a table.
  await client.query('CREATE PUBLICATION other FOR TABLE note');
  await bemi('tables', 'add', 'note', '--yes');
  await bemi('tables', 'drop', 'note', '--yes');
  expect(await identities()).toContain('note f');
  await client.query('DROP PUBLICATION other; DROP PUBLICATION bemi_publication');
  await client.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  expect(await bemi('tables', 'drop', 'note', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/is for all tables.*bemi rules/s),
  });
  expect((await bemi('tables', 'add', 'note', '--yes')).stdout).toContain('public.note is recorded');
});
