import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

async function recordedNotes() {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const slot = `slot_${source.name}`;
  const sql = await source.connect();
  await sql.query('CREATE TABLE note (id integer PRIMARY KEY, text text)');
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url,
    BEMI_REPLICATION_SLOT: slot,
  };
  const folder = projectFolder();
  const bemi = (...args: string[]) => runBemi(args, environment, folder);
  expect(await bemi('worker', '--drain')).toMatchObject({ code: 0 });
  await sql.query(`INSERT INTO note VALUES (1, 'one')`);
  expect(await bemi('worker', '--drain')).toMatchObject({ code: 0 });
  return { sql, slot, bemi };
}

const reason = ['--reason', 'dropped by mistake, ticket 4711', '--by', 'Ada'];

test('a slot that was dropped: refused, accepted, recorded on, and reported by each verification', async () => {
  const { sql, slot, bemi } = await recordedNotes();
  await sql.query('SELECT pg_drop_replication_slot($1)', [slot]);
  await sql.query(`INSERT INTO note VALUES (2, 'never recorded')`);
  const refused = await bemi('worker', '--drain');
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('bemi gap accept --reason') });

  const unasked = await bemi('gap', 'accept', ...reason);
  expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
  expect(unasked.stdout).toMatch(/Refused +slot-missing/);
  expect((await bemi('worker', '--drain')).code).toBe(1);

  const dry = await bemi('gap', 'accept', ...reason, '--dry-run', '--json');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(dry.stdout)).toMatchObject({ sequence: null, refused: 'slot-missing', toLsn: null });
  expect((await bemi('worker', '--drain')).code).toBe(1);

  const accepted = await bemi('gap', 'accept', ...reason, '--yes', '--json');
  expect(accepted).toMatchObject({ code: 0, stderr: '' });
  const gap = JSON.parse(accepted.stdout);
  expect(gap).toMatchObject({ refused: 'slot-missing', generation: 2, lostSize: null });

  await sql.query(`INSERT INTO note VALUES (3, 'three')`);
  expect(await bemi('worker', '--drain')).toMatchObject({ code: 0 });
  const log = await bemi('log', '--json');
  expect(log.stdout.match(/"primaryKey":"\d+"/g)).toEqual(['"primaryKey":"3"', '"primaryKey":"1"']);
  expect((await bemi('status')).stdout).toMatch(/Complete .*, but for 1 accepted gap\n/);
  const verified = await bemi('verify', '--json');
  expect(verified.code).toBe(0);
  expect(verified.stdout).toContain('gap-accepted');
  expect((await bemi('verify')).stdout).toContain(`${gap.sequence}`);

  const again = await bemi('gap', 'accept', ...reason, '--yes');
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no gap to accept') });
});

test('a skip that makes no sense is refused, and what is missing is named', async () => {
  const { bemi } = await recordedNotes();
  expect(await bemi('skip', '--to', '0/1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--reason'),
  });
  expect(await bemi('skip', '--reason', ' ')).toMatchObject({ code: 2 });
  expect(await bemi('skip', '--to', 'soon', '--reason', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('such as 0/16B3749'),
  });
  expect(await bemi('skip', '--to', '0/1', '--reason', 'x', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The log is past 0/1 already'),
  });
  expect(await bemi('skip', '--reason', 'x', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('There is nothing to skip'),
  });
});
