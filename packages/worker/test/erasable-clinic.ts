import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from '@bemi-db/test-kit/database';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { concernedContexts } from '@bemi-db/trail/erasure/concerned-contexts';
import { type FoundRecord, findRecord } from '@bemi-db/trail/erasure/find-record';
import { sequencePairs } from '@bemi-db/trail/erasure/sequence-pairs';
import { type RequestAnswer, request, requestAnswer } from '@bemi-db/trail/inbox';
import { recordKey } from '@bemi-db/trail/query/record-key';
import { type StoredLogReport, verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { createWorker, type WorkerOptions } from '../src/create-worker.ts';
import { LastSigned } from '../src/signing/last-signed.ts';

/** A clinic whose patients move, change their names and keys, and want to be forgotten. */
export interface ErasableClinic {
  readonly source: TestDatabase;
  readonly audit: TestDatabase;
  readonly sql: pg.Client;
  readonly trail: pg.Client;
  readonly targets: { readonly source: string; readonly destination: string; readonly slot: string };
  /** Runs statements in one transaction, with a context or without. */
  transact(context: object | undefined, ...statements: string[]): Promise<void>;
  drain(): Promise<void>;
  /** A worker that runs until the test ends, or until it is stopped. */
  startWorker(): { stop(): Promise<void> };
  find(table: string, ...key: string[]): Promise<FoundRecord>;
  /** Asks, and waits for the answer. */
  ask(kind: string, payload: object): Promise<RequestAnswer>;
  erase(sequences: readonly number[]): Promise<RequestAnswer>;
  /** Contexts of what was found. */
  contexts(found: FoundRecord): ReturnType<typeof concernedContexts>;
  /** @param isInTransaction - of `trail`, which is rolled back afterwards. */
  verify(isInTransaction?: boolean): Promise<StoredLogReport>;
}

/**
 * @param destination - URL of another audit database than one on the shared server.
 * @param options - of its workers.
 */
export async function createErasableClinic(
  identity: 'FULL' | 'DEFAULT' = 'FULL',
  destination?: string,
  options: Partial<WorkerOptions> = {},
): Promise<ErasableClinic> {
  const { source, audit, sql, slot, ...own } = await createRecordedDatabase((client) =>
    client.query(`
      CREATE TABLE patient (id text PRIMARY KEY, name text, notes json);
      ALTER TABLE patient REPLICA IDENTITY ${identity};
      CREATE TABLE visit (patient text, at timestamptz, room int, PRIMARY KEY (patient, at));
      ALTER TABLE visit REPLICA IDENTITY ${identity}`),
  );
  const trail = destination === undefined ? own.trail : await connected(destination);
  const targets = { source: source.url, destination: destination ?? audit.url, slot };
  const clinic: ErasableClinic = {
    ...{ source, audit, sql, trail, targets },
    async transact(context, ...statements) {
      await sql.query('BEGIN');
      if (context)
        await sql.query(`SELECT pg_logical_emit_message(true, '_bemi', $1)`, [JSON.stringify(context)]);
      for (const statement of statements) await sql.query(statement);
      await sql.query('COMMIT');
    },
    async drain() {
      await createWorker({ ...options, ...targets }).run({ drain: true });
    },
    startWorker() {
      const abort = new AbortController();
      const running = createWorker({ ...options, ...targets }).run({ signal: abort.signal });
      const stop = async (): Promise<void> => {
        abort.abort();
        await running;
      };
      onTestFinished(stop);
      return { stop };
    },
    find: (table, ...key) =>
      findRecord(trail, { log: 0, table: { name: table }, primaryKey: recordKey(key) }),
    async ask(kind, payload) {
      const id = await request(trail, 0, kind, payload);
      for (;;) {
        const answer = await requestAnswer(trail, id);
        if (answer) return answer;
        await delay(50);
      }
    },
    erase: (sequences) =>
      clinic.ask('erasure', { entries: sequencePairs(sequences), reason: 'article 17', by: 'dpo' }),
    contexts: (found) => concernedContexts(trail, 0, found.changes),
    async verify(isInTransaction = false) {
      const kept = new LastSigned(process.env['BEMI_STATE_DIR']!, source.name).read();
      return verifyStoredLog({
        ...{ client: trail, log: 0, keys: [], isInTransaction },
        checkpoints: kept === undefined ? [] : [kept],
      });
    },
  };
  return clinic;
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}
