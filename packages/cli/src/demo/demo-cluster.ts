import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresServer } from '@bemi-db/embedded-postgres';
import pg from 'pg';
import { CliError } from '../cli-error.ts';
import { readFileIfAny } from '../configuration/bemi-folder.ts';
import type { DemoSession } from './demo-session.ts';

/** The demo's own PostgreSQL server, with the source database and the audit database. */
export interface DemoCluster {
  readonly folder: string;
  readonly port: number;
  readonly version: string;
  /** The source as its superuser, who prepares it. */
  readonly adminUrl: string;
  /** The source as the application's role, which owns it. */
  readonly sourceUrl: string;
  /** The source as an ordinary role that may change its rows: somebody with a database login. */
  readonly directUrl: string;
  readonly auditUrl: string;
  /** The audit database as a superuser, who may do everything there: `bemi demo tamper` plays that part. */
  readonly auditAdminUrl: string;
  readonly recorder: { readonly name: string; readonly password: string; readonly url: string };
}

/** Begins the name of the temporary folder. */
export const folderPrefix = 'bemi-demo-';

const sourceDatabase = 'clinic';
const auditDatabase = 'bemi_audit';
const exitPatienceMs = 2_000;

/** Starts the server in a temporary folder; both are gone after the session's teardown. */
export async function startCluster({ teardown }: DemoSession): Promise<DemoCluster> {
  const start = await loadStart();
  const folder = mkdtempSync(join(tmpdir(), folderPrefix));
  // As root the server runs as another user, who must get through to its own folder in it.
  if (process.getuid?.() === 0) chmodSync(folder, 0o711);
  const onExit = (): void => removeCluster(folder);
  process.once('exit', onExit);
  teardown.add(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    process.off('exit', onExit);
  });
  const password = randomPassword();
  const server = await startServer(start, join(folder, 'postgres'), password);
  teardown.add(() => server.stop());

  const roles = { clinic: randomPassword(), visitor: randomPassword(), bemi_audit: randomPassword() };
  const version = await makeDatabases(server.url(), roles);
  const urlOf = (role: string, secret: string, database: string): string =>
    `postgres://${role}:${secret}@127.0.0.1:${server.port}/${database}`;
  const recorder = { name: 'bemi_replication', password: randomPassword() };
  return {
    ...{ folder, port: server.port, version },
    adminUrl: server.url(sourceDatabase),
    sourceUrl: urlOf('clinic', roles.clinic, sourceDatabase),
    directUrl: urlOf('visitor', roles.visitor, sourceDatabase),
    auditUrl: urlOf('bemi_audit', roles.bemi_audit, auditDatabase),
    auditAdminUrl: server.url(auditDatabase),
    recorder: { ...recorder, url: urlOf(recorder.name, recorder.password, sourceDatabase) },
  };
}

/** Ends a cluster's server and deletes its folder, without waiting on the event loop: also for when a process exits. */
export function removeCluster(folder: string): void {
  const pidFile = join(folder, 'postgres', 'postmaster.pid');
  try {
    const pid = Number(readFileIfAny(pidFile)?.split('\n')[0]);
    if (pid > 0) process.kill(pid, 'SIGQUIT');
    // A server that ends still writes there: it removes this file last.
    const deadline = Date.now() + exitPatienceMs;
    while (pid > 0 && existsSync(pidFile) && Date.now() < deadline) sleep(10);
  } catch {
    // It has ended by itself, which is what we want.
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

type StartPostgres = typeof import('@bemi-db/embedded-postgres').startPostgres;

async function loadStart(): Promise<StartPostgres> {
  try {
    return (await import('@bemi-db/embedded-postgres')).startPostgres;
  } catch (cause) {
    throw new CliError(
      2,
      'embedded',
      'The embedded PostgreSQL is not installed',
      'npm install @bemi-db/embedded-postgres: the demo runs on a server of its own.',
      { cause },
    );
  }
}

async function startServer(
  start: StartPostgres,
  dataDirectory: string,
  password: string,
): Promise<PostgresServer> {
  try {
    return await start({ dataDirectory, password, disposable: true, settings: { wal_level: 'logical' } });
  } catch (cause) {
    throw new CliError(
      1,
      'embedded',
      `The demo's PostgreSQL cannot run: ${cause instanceof Error ? cause.message : String(cause)}`,
      `It needs some 100 MB in ${tmpdir()}; TMPDIR names another folder.`,
      { cause },
    );
  }
}

/** @returns the server's version. */
async function makeDatabases(url: string, passwords: Readonly<Record<string, string>>): Promise<string> {
  const client = new pg.Client({ connectionString: url, application_name: 'bemi demo' });
  await client.connect();
  try {
    for (const [role, secret] of Object.entries(passwords)) {
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${secret}'`);
    }
    await client.query(`CREATE DATABASE ${sourceDatabase} OWNER clinic`);
    await client.query(`CREATE DATABASE ${auditDatabase} OWNER bemi_audit`);
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]!.server_version.split(' ')[0]!;
  } finally {
    await client.end();
  }
}

/** For a server that only this machine reaches, for as long as the demo runs. In URLs it needs no escaping. */
function randomPassword(): string {
  return randomBytes(8).toString('hex');
}
