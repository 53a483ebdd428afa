import { spawnSync } from 'node:child_process';
import { cpSync, lchownSync, mkdtempSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unprivilegedUser } from '@bemi-db/embedded-postgres/unprivileged-user';
import { createDatabase } from '@bemi-db/test-kit/database';
import { startOwnServer } from '@bemi-db/test-kit/own-server';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

function mount(folder: string, options: string): boolean {
  const owner = unprivilegedUser();
  const all = `${options}${owner ? `,uid=${owner.uid},gid=${owner.gid},mode=700` : ''}`;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', all, 'tmpfs', folder]).status === 0;
}

function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'bemi-tiny-'));
  const isMounted = mount(folder, 'size=1m');
  if (isMounted) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return isMounted;
}

// Guide 004, issue 5, for real: where root may mount a small file system.
test.runIf(mayMount())(
  'the disk of the source is full and its server is down: with more room, the worker frees it and nothing is lost',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bemi-tiny-'));
    expect(mount(folder, 'size=96m')).toBe(true);
    onTestFinished(() => {
      spawnSync('umount', ['-l', folder]);
      rmdirSync(folder);
    });
    const source = await startOwnServer({ settings: { max_wal_size: '32MB', min_wal_size: '32MB' } });
    onTestFinished(() => source.stop('immediate'));
    await source.stop('fast');
    const wal = join(source.dataDirectory, 'pg_wal');
    cpSync(wal, folder, { recursive: true });
    spawnSync('chown', ['-R', '--reference', source.dataDirectory, folder]);
    rmSync(wal, { recursive: true });
    symlinkSync(folder, wal);
    const owner = unprivilegedUser();
    if (owner) lchownSync(wal, owner.uid, owner.gid);
    await source.start();
    const connected = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
      const client = new pg.Client(source.url());
      client.on('error', () => undefined);
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end().catch(() => undefined);
      }
    };
    const audit = await createDatabase();
    const environment = { BEMI_DATABASE_URL: source.url(), BEMI_DESTINATION_URL: audit.url };
    const bemiFolder = projectFolder();
    const bemi = (...args: string[]) => runBemi(args, environment, bemiFolder);
    await connected((client) => client.query('CREATE TABLE note (id int PRIMARY KEY, text text)'));
    expect(await bemi('worker', '--drain')).toMatchObject({ code: 0 });

    // Nobody reads the slot, and the application writes on.
    let written = 0;
    await connected(async (client) => {
      for (;;) {
        await client.query(
          `INSERT INTO note SELECT n, repeat('x', 1000) FROM generate_series($1::int, $1::int + 999) n`,
          [written],
        );
        written += 1_000;
      }
    }).catch(() => undefined);
    expect(written).toBeGreaterThan(10_000);
    await expect
      .poll(async () => (await bemi('doctor', '--json')).stdout, { timeout: 60_000 })
      .toMatch(/"id":"source-connection","verdict":"failure"/);
    await source.stop('immediate');
    await expect(source.start()).rejects.toThrow();

    // As docs/errors.md says: room first, then the worker.
    expect(spawnSync('mount', ['-o', 'remount,size=512m', folder]).status).toBe(0);
    await source.start();
    const worker = startBemi(['worker', '--port', '0'], environment, bemiFolder);
    await worker.untilPrinted('Recording');
    const keptBytes = () =>
      connected(async (client) => {
        // The slot follows with the next change, and the server removes what it no longer keeps at its next checkpoint.
        await client.query('INSERT INTO note SELECT max(id) + 1 FROM note');
        await client.query('CHECKPOINT');
        const { rows } = await client.query<{ bytes: string }>(
          'SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) AS bytes FROM pg_replication_slots',
        );
        return Number(rows[0]!.bytes);
      });
    await expect.poll(keptBytes, { timeout: 60_000 }).toBeLessThan(1024 ** 2);
    worker.child.kill('SIGTERM');
    await worker.finished;
    expect(await bemi('worker', '--drain')).toMatchObject({ code: 0 });
    const trail = await audit.connect();
    const { rows } = await trail.query<{ changes: string }>(
      'SELECT count(*) AS changes FROM bemi.change_log',
    );
    const notes = await connected((client) => client.query<{ count: string }>('SELECT count(*) FROM note'));
    expect(rows[0]!.changes).toBe(notes.rows[0]!.count);
    expect(await bemi('verify')).toMatchObject({ code: 0 });
  },
  180_000,
);
