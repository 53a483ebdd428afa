import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  freePort,
  type PostgresOptions,
  type PostgresServer,
  startPostgres,
} from '@bemi-db/embedded-postgres';
import { copyCluster, newCluster, newClusterFolder } from './new-cluster.ts';

/** A server that a test breaks. Its port and its folder stay the same through everything that is done to it. */
export interface OwnServer {
  readonly port: number;
  readonly dataDirectory: string;
  url(database?: string): string;
  /** `fast` ends sessions and checkpoints; `immediate` is a crash of the server; `kill` is SIGKILL of all its processes. */
  stop(mode: 'fast' | 'immediate' | 'kill'): Promise<void>;
  /** After a stop, also of another copy of the cluster; with `settings` added to the earlier ones. */
  start(settings?: Readonly<Record<string, string>>, dataDirectory?: string): Promise<void>;
  /** A copy of the cluster's files, of a stopped server or between pg_backup_start and pg_backup_stop. */
  copy(): string;
}

export interface OwnServerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** An existing cluster, such as a copy of another one. Default: a new one. */
  readonly dataDirectory?: string;
  readonly binaries?: string;
  /** Made by initdb, with a system identifier of its own. Default: a copy of a cluster that others are copies of too. */
  readonly isNewCluster?: boolean;
  /** Runs the server's program, as `startPostgres` has it; until the first `start`. */
  readonly launcher?: NonNullable<PostgresOptions['launcher']>;
}

/**
 * Starts a server of the test's own. New clusters are copies of one, so they all have the same system identifier: never
 * let one be the source and another one the audit database.
 */
export async function startOwnServer(options: OwnServerOptions = {}): Promise<OwnServer> {
  const port = await freePort();
  let settings = { wal_level: 'logical', ...options.settings };
  let dataDirectory =
    options.dataDirectory ?? (options.isNewCluster ? newClusterFolder() : await newCluster(options.binaries));
  let server: PostgresServer | undefined;
  const start = async (how: Pick<PostgresOptions, 'launcher'>): Promise<void> => {
    const all: PostgresOptions = { dataDirectory, port, settings, disposable: true, ...how };
    server = await startPostgres(options.binaries ? { ...all, binaries: options.binaries } : all);
  };
  await start(options.launcher ? { launcher: options.launcher } : {});
  return {
    port,
    get dataDirectory() {
      return dataDirectory;
    },
    url: (database = 'postgres') => `postgres://postgres:postgres@127.0.0.1:${port}/${database}`,
    async stop(mode) {
      if (mode === 'kill') await killAll(dataDirectory);
      await server?.stop(mode === 'fast' ? 'fast' : 'immediate');
      server = undefined;
    },
    async start(added = {}, other = dataDirectory) {
      settings = { ...settings, ...added };
      dataDirectory = other;
      await start({});
    },
    copy: () => copyCluster(dataDirectory),
  };
}

const killPatienceMs = 2_000;

/** The server's processes are no group: each one has its own. */
async function killAll(dataDirectory: string): Promise<void> {
  const postmaster = Number(readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const all = [postmaster, ...childrenOf(postmaster)];
  for (const pid of all) kill(pid, 'SIGKILL');
  // A server that starts again insists on being the only one. Who is orphaned may stay a zombie where nobody reaps.
  const deadline = performance.now() + killPatienceMs;
  while (all.some((pid) => kill(pid, 0)) && performance.now() < deadline) await delay(10);
}

function childrenOf(parent: number): number[] {
  if (existsSync('/proc/self/stat')) {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && parentInProc(name) === parent)
      .map(Number);
  }
  return spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .stdout.split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid]) => pid!);
}

/** "pid (name) state ppid …", where the name may hold anything. */
function parentInProc(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it has ended
  }
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // it has ended
  }
}
