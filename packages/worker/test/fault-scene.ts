import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { parseLsn } from '@bemi-db/replication/lsn';
import { createBank, fillBank } from '@bemi-db/test-kit/bank-workload';
import { createDatabase, databaseUrl, sharedServerUrl } from '@bemi-db/test-kit/database';
import { type OwnServer, type OwnServerOptions, startOwnServer } from '@bemi-db/test-kit/own-server';
import { runSteadyLoad } from '@bemi-db/test-kit/steady-load';
import { openTcpProxy, type TcpProxy } from '@bemi-db/test-kit/tcp-proxy';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { createWorker, type Worker, type WorkerOptions } from '../src/create-worker.ts';
import type { Failpoint } from '../src/failpoints.ts';
import { silentLogger } from '../src/logger.ts';
import type { Problem } from '../src/problem.ts';
import { expectWholeLog } from './audited-bank.ts';

/** How a test may treat a side: the shared server as it is, through a proxy, or a server of the test's own. */
export type SideKind = 'shared' | 'proxy' | 'server';

/** A recorded bank under load, and what a fault may be done to. */
export interface FaultScene {
  readonly source: Side;
  readonly audit: Side;
  readonly slot: string;
  readonly worker: Worker;
  /** What the worker said, oldest first. */
  readonly said: readonly Saying[];
  /** Called at failpoints. */
  onFailpoint: (name: Failpoint) => Promise<void> | void;
  readonly targets: WorkerOptions;
  /** Stops and starts the load. */
  pauseLoad(): Promise<void>;
  startLoad(): void;
  /** Starts the worker, or another one in its place, with the options changed. */
  startWorker(changed?: Partial<WorkerOptions>): void;
  /** Starts one beside it, which is stopped by what is returned. */
  startSecondWorker(): { readonly worker: Worker; stop(): Promise<void> };
  /** What the worker's run ended with, `undefined` for nothing. */
  readonly ended: Promise<Problem | undefined>;
  stopWorker(): Promise<void>;
  /** Another server, stopped when the test ends. */
  startServer(options?: OwnServerOptions): Promise<OwnServer>;
  /** Until the worker is at work. */
  recording(): Promise<void>;
  /** Until the worker has stopped being at work, by itself. */
  interrupted(): Promise<void>;
  /** Until what the source holds now is recorded and confirmed. */
  caughtUp(): Promise<void>;
  /** Everything is recorded, once, as it was: structure, replay, and every checkpoint. */
  verify(): Promise<void>;
}

export interface Saying {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly code: unknown;
}

export interface Side {
  readonly database: string;
  /** Past a proxy. */
  url(): string;
  /** Set where the side is of that kind. */
  readonly server: OwnServer;
  readonly proxy: TcpProxy;
  /** One statement on a connection of its own. */
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** From now on this server is the side, under the address that the worker knows: needs a proxy. */
  moveTo(server: OwnServer): void;
}

export interface SceneOptions {
  readonly source?: SideKind;
  readonly audit?: SideKind;
  /** Of the source's slot. Default: an ordinary one. */
  readonly createSlot?: string;
  /** A proxy before an own source server too. */
  readonly isSourceMovable?: boolean;
  readonly sourceSettings?: Readonly<Record<string, string>>;
  /** Runs the audit server until it is started again. */
  readonly auditLauncher?: readonly [string, ...string[]];
  /** Where the audit database's files are, in place of the cluster's folder. */
  readonly auditTablespace?: () => string;
}

/** Small enough for tests, and the status interval follows it. */
const liveness = {
  connectTimeoutMs: 1_000,
  askAfterMs: 600,
  deadAfterMs: 1_200,
  transferDeadAfterMs: 1_500,
  replaceAfterMs: 4_000,
};
const patience = { timeout: 60_000, interval: 20 };

/** Makes a bank, starts to record it, and to write to it. All of it ends with the test. */
export async function setScene(options: SceneOptions = {}): Promise<FaultScene> {
  const source = await openSide(
    options.source ?? 'shared',
    { ...(options.sourceSettings ? { settings: options.sourceSettings } : {}) },
    { isMovable: options.isSourceMovable ?? false },
  );
  const audit = await openSide(
    options.audit ?? 'shared',
    options.auditLauncher ? { launcher: options.auditLauncher } : {},
    options.auditTablespace ? { tablespace: options.auditTablespace() } : {},
  );
  const slot = `${source.database}_slot`;
  const sql = await source.connect();
  await createBank(sql);
  await sql.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  await sql.query(options.createSlot ?? `SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await fillBank(sql);
  await sql.end();

  const said: Saying[] = [];
  const say =
    (level: Saying['level']) =>
    (fields: object, message: string): void => {
      said.push({ level, message, code: 'code' in fields ? fields.code : undefined });
    };
  const logger = { debug: () => undefined, info: say('info'), warn: say('warn'), error: say('error') };
  const targets: WorkerOptions = {
    source: source.workerUrl(),
    destination: audit.workerUrl(),
    slot,
    bufferSize: 50,
    liveness,
    aliveIntervalMs: 500,
    logger,
    failpoint: (name) => scene.onFailpoint(name),
  };

  let stopWorker = new AbortController();
  let ended: Promise<Problem | undefined> = Promise.resolve(undefined);
  let worker = createWorker(targets);
  let stopLoad = new AbortController();
  let load: Promise<void> = Promise.resolve();
  onTestFinished(async () => {
    stopLoad.abort();
    stopWorker.abort();
    await Promise.all([load, ended]);
  });

  const scene: FaultScene = {
    source,
    audit,
    slot,
    get worker() {
      return worker;
    },
    said,
    onFailpoint: () => undefined,
    targets,
    async pauseLoad() {
      stopLoad.abort();
      await load;
    },
    startLoad() {
      stopLoad = new AbortController();
      load = runSteadyLoad(source.url(), 3, stopLoad.signal);
    },
    startWorker(changed = {}) {
      stopWorker = new AbortController();
      worker = createWorker({ ...targets, ...changed });
      ended = worker.run({ signal: stopWorker.signal }).then(
        () => undefined,
        (error: { readonly problem?: Problem }) => {
          if (!error.problem) throw error;
          return error.problem;
        },
      );
      ended.catch(() => undefined);
    },
    startSecondWorker() {
      const stop = new AbortController();
      const second = createWorker({ ...targets, logger: silentLogger });
      const done = second.run({ signal: stop.signal });
      done.catch(() => undefined);
      const end = async (): Promise<void> => {
        stop.abort();
        await done;
      };
      onTestFinished(end);
      return { worker: second, stop: end };
    },
    get ended() {
      return ended;
    },
    async stopWorker() {
      stopWorker.abort();
      await ended;
    },
    async startServer(serverOptions = {}) {
      const server = await startOwnServer(serverOptions);
      onTestFinished(() => server.stop('immediate'));
      return server;
    },
    recording: () => expect.poll(() => worker.status().state, patience).toBe('recording'),
    interrupted: () => expect.poll(() => worker.status().state, patience).not.toBe('recording'),
    async caughtUp() {
      const [row] = await source.query('SELECT pg_current_wal_lsn()::text AS lsn');
      const target = parseLsn(String(row!['lsn']));
      await expect.poll(() => parseLsn(worker.status().confirmedLsn) >= target, patience).toBe(true);
      expect(worker.status().state).toBe('recording');
    },
    async verify() {
      const sourceSql = await source.connect();
      const auditSql = await audit.connect();
      await sourceSql.query(`SET TimeZone = 'UTC'`);
      const { logger: _logger, failpoint: _failpoint, ...plain } = targets;
      try {
        await expectWholeLog({ source: { name: source.database }, sourceSql, auditSql, targets: plain });
      } finally {
        await Promise.all([sourceSql.end(), auditSql.end()]);
      }
    },
  };
  scene.startWorker();
  scene.startLoad();
  await scene.recording();
  await expect.poll(() => worker.status().transactions, patience).toBeGreaterThan(20);
  return scene;
}

interface OpenSide extends Side {
  workerUrl(): string;
  connect(): Promise<pg.Client>;
}

async function openSide(
  kind: SideKind,
  serverOptions: OwnServerOptions,
  { isMovable = false, tablespace }: { readonly isMovable?: boolean; readonly tablespace?: string },
): Promise<OpenSide> {
  let server = kind === 'server' ? await startOwnServer(serverOptions) : undefined;
  if (server) {
    const own = server;
    onTestFinished(() => own.stop('immediate'));
  }
  const database = server ? `test_${randomBytes(6).toString('hex')}` : (await createDatabase()).name;
  if (server && tablespace !== undefined) {
    await queryAt(server.url(), `CREATE TABLESPACE tiny LOCATION '${tablespace}'`);
  }
  if (server) {
    const where = tablespace === undefined ? '' : ' TABLESPACE tiny';
    await queryAt(server.url(), `CREATE DATABASE ${database}${where}`);
  }
  const serverUrl = () => server?.url() ?? sharedServerUrl();
  const url = () => databaseUrl(serverUrl(), database);
  const proxy = kind === 'proxy' || isMovable ? await openTcpProxy(serverUrl()) : undefined;
  onTestFinished(() => proxy?.close());
  return {
    database,
    url,
    workerUrl: () => proxy?.url(url()) ?? url(),
    get server() {
      if (!server) throw new Error('This side is not a server of its own');
      return server;
    },
    get proxy() {
      if (!proxy) throw new Error('There is no proxy before this side');
      return proxy;
    },
    query: (text, values) => queryAt(url(), text, values),
    connect: () => connectTo(url()),
    moveTo(other) {
      server = other;
      proxy?.pointTo(other.url());
    },
  };
}

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on('error', () => undefined); // a query fails by it too
  await client.connect();
  return client;
}

export async function queryAt(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const client = await connectTo(url);
  try {
    return (await client.query<Record<string, unknown>>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** How long a side stays away: the worker tries again a few times meanwhile. */
export const away = (): Promise<void> => delay(700);
