import type { PostgresServer } from '@bemi-db/embedded-postgres';
import type { Finding } from '@bemi-db/source/finding';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { bemiFolder } from '../src/configuration/bemi-folder.ts';
import { loadConfiguration } from '../src/configuration/configuration.ts';
import { diagnose } from '../src/doctor/run-doctor.ts';
import { projectFolder, type Running, runBemi, startBemi } from './run-bemi.ts';

type Environment = Readonly<Record<string, string>>;

/** A server with the guide's application and an audit database, for faults that a shared server must not have. */
export interface DoctoredClinic {
  readonly server: PostgresServer;
  /** `.bemi/worker.env` in it is what the commands go by. */
  readonly folder: string;
  /** As the superuser. */
  readonly source: pg.Client;
  readonly audit: pg.Client;
  /** Connects again after a restart. */
  reconnect(): Promise<void>;
  /** What doctor finds, with these variables besides. */
  look(
    environment?: Environment,
    options?: { readonly isProbing?: boolean; readonly contextMembers?: readonly string[] },
  ): Promise<readonly Finding[]>;
  bemi(...args: readonly string[]): Promise<void>;
  startWorker(): Promise<void>;
  stopWorker(): Promise<void>;
}

/** @param settings - set by ALTER SYSTEM, so that a fix can set them otherwise. */
export async function doctoredClinic(settings: Readonly<Record<string, string>>): Promise<DoctoredClinic> {
  // A checkpoint is what takes WAL from a slot that has too much: none comes by itself, however slow the machine is.
  const server = await startDisposableServer({ settings: { checkpoint_timeout: '1h' } });
  onTestFinished(() => server.stop('immediate'));
  const folder = projectFolder();
  let clients: { source: pg.Client; audit: pg.Client } | undefined;
  let worker: Running | undefined;
  const connect = async (database: string): Promise<pg.Client> => {
    const client = new pg.Client(server.url(database));
    client.on('error', () => undefined); // the server is restarted
    await client.connect();
    return client;
  };
  const admin = await connect('postgres');
  for (const [name, value] of Object.entries(settings)) {
    await admin.query(`ALTER SYSTEM SET ${name} = ${pg.escapeLiteral(value)}`);
  }
  await admin.query('CREATE DATABASE holi_protocol');
  await admin.query('CREATE DATABASE bemi_audit');
  await admin.end();
  await server.restart();
  const reconnect = async (): Promise<void> => {
    await clients?.source.end().catch(() => undefined);
    await clients?.audit.end().catch(() => undefined);
    clients = { source: await connect('holi_protocol'), audit: await connect('bemi_audit') };
  };
  await reconnect();
  onTestFinished(async () => {
    await clients?.source.end().catch(() => undefined);
    await clients?.audit.end().catch(() => undefined);
  });
  return {
    server,
    folder,
    get source() {
      return clients!.source;
    },
    get audit() {
      return clients!.audit;
    },
    reconnect,
    async look(environment = {}, { isProbing = false, contextMembers = ['userId', 'accessReason'] } = {}) {
      const configuration = loadConfiguration({
        // Source and audit database are on one server, whose own WAL is a lag for seconds where nothing is written.
        environment: {
          BEMI_STATE_DIR: `${folder}/.bemi`,
          BEMI_HEALTHY_LAG_BYTES: String(64 * 1024 ** 2),
          ...environment,
        },
        folder: bemiFolder(folder),
      });
      const { sections } = await diagnose(configuration, {
        isEmbedded: false,
        source: undefined,
        newestEntries: 100_000,
        maximumWithout: 50,
        contextMembers,
        isProbing,
        probePatienceMs: 1_500,
        ignored: new Set(),
      });
      return sections.flatMap(({ findings }) => findings);
    },
    async bemi(...args) {
      const run = await runBemi(args, {}, folder);
      expect(run, `bemi ${args.join(' ')}: ${run.stdout}${run.stderr}`).toMatchObject({ code: 0 });
    },
    async startWorker() {
      worker = startBemi(['worker', '--port', '0'], {}, folder);
      await worker.untilPrinted('Recording');
      const isRead = async () =>
        (
          await clients!.source.query(
            `SELECT FROM pg_replication_slots WHERE slot_name = 'bemi_slot' AND active`,
          )
        ).rowCount;
      await expect.poll(isRead, { timeout: 20_000 }).toBe(1);
    },
    async stopWorker() {
      worker?.child.kill('SIGTERM');
      await worker?.finished;
      worker = undefined;
    },
  };
}
