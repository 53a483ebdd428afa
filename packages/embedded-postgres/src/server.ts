import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { installedBinaries, usableBinaries } from './binaries.ts';
import { type UserIds, unprivilegedUser } from './unprivileged-user.ts';

export interface PostgresOptions {
  /** Where the cluster lives; made by `initdb` when it is new. Default: a temporary folder, deleted by `stop`. */
  readonly dataDirectory?: string;
  /** Default: any free port. */
  readonly port?: number;
  /** Of the superuser `postgres`, set when the cluster is made. Default `postgres`. */
  readonly password?: string;
  /** Server settings, as in postgresql.conf. Values are given to the server as they are. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Encoding of a new cluster. Default `UTF8`. */
  readonly encoding?: string;
  /** Folder with `bin/`, `lib/` and `share/`. Default: what npm installed for this platform. */
  readonly binaries?: string;
  /** Skip fsync, for servers whose data may be lost with the machine (tests, demo). Default false. */
  readonly disposable?: boolean;
  /** A command that runs the server's program, whose path and arguments are appended. Default: none in between. */
  readonly launcher?: readonly [string, ...string[]];
}

export interface PostgresServer {
  readonly port: number;
  readonly dataDirectory: string;
  /** A connection URL as the superuser. Default database: `postgres`. */
  url(database?: string): string;
  /** Stops the server: `fast` ends sessions and checkpoints, `immediate` is a crash. A temporary cluster is deleted. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Stops and starts again on the same port, with `settings` added to the earlier ones. */
  restart(mode?: 'fast' | 'immediate', settings?: Readonly<Record<string, string>>): Promise<void>;
}

/** How long a server may take from its start until it accepts connections, crash recovery included. */
const startTimeoutMs = 60_000;

/**
 * Starts a PostgreSQL server on 127.0.0.1 and waits until it accepts connections. Works as root too: the
 * server then runs as `postgres` or `nobody`. The server ends with this process; a caller that dies by
 * SIGKILL leaves it running, and a later start on the same folder finds and adopts it.
 *
 * @example
 * const server = await startPostgres({ settings: { wal_level: 'logical' } });
 * const client = new pg.Client(server.url());
 * await server.stop();
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const user = unprivilegedUser();
  const native = usableBinaries(options.binaries ?? installedBinaries(), user);
  const password = options.password ?? 'postgres';
  const dataDirectory = options.dataDirectory ?? mkdtempSync(join(tmpdir(), 'bemi-postgres-'));
  const isTemporary = options.dataDirectory === undefined;
  if (user && isTemporary) chownSync(dataDirectory, user.uid, user.gid);

  if (!existsSync(join(dataDirectory, 'PG_VERSION'))) {
    initialize(native, dataDirectory, user, password, options.encoding ?? 'UTF8');
  }

  let settings = { ...options.settings };
  const adopted = runningPort(dataDirectory);
  let port = adopted ?? options.port ?? (await freePort());
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    child = launch(native, dataDirectory, user, port, settings, options);
    await untilReady(child, dataDirectory);
  };
  const stop = async (mode: 'fast' | 'immediate'): Promise<void> => {
    const pid = child?.pid ?? readPidFile(dataDirectory)?.pid;
    if (pid !== undefined && isAlive(pid)) {
      signal(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      while (isAlive(pid) && child?.exitCode == null && child?.signalCode == null) await delay(10);
    }
    child = undefined;
  };
  const atExit = (): void => {
    if (child?.pid !== undefined) signal(child.pid, 'SIGQUIT');
    if (isTemporary) rmSync(dataDirectory, { recursive: true, force: true });
  };
  process.once('exit', atExit);

  if (adopted === undefined) {
    try {
      await start();
    } catch (error) {
      // Between finding a free port and using it somebody else may have taken it.
      if (options.port !== undefined || !String(error).includes('Address already in use')) throw error;
      port = await freePort();
      await start();
    }
  }

  return {
    get port() {
      return port;
    },
    dataDirectory,
    url: (database = 'postgres') =>
      `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    async stop(mode = 'fast') {
      await stop(mode);
      process.removeListener('exit', atExit);
      if (isTemporary) rmSync(dataDirectory, { recursive: true, force: true });
    },
    async restart(mode = 'fast', added = {}) {
      await stop(mode);
      settings = { ...settings, ...added };
      await start();
    },
  };
}

function initialize(
  native: string,
  dataDirectory: string,
  user: UserIds | undefined,
  password: string,
  encoding: string,
): void {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  // initdb wants an empty folder, so the password waits beside it.
  const passwordFolder = mkdtempSync(join(tmpdir(), 'bemi-initdb-'));
  const passwordFile = join(passwordFolder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) {
    for (const path of [dataDirectory, passwordFolder, passwordFile]) chownSync(path, user.uid, user.gid);
  }
  try {
    const run = spawnSync(
      join(native, 'bin', 'initdb'),
      [
        ['-D', dataDirectory],
        ['-U', 'postgres'],
        ['-E', encoding],
        ['--pwfile', passwordFile],
        ['--auth=scram-sha-256', '--no-locale', '--no-sync'],
      ].flat(),
      { ...user, encoding: 'utf8', cwd: dataDirectory, env: serverEnvironment() },
    );
    if (run.status !== 0) {
      throw new Error(`initdb failed in ${dataDirectory}: ${run.error?.message ?? run.stderr.trim()}`);
    }
  } finally {
    rmSync(passwordFolder, { recursive: true, force: true });
  }
}

function launch(
  native: string,
  dataDirectory: string,
  user: UserIds | undefined,
  port: number,
  settings: Readonly<Record<string, string>>,
  { disposable = false, launcher }: Pick<PostgresOptions, 'disposable' | 'launcher'>,
): ChildProcess {
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ...(disposable ? { fsync: 'off', full_page_writes: 'off' } : {}),
    ...settings,
  };
  const [program, ...before] = launcher
    ? [...launcher, join(native, 'bin', 'postgres')]
    : [join(native, 'bin', 'postgres')];
  const child = spawn(
    program,
    [
      ...before,
      '-D',
      dataDirectory,
      '-p',
      String(port),
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    // A group of its own: Ctrl-C reaches us alone, and we stop the server when our own work is done.
    {
      ...user,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: dataDirectory,
      env: serverEnvironment(),
    },
  );
  child.unref();
  return child;
}

/** Nothing of ours (PGDATA, LD_PRELOAD, secrets) reaches the server. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
}

async function untilReady(child: ChildProcess, dataDirectory: string): Promise<void> {
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = (log + text).slice(-4_000);
  });
  (child.stderr as { unref?: () => void } | null)?.unref?.();
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadline = Date.now() + startTimeoutMs;
  // The 8th line of postmaster.pid is what pg_ctl waits for too.
  for (;;) {
    const file = readPidFile(dataDirectory);
    if (file !== undefined && file.pid === child.pid && isServing(file.status)) return;
    if (failure || child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`PostgreSQL did not start in ${dataDirectory}: ${failure?.message ?? log.trim()}`);
    }
    if (Date.now() > deadline) {
      throw new Error(
        `PostgreSQL did not accept connections within ${startTimeoutMs / 1000} s: ${log.trim()}`,
      );
    }
    await delay(15);
  }
}

function readPidFile(dataDirectory: string): { pid: number; port: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(dataDirectory, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]), status: (lines[7] ?? '').trim() };
  } catch {
    return undefined; // not running
  }
}

function runningPort(dataDirectory: string): number | undefined {
  const file = readPidFile(dataDirectory);
  return file && isServing(file.status) && isAlive(file.pid) ? file.port : undefined;
}

/** A standby serves too, those who only read. */
function isServing(status: string): boolean {
  return status === 'ready' || status === 'standby';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself, which is what we want.
  }
}

/** A TCP port of 127.0.0.1 that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address && typeof address === 'object') resolve(address.port);
        else reject(new Error('No free TCP port on 127.0.0.1'));
      });
    });
  });
}
