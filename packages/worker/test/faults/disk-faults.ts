import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unprivilegedUser } from '@bemi-db/embedded-postgres/unprivileged-user';
import { expect, onTestFinished } from 'vitest';
import type { FaultScene } from '../fault-scene.ts';
import type { Fault } from './fault.ts';

const patience = { timeout: 60_000, interval: 20 };
const fileLimitBytes = 24 * 1024 * 1024;
const tinyMegabytes = 160;

/** What a disk does that has no room. Two ways, as only one of them needs a privilege. */
export const diskFaults: readonly Fault[] = [
  {
    fault: 'audit database may not grow',
    how: 'the server runs under a limit on the size of a file (ulimit -f, EFBIG), and is started again without it',
    outcome: 'recovers',
    // In blocks of 512 bytes.
    scene: {
      audit: 'server',
      auditLauncher: ['sh', '-c', `ulimit -f ${fileLimitBytes / 512}; exec "$@"`, 'sh'],
    },
    async inflict(scene) {
      await writeMuch(scene);
      await expect.poll(() => scene.worker.status().problem?.code, patience).toBe('server-error');
      await scene.audit.server.stop('fast');
      await scene.audit.server.start();
    },
  },
  {
    fault: 'audit database out of disk (SQLSTATE 53100)',
    how: 'its tablespace is a file system of 160 MB, which somebody fills and empties again; where root may mount one',
    outcome: 'recovers',
    isPossible: mayMount,
    scene: { audit: 'server', auditTablespace: mountTiny },
    async inflict(scene) {
      const [row] = await scene.audit.query(
        `SELECT pg_tablespace_location(oid) AS path FROM pg_tablespace WHERE spcname = 'tiny'`,
      );
      const filler = join(String(row!['path']), 'filler');
      fill(filler);
      await writeMuch(scene, 40_000);
      await expect.poll(() => scene.worker.status().problem?.code, patience).toBe('resources');
      rmSync(filler);
    },
  },
];

async function writeMuch({ source }: FaultScene, rows = 60_000): Promise<void> {
  await source.query(
    `INSERT INTO bulk (text) SELECT repeat('x', 500) FROM generate_series(1, $1::integer) n`,
    [rows],
  );
}

/** Writes until there is no room. */
function fill(file: string): void {
  const block = Buffer.alloc(1024 * 1024);
  try {
    for (;;) writeFileSync(file, block, { flag: 'a' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}

function mount(folder: string): boolean {
  const owner = unprivilegedUser();
  const options = `size=${tinyMegabytes}m${owner ? `,uid=${owner.uid},gid=${owner.gid},mode=700` : ''}`;
  return spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;
}

function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'bemi-tiny-'));
  const isMounted = mount(folder);
  if (isMounted) spawnSync('umount', [folder]);
  rmdirSync(folder);
  return isMounted;
}

function mountTiny(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bemi-tiny-'));
  mount(folder);
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return folder;
}
