import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type Finished, projectFolder, type Running, runBemi, startBemi } from '../../test/run-bemi.ts';

const program = fileURLToPath(new URL('../../bin/bemi.js', import.meta.url));

interface Demo {
  readonly demo: Running;
  readonly folder: string;
  sql(statement: string): Promise<Finished>;
}

/** A demo of our own: nothing of it is outside this folder, the file that remembers it included. */
function startDemo(folder = projectFolder()): Demo {
  return {
    folder,
    demo: startBemi(['demo'], { TMPDIR: folder }),
    sql: (statement) => runBemi(['demo', 'sql', statement], { TMPDIR: folder }),
  };
}

function clusters(folder: string): string[] {
  return readdirSync(folder).filter((name) => !name.endsWith('.json'));
}

test('shows changes as they are recorded, those behind the application too, and deletes everything', async () => {
  const { demo, folder, sql } = startDemo();
  const start = await demo.untilPrinted(')"\n');
  expect(start).toMatch(
    /ingrid.solberg \(ADMIN\) created User .*tom.whitfield \(RECEPTIONIST\) created Patient/s,
  );
  const addresses = /The clinic +(http\S+)\n.*Source database +(\S+)\n.*Audit database +(\S+)\n/s.exec(start);
  const [, clinicUrl = '', sourceUrl = '', auditUrl = ''] = addresses ?? [];
  expect(await (await fetch(clinicUrl)).json()).not.toEqual([]);
  expect(await count(sourceUrl, 'SELECT count(*) FROM "User"')).toBe('5');
  expect(await count(auditUrl, `SELECT count(*) FROM changes WHERE "table" = 'User'`)).toBe('5');

  // The line to paste, as a shell reads it.
  const pasted = start.split('\n').find((line) => line.startsWith('npx bemi ')) ?? '';
  const { stdout } = await promisify(execFile)(
    'sh',
    ['-c', pasted.replace('npx bemi', `"${process.execPath}" "${program}"`)],
    { env: { PATH: process.env['PATH'], TMPDIR: folder } },
  );
  expect(stdout).toBe('✓ UPDATE: 1 row\n');
  const shown = await demo.untilPrinted('↑ that went past the application');
  expect(shown).toMatch(
    /direct SQL \(without context\) updated Patient \S+\s+address: ".*" → "Changed"\n +↑/,
  );

  const [stateFile = ''] = readdirSync(folder).filter((name) => name.endsWith('.json'));
  expect(statSync(join(folder, stateFile)).mode & 0o777).toBe(0o600);
  expect(await sql('drop table "Patient"')).toMatchObject({
    ...{ code: 1, stdout: '' },
    stderr: expect.stringMatching(/must be owner of table Patient.*sqlstate-42501.*ordinary role/s),
  });
  expect((await sql('select * from Patient')).stderr).toContain('double quotes');
  const who = await sql("select current_user, current_setting('application_name') as program");
  expect(who.stdout).toMatch(/^current_user +program\nvisitor +bemi demo sql\n✓ SELECT: 1 row\n$/);
  const other = await startDemo(folder).demo.finished;
  expect({ ...other, stderr: '' }).toEqual({ code: 1, stdout: '', stderr: '' });
  expect(other.stderr).toMatch(/A demo is running already/);

  const [cluster = ''] = clusters(folder);
  const postmaster = Number(
    readFileSync(join(folder, cluster, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0],
  );
  demo.child.kill('SIGINT');
  const { code, stdout: whole, stderr } = await demo.finished;
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/^(✓ .*\n+)+$/) });
  expect(whole).toMatch(/\nRecorded: \d+ changes in \d+ transactions\.\n$/);
  expect(readdirSync(folder)).toEqual([]);
  expect(() => process.kill(postmaster, 0)).toThrow('ESRCH');
  expect(await sql('select 1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('No demo is running'),
  });
});

test('what a killed demo left behind is deleted by the next one', async () => {
  const { demo: killed, folder, sql } = startDemo();
  await killed.untilPrinted('npx bemi demo sql');
  const left = clusters(folder);
  killed.child.kill('SIGKILL');
  await killed.finished;
  expect((await sql('select 1')).stderr).toContain('No demo is running');
  const { demo } = startDemo(folder);
  await demo.untilPrinted('npx bemi demo sql');
  expect(clusters(folder)).toHaveLength(1);
  expect(clusters(folder)).not.toEqual(left);
  demo.child.kill('SIGTERM');
  expect((await demo.finished).code).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

async function count(url: string, query: string): Promise<string | undefined> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>(query);
    return rows[0]?.count;
  } finally {
    await client.end();
  }
}

test('tampering with its log is found, named, and undone', async () => {
  const folder = projectFolder();
  const demo = startBemi(['demo'], { TMPDIR: folder });
  const tamper = (...how: string[]) => runBemi(['demo', 'tamper', ...how], { TMPDIR: folder });
  expect(await tamper()).toMatchObject({ code: 1, stderr: expect.stringContaining('No demo is running') });
  await demo.untilPrinted('updated Patient');
  expect(await tamper('--how', 'burnt')).toMatchObject({ code: 2, stderr: expect.stringContaining('cut') });
  for (const [how, found] of [
    [
      'altered',
      /UPDATE bemi.change_log SET after.*(Entry \d+|At least one of the \d+ entries [^\n]+) was altered {2}altered/s,
    ],
    ['deleted', /DELETE FROM bemi.change_log.*Entry \d+ is missing {2}missing/s],
    ['cut', /SET next_sequence.*The end of the log was cut off.*rolled-back/s],
  ] as const) {
    const { code, stdout, stderr } = await tamper('--how', how);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(found);
    expect(stdout).toMatch(/✓ It was undone: the demo goes on, and its log is whole again: \d+ entries\.\n$/);
  }
  demo.child.kill('SIGTERM');
  expect((await demo.finished).code).toBe(0);
});
