import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresServer, startPostgres } from '@bemi-db/embedded-postgres';
import pg from 'pg';
import { CliError } from '../cli-error.ts';
import {
  type BemiFolder,
  makeBemiFolder,
  readFileIfAny,
  writeSecretFile,
} from '../configuration/bemi-folder.ts';
import { canListen } from './tcp-port.ts';

/** The audit database that comes with Bemi: a PostgreSQL server in `./.bemi/postgres`. */
export interface EmbeddedAuditDatabase {
  /** Holds the password: never log it. */
  readonly url: string;
  readonly port: number;
  /** Ends the server, unless another process runs it. */
  close(): Promise<void>;
}

const databaseName = 'bemi_audit';
/** Two processes may start it at once: PostgreSQL lets one of them win, and the other finds it running. */
const startTries = 5;

/** Whether the folder holds an embedded audit database, running or not. */
export function hasEmbedded(folder: BemiFolder): boolean {
  return existsSync(join(folder.postgres, 'PG_VERSION'));
}

/**
 * Finds the embedded audit database running, or starts it; makes it when there is none. Whoever starts it ends it;
 * while a process that started it lives, others only use it.
 *
 * @throws CliError when the optional package is not installed, or the server can't run here.
 */
export async function openEmbedded(folder: BemiFolder): Promise<EmbeddedAuditDatabase> {
  const start = await loadStart();
  makeBemiFolder(folder);
  const password = passwordOf(folder);
  const server = await startServer(start, folder, password);
  writeSecretFile(folder.postgresPort, `${server.port}\n`);
  const ownerFile = `${folder.postgres}-owner`;
  const isOthers = (): boolean => {
    const owner = Number(readFileIfAny(ownerFile));
    return owner !== process.pid && isAlive(owner);
  };
  if (!isOthers()) writeSecretFile(ownerFile, `${process.pid}\n`);
  const close = async (): Promise<void> => {
    // Asked again: whoever ran it may have died meanwhile.
    if (!isOthers()) await server.stop();
  };
  try {
    await makeDatabase(server);
  } catch (error) {
    await close();
    throw error;
  }
  return { url: server.url(databaseName), port: server.port, close };
}

async function loadStart(): Promise<typeof startPostgres> {
  try {
    return (await import('@bemi-db/embedded-postgres')).startPostgres;
  } catch (cause) {
    throw new CliError(
      2,
      'embedded',
      'The embedded PostgreSQL is not installed',
      'npm install @bemi-db/embedded-postgres, or set BEMI_DESTINATION_URL to a PostgreSQL server of your own.',
      { cause },
    );
  }
}

function passwordOf(folder: BemiFolder): string {
  const known = readFileIfAny(folder.postgresPassword)?.trim();
  if (known) return known;
  if (hasEmbedded(folder)) {
    throw new CliError(
      2,
      'embedded',
      'The password of the embedded audit database is gone: .bemi/postgres-password',
      'Restore that file from a backup. Without it nobody can log in to .bemi/postgres.',
    );
  }
  const made = randomBytes(24).toString('base64url');
  writeSecretFile(folder.postgresPassword, `${made}\n`);
  return made;
}

async function startServer(
  start: typeof startPostgres,
  folder: BemiFolder,
  password: string,
): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    const remembered = Number(readFileIfAny(folder.postgresPort));
    const port = remembered > 0 && (await canListen(remembered)) ? remembered : undefined;
    try {
      return await start({
        dataDirectory: folder.postgres,
        password,
        ...(port === undefined ? {} : { port }),
      });
    } catch (cause) {
      if (attempt < startTries && hasEmbedded(folder)) {
        await delay(200 * attempt);
        continue;
      }
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CliError(
        1,
        'embedded',
        `The embedded audit database cannot run: ${reason}`,
        'It needs a folder that it may write to (as root: one that the user postgres or nobody may enter). Or set ' +
          'BEMI_DESTINATION_URL to a PostgreSQL server of your own.',
        { cause },
      );
    }
  }
}

async function makeDatabase(server: PostgresServer): Promise<void> {
  const client = new pg.Client({ connectionString: server.url(), application_name: 'bemi' });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [databaseName]);
    if (rowCount === 0)
      await client.query(`CREATE DATABASE ${databaseName} ENCODING 'UTF8' TEMPLATE template0`);
  } catch (error) {
    // Made by another process in the meantime.
    if (!(error instanceof pg.DatabaseError && (error.code === '42P04' || error.code === '23505')))
      throw error;
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, and is another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
