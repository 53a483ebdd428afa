import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type OwnServer, startOwnServer } from '@bemi-db/test-kit/own-server';
import { createWorkload, publishWorkload } from '@bemi-db/test-kit/random-workload/create-workload';
import { openTcpProxy, type TcpProxy } from '@bemi-db/test-kit/tcp-proxy';
import pg from 'pg';
import { type SoakWorker, startSoakWorker } from './soak-worker.ts';

/** One side: a server, and the network before it. The worker goes by the network, everybody else past it. */
export interface SoakSide {
  readonly server: OwnServer;
  readonly network: TcpProxy;
  readonly database: string;
  url(): string;
  /** A connection of its own, which is made again for a while if the server is just coming back. */
  connect(): Promise<pg.Client>;
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

export interface SoakScene {
  readonly source: SoakSide;
  readonly audit: SoakSide;
  readonly slot: string;
  readonly name: string;
  readonly stateDirectory: string;
  /** The worker that runs, or the last one. */
  readonly worker: SoakWorker;
  startWorker(): SoakWorker;
  close(): Promise<void>;
}

export interface SoakSceneOptions {
  readonly seed: number;
  readonly isBroken: boolean;
  readonly failureProbability: number;
  readonly onFailpoint: (name: string) => void;
}

const database = 'soak';
const slot = 'soak_slot';
const connectPatienceMs = 60_000;

/** Makes two servers, the workload's tables, a slot, and networks that can fail. The worker is not started yet. */
export async function openSoakScene(options: SoakSceneOptions): Promise<SoakScene> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'bemi-soak-'));
  const closers: (() => Promise<void>)[] = [
    async () => rmSync(stateDirectory, { recursive: true, force: true }),
  ];
  const close = async (): Promise<void> => {
    for (const closer of closers.reverse()) await closer();
  };
  try {
    const source = await openSide(closers, {
      max_prepared_transactions: '20',
      max_connections: '60',
      // Large transactions, and subtransactions that are undone, are decoded by way of the disk.
      logical_decoding_work_mem: '64kB',
      wal_sender_timeout: '5s',
    });
    const audit = await openSide(closers, {});
    const sql = await source.connect();
    await createWorkload(sql);
    await publishWorkload(sql);
    await sql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
    await sql.end();

    let workers = 0;
    let worker: SoakWorker | undefined;
    closers.push(async () => worker?.end('SIGKILL'));
    return {
      source,
      audit,
      slot,
      name: database,
      stateDirectory,
      get worker() {
        if (!worker) throw new Error('No worker was started');
        return worker;
      },
      startWorker() {
        const { seed, isBroken, failureProbability, onFailpoint } = options;
        worker = startSoakWorker(
          {
            source: source.network.url(source.url()),
            destination: audit.network.url(audit.url()),
            name: database,
            slot,
            stateDirectory,
            seed: seed + workers++,
            failureProbability,
            isBroken,
          },
          onFailpoint,
        );
        return worker;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openSide(
  closers: (() => Promise<void>)[],
  settings: Readonly<Record<string, string>>,
): Promise<SoakSide> {
  const server = await startOwnServer({ settings, isNewCluster: true });
  closers.push(() => server.stop('immediate'));
  const network = await openTcpProxy(server.url());
  closers.push(() => network.close());
  const url = () => server.url(database);
  const admin = await connectTo(server.url());
  await admin.query(`CREATE DATABASE ${database} TEMPLATE template0`);
  await admin.end();
  return {
    server,
    network,
    database,
    url,
    connect: () => connectTo(url()),
    async query(text, values = []) {
      const client = await connectTo(url());
      try {
        return (await client.query<Record<string, unknown>>(text, [...values])).rows;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}

async function connectTo(url: string): Promise<pg.Client> {
  const deadline = performance.now() + connectPatienceMs;
  for (;;) {
    const client = new pg.Client(url);
    client.on('error', () => undefined); // a query fails by it too
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(100);
    }
  }
}
