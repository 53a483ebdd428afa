import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase } from '@bemi-db/test-kit/database';
import { startOwnServer } from '@bemi-db/test-kit/own-server';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

// The procedures of docs/disaster-recovery.md, by its commands.

const minutes = 60_000;

/** A source with three changes, recorded in an audit server of its own that can be lost. */
async function setScene() {
  const source = await createDatabase();
  const audit = await startOwnServer({ isNewCluster: true });
  onTestFinished(() => audit.stop('immediate'));
  const sql = await source.connect();
  await sql.query('CREATE TABLE note (id integer PRIMARY KEY)');
  const admin = new pg.Client(audit.url());
  await admin.connect();
  await admin.query('CREATE DATABASE bemi_audit');
  await admin.end();
  const environment = {
    BEMI_DATABASE_URL: source.url,
    BEMI_DESTINATION_URL: audit.url('bemi_audit'),
    BEMI_REPLICATION_SLOT: `slot_${source.name}`,
  };
  const folder = projectFolder();
  const bemi = (...args: string[]) => runBemi(args, environment, folder);
  const write = async (...ids: number[]): Promise<void> => {
    for (const id of ids) await sql.query('INSERT INTO note VALUES ($1)', [id]);
  };
  const record = async (): Promise<void> => {
    const run = await bemi('worker', '--drain');
    expect(run, run.stderr).toMatchObject({ code: 0 });
  };
  const recorded = async (): Promise<string[]> => {
    const { stdout } = await bemi('log', '--json', '--limit', '100');
    return [...stdout.matchAll(/"primaryKey":"(\d+)"/g)].map(([, key]) => key!).toReversed();
  };
  await record();
  await write(1, 2, 3);
  await record();
  return { source, audit, sql, folder, environment, bemi, write, record, recorded };
}

test(
  'the audit database is lost, and restored to its last commit: the worker goes on, nothing is missing',
  async () => {
    const { audit, bemi, write, record, recorded } = await setScene();
    await audit.stop('kill');
    const restored = audit.copy(); // as archived WAL replayed to its end gives it
    await write(4);
    await audit.start({}, restored);
    await record();
    expect(await recorded()).toEqual(['1', '2', '3', '4']);
    expect((await bemi('verify')).code).toBe(0);
  },
  2 * minutes,
);

test(
  'the audit database is restored from an older backup: refused, accepted, and the log says what is missing',
  async () => {
    const { audit, bemi, write, record, recorded } = await setScene();
    await bemi('log');
    await record();
    await audit.stop('fast');
    const backup = audit.copy();
    await audit.start();
    await write(4);
    await bemi('log');
    await record();
    await audit.stop('kill');
    await audit.start({}, backup);
    await write(5);

    const refused = await bemi('worker', '--drain');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('bemi gap accept --reason') });
    const reason = ['--reason', 'restored the backup of last night, ticket 4711', '--by', 'Ada'];
    const accepted = await bemi('gap', 'accept', ...reason, '--yes', '--json');
    expect(accepted).toMatchObject({ code: 0 });
    expect(JSON.parse(accepted.stdout)).toMatchObject({
      refused: 'slot-ahead',
      generation: 2,
      lostSize: expect.any(Number),
    });
    // Who looked at the trail since the backup is lost too, and that is another log: the source is recorded all the same.
    const drained = await bemi('worker', '--drain');
    expect(drained).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Not drained: the log of accesses.*bemi gap accept --access --reason/s),
    });
    expect(await recorded()).toEqual(['1', '2', '3', '5']); // 4 had been confirmed to the slot
    const lost = await bemi('gap', 'accept', '--access', ...reason, '--dry-run');
    expect(lost).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Gone +1 entry that was signed/),
    });
    expect(await bemi('gap', 'accept', '--access', ...reason, '--yes')).toMatchObject({ code: 0 });
    await record();
    const again = await bemi('gap', 'accept', '--access', ...reason, '--yes');
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('no-gap') });
    const accesses = await bemi('verify', '--access');
    expect(accesses).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Entries were lost with a part of the audit database'),
    });
    const verified = await bemi('verify', '--json');
    expect(verified.code).toBe(0);
    expect(verified.stdout).toContain('gap-accepted');
  },
  2 * minutes,
);

test(
  'the machine of the worker is lost: with a copy of the key, and of nothing else, another one goes on',
  async () => {
    const { folder, environment, write, recorded } = await setScene();
    const other = projectFolder();
    cpSync(join(folder, '.bemi'), join(other, '.bemi'), {
      recursive: true,
      filter: (path) => path.endsWith('.bemi') || path.endsWith('signing-key.pem'),
    });
    rmSync(join(folder, '.bemi'), { recursive: true });
    await write(4);
    const run = await runBemi(['worker', '--drain'], environment, other);
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect((await runBemi(['verify'], environment, other)).code).toBe(0);
    expect(await recorded()).toEqual(['1', '2', '3', '4']);
  },
  2 * minutes,
);

test(
  'and without one: refused, replaced with a reason, and every verification says so',
  async () => {
    const { folder, bemi, write, record, recorded } = await setScene();
    rmSync(join(folder, '.bemi'), { recursive: true });
    await write(4);
    const refused = await bemi('worker', '--drain');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('keys signing replace') });
    const reason = ['--reason', 'disk of the worker lost, no copy', '--by', 'Ada'];
    expect(await bemi('keys', 'signing', 'replace', ...reason)).toMatchObject({ code: 0 });
    await record();
    expect(await recorded()).toEqual(['1', '2', '3', '4']);
    const verified = await bemi('verify', '--json');
    expect(verified.code).toBe(0);
    expect(verified.stdout).toContain('key-replaced');
  },
  2 * minutes,
);
