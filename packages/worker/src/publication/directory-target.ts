import { closeSync, fchmodSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { publicationError } from './publication-problem.ts';
import type { PublicationTarget } from './publication-target.ts';

// Whoever checks the log may read it, another user of the machine too.
const fileMode = 0o644;
const folderMode = 0o755;
const parallelSyncs = 8;

/** A directory. It is out of reach of the audit database's server when that is another machine, or another user. */
export function directoryTarget(directory: string, hasRecords = false): PublicationTarget {
  const folders = new Set<string>();
  /** Immutable files that are not durable yet. */
  const unsettled = new Set<string>();
  return {
    kind: 'files',
    name: directory,
    isOffHost: false,
    minIntervalMs: undefined,
    hasRecords,
    read: (path) =>
      explained(directory, async () => {
        try {
          return await readFile(join(directory, path));
        } catch (error) {
          if (errorCode(error) === 'ENOENT') return undefined;
          throw error;
        }
      }),
    write: (path, bytes, { isImmutable }) =>
      explained(directory, async () => {
        const file = join(directory, path);
        const put = async (): Promise<'written' | 'present'> => {
          const folder = dirname(file);
          if (!folders.has(folder)) await makeFolder(folder);
          folders.add(folder);
          if (!isImmutable) await replaceFile(file, bytes);
          else if (lengthOf(file) === bytes.length) return 'present';
          else {
            placeFile(file, bytes);
            unsettled.add(file);
          }
          return 'written';
        };
        try {
          return await put();
        } catch (error) {
          if (errorCode(error) !== 'ENOENT') throw error;
          folders.clear(); // somebody has taken a folder away
          return await put();
        }
      }),
    settle: () =>
      explained(directory, async () => {
        const files = [...unsettled].filter((file) => lengthOf(file) !== undefined);
        unsettled.clear();
        for (let i = 0; i < files.length; i += parallelSyncs)
          await Promise.all(files.slice(i, i + parallelSyncs).map(syncEntry));
        for (const folder of new Set(files.map((file) => dirname(file)))) await syncEntry(folder);
      }),
    removeFolder: (path) =>
      explained(directory, () => rm(join(directory, path), { recursive: true, force: true })),
  };
}

/** One that is shorter than it should be was cut off by a crash of the machine. */
function lengthOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}

/**
 * Puts a file in its place, not durable yet: tens of microseconds. Asynchronously it would take ten times as much of the
 * worker's time, and a log that grows fast has hundreds of tiles a second.
 */
function placeFile(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`;
  const descriptor = openSync(temporary, 'w', fileMode);
  try {
    fchmodSync(descriptor, fileMode); // whatever the umask
    writeSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

/** Makes the folders that are missing, durably: a file's own fsync says nothing of the names above it. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, folderMode);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT') throw error;
    await makeFolder(dirname(folder));
    return makeFolder(folder);
  }
  await chmod(folder, folderMode); // whatever the umask
  await syncEntry(dirname(folder));
}

/** The whole file or the old one, also after a crash: never a part of it. */
async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`; // another worker may be taking over
  const handle = await open(temporary, 'w', fileMode);
  try {
    await handle.chmod(fileMode);
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncEntry(dirname(file));
}

async function syncEntry(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function explained<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw directoryProblem(directory, error);
  }
}

function directoryProblem(directory: string, error: unknown): unknown {
  const problem = (message: string, fix: string) =>
    publicationError('publication-directory', message, fix, error);
  const code = errorCode(error);
  switch (code) {
    case undefined:
      return error;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return problem(
        `The worker may not write to the directory ${directory} (${code}).`,
        `Let the worker's user write there (chown, chmod 755), or name another directory in BEMI_CHECKPOINT_URL.`,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return problem(`There is no room left in the directory ${directory} (${code}).`, 'Make room there.');
    case 'ENOTDIR':
    case 'EISDIR':
      return problem(
        `${directory}, or something in it, is not what it should be: a directory with files (${code}).`,
        'Move away what is there, or name another directory in BEMI_CHECKPOINT_URL.',
      );
    default:
      return problem(
        `The directory ${directory} can't be used (${code}).`,
        'Check that its disk or share is mounted and sound.',
      );
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
