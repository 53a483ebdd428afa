import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What Bemi keeps beside the project: `./.bemi`. */
export interface BemiFolder {
  readonly path: string;
  /** Variables that `bemi setup` wrote for the worker: an environment of lowest priority. */
  readonly workerEnvironment: string;
  /** The embedded audit database's cluster, password and port. */
  readonly postgres: string;
  readonly postgresPassword: string;
  readonly postgresPort: string;
}

export function bemiFolder(workingDirectory: string = process.cwd()): BemiFolder {
  const path = join(workingDirectory, '.bemi');
  return {
    path,
    workerEnvironment: join(path, 'worker.env'),
    postgres: join(path, 'postgres'),
    postgresPassword: join(path, 'postgres-password'),
    postgresPort: join(path, 'postgres-port'),
  };
}

/** Makes the folder, kept out of version control: there are secrets in it. */
export function makeBemiFolder(folder: BemiFolder): BemiFolder {
  // Not 0700: as root, the embedded server runs as another user and must get through.
  mkdirSync(folder.path, { recursive: true, mode: 0o755 });
  const ignore = join(folder.path, '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  return folder;
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writeSecretFile(path: string, text: string): void {
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, text, { mode: 0o600 });
  chmodSync(partial, 0o600); // whatever the umask, or a file left behind
  renameSync(partial, path);
}

/** The text of a file, or `undefined` where there is none. */
export function readFileIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
