import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startPostgres } from '@bemi-db/embedded-postgres';
import { newFolder } from './disposable-folder.ts';

const folders: string[] = [];
/** By the folder of the server's programs. */
const templates = new Map<string | undefined, Promise<string>>();

process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Where a cluster can be made, deleted when the process ends at the latest. */
export function newClusterFolder(): string {
  const folder = newFolder('postgres');
  folders.push(folder);
  // The server may run as another user, who has to get through to its own folder below.
  chmodSync(folder, 0o755);
  return join(folder, 'data');
}

/**
 * The files of a new cluster that has never been started: a copy of one that initdb makes once for a run, or for a
 * process outside of runs. All copies have the same system identifier, which is not that of the shared server.
 */
export async function newCluster(binaries?: string): Promise<string> {
  let template = templates.get(binaries);
  if (template === undefined) {
    template = binaries === undefined ? sharedTemplate() : makeTemplate(binaries);
    templates.set(binaries, template);
  }
  return copyCluster(await template);
}

/** A copy of a cluster's files, with owner and permissions, which PostgreSQL insists on. */
export function copyCluster(dataDirectory: string): string {
  const copy = newClusterFolder();
  const run = spawnSync('cp', ['-Rp', dataDirectory, copy], { encoding: 'utf8' });
  // Files that a running server deletes meanwhile are in the WAL.
  if (run.status !== 0 && !/No such file|vanished/.test(run.stderr)) {
    throw new Error(
      `The cluster in ${dataDirectory} could not be copied: ${run.error?.message ?? run.stderr}`,
    );
  }
  rmSync(join(copy, 'postmaster.pid'), { force: true });
  return copy;
}

async function sharedTemplate(): Promise<string> {
  const folder = process.env['TEST_FOLDER'];
  if (folder === undefined) return await makeTemplate();
  const shared = join(folder, 'new-cluster');
  if (!existsSync(shared)) {
    const own = dirname(await makeTemplate());
    try {
      renameSync(own, shared);
    } catch (error) {
      if (!existsSync(shared)) throw error; // else another process was first
    }
  }
  return join(shared, 'data');
}

async function makeTemplate(binaries?: string): Promise<string> {
  const dataDirectory = newClusterFolder();
  const server = await startPostgres({
    dataDirectory,
    disposable: true,
    settings: { wal_level: 'logical' },
    ...(binaries === undefined ? {} : { binaries }),
  });
  await server.stop('fast');
  return dataDirectory;
}
