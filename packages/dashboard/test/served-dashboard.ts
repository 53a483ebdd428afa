import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { createRecordedDatabase, type RecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { createWorker, type Worker } from '@bemi-db/worker';
import type pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { createAuditReader } from '../src/server/audit-reader.ts';
import { createDashboard, type Dashboard } from '../src/server/create-dashboard.ts';
import type { Principal } from '../src/server/principal.ts';
import { requestListener } from '../src/server/request-listener.ts';

export const admin: Principal = {
  ...{ kind: 'person', id: 'u_admin', name: 'Ada', email: 'ada@clinic.example' },
  ...{ role: 'admin', tables: undefined },
};

export interface ServedDashboard extends RecordedDatabase {
  readonly dashboard: Dashboard;
  /** Of the pages, without a slash at the end. */
  readonly url: string;
  /** Name of the log. */
  readonly log: string;
  /** Resolves when everything that the source has committed is in the log. */
  recorded(): Promise<void>;
  /** Whoever asks from now on; nobody at all. */
  become(principal: Principal | undefined): void;
  get(path: string): Promise<Response>;
  /** Ends all connections of pages; they may come again. */
  disconnect(): void;
}

/** A source, a worker that records it, and the dashboard over the log, served on a port of its own until the test ends. */
export async function serveDashboard(
  prepare: (sql: pg.Client) => Promise<unknown>,
  /** Of the log. Default: the database's. */
  name?: string,
): Promise<ServedDashboard> {
  const databases = await createRecordedDatabase(prepare);
  const { source, audit, slot, sql } = databases;
  const worker = createWorker({
    ...{ source: source.url, destination: audit.url, slot },
    ...(name === undefined ? {} : { name }),
  });
  await running(worker);

  let principal: Principal | undefined = admin;
  const reader = createAuditReader(parseConnectionString(audit.url, 'the test').config);
  onTestFinished(() => reader.close());
  const errors: unknown[] = [];
  const dashboard = createDashboard({
    reader,
    authenticate: async () => principal,
    version: '0.0.0-test',
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => expect(errors).toEqual([]));
  const server = createServer(requestListener(dashboard));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...databases,
    dashboard,
    url,
    log: name ?? source.name,
    become: (other) => {
      principal = other;
    },
    get: (path) => fetch(`${url}${path}`),
    disconnect: () => server.closeAllConnections(),
    async recorded() {
      // A marked message goes the way of the changes before it, and becomes an entry that no page shows. One a second
      // is recorded at most: what was left out is sent again.
      const token = randomBytes(16).toString('hex');
      let sentAt = 0;
      const isRecorded = async (): Promise<boolean> => {
        if (Date.now() - sentAt > 1_050) {
          sentAt = Date.now();
          await sql.query(`SELECT pg_logical_emit_message(true, '_bemi_probe', $1::text)`, [token]);
        }
        const { rows } = await databases.trail.query(
          `SELECT FROM bemi.event_log WHERE kind = 'lifecycle' AND payload ->> 'token' = $1`,
          [token],
        );
        return rows.length > 0;
      };
      await expect.poll(isRecorded, { timeout: 30_000, interval: 50 }).toBe(true);
    },
  };
}

async function running(worker: Worker): Promise<void> {
  const stop = new AbortController();
  const ended = worker.run({ signal: stop.signal });
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  await expect.poll(() => worker.status().state, { timeout: 30_000, interval: 20 }).toBe('recording');
}
