import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect as dial, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runWithBemiContext } from '@bemi-db/context';
import { wrapPool } from '@bemi-db/context/pg';
import { type PostgresServer, startPostgres } from '@bemi-db/embedded-postgres';
import pg from 'pg';
import { withClient } from './drain.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { type Spread, spread } from './statistics.ts';

export interface OverheadOptions {
  /** Of each kind in a round. */
  readonly writes: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}

export interface WriteCost {
  readonly kind: Kind;
  readonly walBytes: number;
  readonly walBytesWithout: number;
}

export interface OverheadResult {
  readonly costs: readonly WriteCost[];
  /** WAL of the three kinds together, with Bemi ÷ without. */
  readonly walRatio: Spread;
  /** CPU time of the application's sessions on the server, with Bemi ÷ without. Null where there is no /proc. */
  readonly sessionCpuRatio: Spread | null;
  /** The same with the walsender's CPU time, which decodes what was written. */
  readonly serverCpuRatio: Spread | null;
  /** CPU µs of the worker for a change. */
  readonly workerMicroseconds: number;
  /** From the source to the worker, without compression and encryption. */
  readonly networkBytesPerChange: number;
}

type Kind = 'INSERT' | 'UPDATE' | 'DELETE';
const kinds: readonly Kind[] = ['INSERT', 'UPDATE', 'DELETE'];
const lanes = 4;
const program = fileURLToPath(new URL('recording-worker.js', import.meta.url));

const context = {
  ...{ userId: 'user_187234', role: 'PHYSICIAN', ipAddress: '192.168.1.17', endpoint: '/api/patients' },
  accessReason: 'TREATMENT',
};

const schema = `
  CREATE TABLE patient (id bigint PRIMARY KEY, name text, email text, phone text, notes text, visits int,
    updated_at timestamptz DEFAULT now());
  CREATE INDEX ON patient (email)`;

const statements: Readonly<Record<Kind, string>> = {
  INSERT: `INSERT INTO patient VALUES ($1, 'Ada Lovelace', 'ada.lovelace@example.com', '+44 20 7946 0958', repeat('note ', 20), 0)`,
  UPDATE: 'UPDATE patient SET visits = visits + 1, updated_at = now() WHERE id = $1',
  DELETE: 'DELETE FROM patient WHERE id = $1',
};

interface Contestant {
  readonly admin: pg.Client;
  readonly pool: pg.Pool;
  readonly pids: readonly number[];
  inContext<T>(work: () => Promise<T>): Promise<T>;
}

interface Run {
  readonly walBytes: number;
  readonly cpuSeconds: number | null;
}

/**
 * What recording costs the source: single-row transactions on a server without Bemi (`wal_level = replica`, default
 * identity), and on one that a worker records (`logical`, FULL, each transaction with a context), in turns.
 */
export async function benchOverhead({ writes, rounds, report }: OverheadOptions): Promise<OverheadResult> {
  const settings = { max_wal_size: '8GB' };
  const plain = await startPostgres({ settings });
  const recorded = await startPostgres({ settings: { ...settings, wal_level: 'logical' } });
  const audit = await startPostgres({ settings });
  const relay = await countingRelay(recorded);
  let worker: ChildProcess | undefined;
  const pools: pg.Pool[] = [];
  try {
    return await withClient(plain.url(), async (plainAdmin) =>
      withClient(recorded.url(), async (admin) => {
        for (const client of [plainAdmin, admin]) await client.query(schema);
        await admin.query(
          'ALTER TABLE patient REPLICA IDENTITY FULL; CREATE PUBLICATION bemi_publication FOR TABLE patient',
        );
        await admin.query(`SELECT pg_create_logical_replication_slot('bemi_slot', 'pgoutput')`);
        worker = fork(program, [relay.url, audit.url()]);
        await once(worker, 'message');
        const contestants = {
          without: await contestant(
            plainAdmin,
            plain,
            (pool) => pool,
            (work) => work(),
          ),
          with: await contestant(
            admin,
            recorded,
            (pool) => wrapPool(pool, { apiKey: false }),
            (work) => runWithBemiContext(context, work),
          ),
        };
        pools.push(contestants.without.pool, contestants.with.pool);
        const runs = { without: new Map<Kind, Run[]>(), with: new Map<Kind, Run[]>() };
        const sender = { cpu: [] as (number | null)[], bytes: [] as number[], worker: [] as number[] };
        for (let round = 0; round <= rounds; round++) {
          const order = round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const);
          for (const name of order) {
            const before = name === 'with' ? await recordingCost(admin, worker, relay) : undefined;
            for (const kind of kinds) {
              const run = await measure(contestants[name], kind, writes);
              if (round > 0) runs[name].set(kind, [...(runs[name].get(kind) ?? []), run]); // the first round warms up
            }
            if (!before) continue;
            await untilRecorded(admin);
            const after = await recordingCost(admin, worker, relay);
            if (round === 0) continue;
            sender.cpu.push(after.cpu === null || before.cpu === null ? null : after.cpu - before.cpu);
            sender.bytes.push(after.bytes - before.bytes);
            sender.worker.push(after.worker - before.worker);
          }
          report(`round ${round} of ${rounds}`);
        }
        return resultOf(runs, sender, { writes, rounds });
      }),
    );
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
    if (worker?.connected) {
      worker.disconnect();
      await once(worker, 'exit');
    }
    relay.server.close();
    await Promise.all([plain, recorded, audit].map((server) => server.stop('immediate')));
  }
}

function resultOf(
  runs: Readonly<Record<'without' | 'with', ReadonlyMap<Kind, readonly Run[]>>>,
  sender: {
    readonly cpu: readonly (number | null)[];
    readonly bytes: readonly number[];
    readonly worker: readonly number[];
  },
  { writes, rounds }: { readonly writes: number; readonly rounds: number },
): OverheadResult {
  const all = Array.from({ length: rounds }, (_, round) => round);
  const sum = (name: 'without' | 'with', round: number, of: (run: Run) => number | null): number =>
    kinds.reduce((total, kind) => total + (of(runs[name].get(kind)![round]!) ?? Number.NaN), 0);
  const cpu = (name: 'without' | 'with', round: number) => sum(name, round, (run) => run.cpuSeconds);
  const sessionRatios = all.map((round) => cpu('with', round) / cpu('without', round));
  const serverRatios = all.map(
    (round) => (cpu('with', round) + (sender.cpu[round] ?? Number.NaN)) / cpu('without', round),
  );
  const orNull = (ratios: number[]) => (ratios.some(Number.isNaN) ? null : spread(ratios));
  // The least: autovacuum and checkpoints write as well.
  const least = (name: 'without' | 'with', kind: Kind) =>
    Math.round(Math.min(...runs[name].get(kind)!.map(({ walBytes }) => walBytes)) / writes);
  const changes = writes * kinds.length;
  return {
    costs: kinds.map((kind) => ({
      kind,
      walBytes: least('with', kind),
      walBytesWithout: least('without', kind),
    })),
    walRatio: spread(
      all.map(
        (round) => sum('with', round, (run) => run.walBytes) / sum('without', round, (run) => run.walBytes),
      ),
    ),
    sessionCpuRatio: orNull(sessionRatios),
    serverCpuRatio: orNull(serverRatios),
    workerMicroseconds: (spread(sender.worker).median / changes) * 1e6,
    networkBytesPerChange: Math.round(spread(sender.bytes).median / changes),
  };
}

async function contestant(
  admin: pg.Client,
  server: PostgresServer,
  wrap: (pool: pg.Pool) => pg.Pool,
  inContext: Contestant['inContext'],
): Promise<Contestant> {
  const pool = wrap(new pg.Pool({ connectionString: server.url(), max: lanes, idleTimeoutMillis: 0 }));
  const clients = await Promise.all(Array.from({ length: lanes }, () => pool.connect()));
  const pids: number[] = [];
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    pids.push(rows[0]!.pid);
    client.release();
  }
  return { admin, pool, pids, inContext };
}

async function measure(
  { admin, pool, pids, inContext }: Contestant,
  kind: Kind,
  writes: number,
): Promise<Run> {
  let next = 0;
  const lane = async () => {
    for (let id = next++; id < writes; id = next++) await pool.query(statements[kind], [id]);
  };
  const walBefore = await walPosition(admin);
  const cpuBefore = cpuSecondsOf(pids);
  await inContext(() => Promise.all(Array.from({ length: lanes }, lane)));
  const cpuAfter = cpuSecondsOf(pids);
  const walBytes = (await walPosition(admin)) - walBefore;
  return { walBytes, cpuSeconds: cpuAfter === null || cpuBefore === null ? null : cpuAfter - cpuBefore };
}

async function walPosition(admin: pg.Client): Promise<number> {
  const { rows } = await admin.query<{ bytes: string }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes`,
  );
  return Number(rows[0]!.bytes);
}

async function untilRecorded(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
  for (;;) {
    const { rows: slots } = await admin.query<{ done: boolean }>(
      `SELECT confirmed_flush_lsn >= $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = 'bemi_slot'`,
      [rows[0]!.lsn],
    );
    if (slots[0]?.done) return;
    await delay(50);
  }
}

interface Relay {
  readonly server: Server;
  readonly url: string;
  bytes: number;
}

/** What the walsender, the network and the worker have spent until now. */
async function recordingCost(
  admin: pg.Client,
  worker: ChildProcess,
  relay: Relay,
): Promise<{ readonly cpu: number | null; readonly bytes: number; readonly worker: number }> {
  await untilRecorded(admin);
  const { rows } = await admin.query<{ pid: number }>(
    `SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = 'bemi_slot' AND active`,
  );
  worker.send('usage');
  const [used] = (await once(worker, 'message')) as [number];
  return { cpu: cpuSecondsOf(rows.map(({ pid }) => pid)), bytes: relay.bytes, worker: used };
}

/** Between source and worker, where bytes are counted. */
async function countingRelay(target: PostgresServer): Promise<Relay> {
  const { hostname, port } = new URL(target.url());
  const server = createServer((client) => {
    const upstream = dial(Number(port), hostname);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
    upstream.on('data', (bytes) => {
      relay.bytes += bytes.length;
    });
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target.url());
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  const relay: Relay = { server, url: url.href, bytes: 0 };
  return relay;
}
