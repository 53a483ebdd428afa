import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createAuditReader } from '@bemi-db/dashboard/server/audit-reader';
import { createDashboard } from '@bemi-db/dashboard/server/create-dashboard';
import type { Principal } from '@bemi-db/dashboard/server/principal';
import { requestListener } from '@bemi-db/dashboard/server/request-listener';
import { startPostgres } from '@bemi-db/embedded-postgres';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { withClient } from './drain.ts';
import { type Spread, spread } from './statistics.ts';

export interface LiveOptions {
  /** Each a transaction of its own, one after the other. */
  readonly writes: number;
  readonly report: (line: string) => void;
}

export interface LiveResult {
  /** From the answer to the application's COMMIT until the change is in the audit database. */
  readonly recordedMs: Spread;
  /** Until it has arrived where a page reads it. */
  readonly streamedMs: Spread;
}

const program = fileURLToPath(new URL('recording-worker.js', import.meta.url));
const log = 'postgres';
const principal: Principal = {
  ...{ kind: 'person', id: 'u_bench', name: 'Bench', email: 'bench@example.com' },
  ...{ role: 'admin', tables: undefined },
};

/** How long a committed change takes to where people see it, on a source with little to do. */
export async function benchLive({ writes, report }: LiveOptions): Promise<LiveResult> {
  const source = await startPostgres({ settings: { wal_level: 'logical' } });
  const audit = await startPostgres({});
  const worker = await withClient(source.url(), async (sql) => {
    await sql.query(`CREATE TABLE patient (id bigint PRIMARY KEY, name text);
      ALTER TABLE patient REPLICA IDENTITY FULL; CREATE PUBLICATION bemi_publication FOR TABLE patient`);
    await sql.query(`SELECT pg_create_logical_replication_slot('bemi_slot', 'pgoutput')`);
    return fork(program, [source.url(), audit.url()]);
  });
  const reader = createAuditReader(parseConnectionString(audit.url(), 'the benchmark').config);
  const dashboard = createDashboard({
    ...{ reader, authenticate: async () => principal, version: '0.0.0' },
    onError: (error) => report(String(error)),
  });
  const server = createServer(requestListener(dashboard)).listen(0, '127.0.0.1');
  const ending = new AbortController();
  try {
    await Promise.all([once(worker, 'message'), once(server, 'listening')]);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/logs/${log}/stream?after=0`;
    return await withClient(source.url(), (sql) =>
      withClient(audit.url(), async (trail) => {
        const insert = (id: number) => sql.query('INSERT INTO patient VALUES ($1, $2)', [id, 'Ada']);
        await insert(0);
        while (!(await isRecorded(0))) await delay(100);
        const arrivals = await arrivalsAt(url, ending.signal);
        await arrivals.of(0);
        const [recorded, streamed]: [number[], number[]] = [[], []];
        for (let id = 1; id <= writes; id++) {
          // At no moment in particular of what looks now and then.
          await delay(100 + ((id * 137) % 400));
          await insert(id);
          const committedAt = performance.now();
          const seen = (async () => {
            while (!(await isRecorded(id))) await delay(1);
            return performance.now();
          })();
          recorded.push((await seen) - committedAt);
          streamed.push((await arrivals.of(id)) - committedAt);
        }
        return { recordedMs: spread(recorded), streamedMs: spread(streamed) };

        async function isRecorded(id: number): Promise<boolean> {
          const { rows } = await trail.query<{ is: boolean }>(
            `SELECT to_regclass('bemi.changes') IS NOT NULL AS is`,
          );
          if (!rows[0]!.is) return false;
          const found = await trail.query(`SELECT FROM bemi.change_log WHERE primary_key = $1 LIMIT 1`, [
            String(id),
          ]);
          return found.rows.length > 0;
        }
      }),
    );
  } finally {
    ending.abort();
    server.close();
    server.closeAllConnections();
    if (worker.connected) worker.disconnect();
    if (worker.exitCode === null) await once(worker, 'exit');
    await reader.close();
    await Promise.all([source.stop('immediate'), audit.stop('immediate')]);
  }
}

/** When the change of each key came, by this process's clock. */
async function arrivalsAt(url: string, signal: AbortSignal): Promise<{ of(id: number): Promise<number> }> {
  const arrived = new Map<string, number>();
  let wake: () => void = () => undefined;
  const { body } = await fetch(url, { signal });
  const lines = createInterface({ input: Readable.fromWeb(body as never) });
  lines.on('line', (line) => {
    const key = /^data: .*"primaryKey":"(\d+)"/.exec(line)?.[1];
    if (key === undefined) return;
    arrived.set(key, performance.now());
    wake();
  });
  lines.on('error', () => undefined); // it is ended from here
  return {
    async of(id) {
      for (;;) {
        const at = arrived.get(String(id));
        if (at !== undefined) return at;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
