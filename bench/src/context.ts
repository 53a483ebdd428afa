import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { runWithBemiContext } from '@bemi-db/context';
import { wrapPool } from '@bemi-db/context/pg';
import { startPostgres } from '@bemi-db/embedded-postgres';
import pg from 'pg';
import { withClient } from './drain.ts';
import { type Spread, spread } from './statistics.ts';

export interface ContextOptions {
  /** Single-row writes of a contestant in a round. */
  readonly writes: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}

export interface ContextCost {
  readonly contestant: Contestant;
  readonly connections: number;
  readonly writesPerSecond: Spread;
  /** Of the writes a second without a context, in the same round. */
  readonly ratio: Spread;
  /** CPU time without a context ÷ with it: this process and the server's backends. Null where there is no /proc. */
  readonly cpuRatio: Spread | null;
  readonly walBytesPerWrite: number;
  readonly roundTripsPerWrite: number;
}

export interface ContextResult {
  readonly inserts: readonly ContextCost[];
  /** WAL bytes of an UPDATE that finds no row, without and with a context. */
  readonly walBytesOfNothing: { readonly plain: number; readonly message: number };
}

const contestants = ['plain', 'message', 'trigger'] as const;
type Contestant = (typeof contestants)[number];

const CONTEXT = {
  userId: 187_234,
  endpoint: '/todo/complete',
  method: 'PUT',
  requestId: '018f3a52-3a0e-7b5e-9a8a',
};

/** The carrier that Bemi's published clients install: a comment in the text, and a trigger that parses it for each row. */
const SCHEMA = `
  CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text, n int);
  CREATE TABLE message (LIKE plain INCLUDING ALL);
  CREATE TABLE trigger (LIKE plain INCLUDING ALL);
  CREATE FUNCTION carry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_logical_emit_message(true, '_bemi', (regexp_match(current_query(), '/\\*Bemi (.*) Bemi\\*/'))[1]);
    RETURN NULL; END $$;
  CREATE TRIGGER carry AFTER INSERT OR UPDATE OR DELETE ON trigger FOR EACH ROW EXECUTE FUNCTION carry()`;

/** Single-row writes in turn: without a context, by the wrapped driver, and by a row trigger. */
export async function benchContext({ writes, rounds, report }: ContextOptions): Promise<ContextResult> {
  const server = await startPostgres({ settings: { wal_level: 'logical' } });
  try {
    return await withClient(server.url(), async (admin) => {
      await admin.query(SCHEMA);
      const inserts: ContextCost[] = [];
      for (const connections of [1, 8]) {
        const runs: Record<Contestant, Run[]> = { plain: [], message: [], trigger: [] };
        for (let round = 0; round <= rounds; round++) {
          const order = round % 2 === 0 ? contestants : contestants.toReversed();
          for (const contestant of order) {
            const run = await insert(server.url(), admin, contestant, connections, writes);
            if (round > 0) runs[contestant].push(run); // the first round warms up
          }
          report(`${connections} connections: round ${round} of ${rounds}`);
        }
        for (const contestant of contestants) inserts.push(costOf(contestant, connections, runs, writes));
      }
      return {
        inserts,
        walBytesOfNothing: {
          plain: await walOfNothing(server.url(), admin, 'plain'),
          message: await walOfNothing(server.url(), admin, 'message'),
        },
      };
    });
  } finally {
    await server.stop('immediate');
  }
}

interface Run {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly walBytes: number;
  readonly roundTrips: number;
}

async function insert(
  url: string,
  admin: pg.Client,
  contestant: Contestant,
  connections: number,
  writes: number,
): Promise<Run> {
  const { pool, pids, roundTrips } = await openPool(url, contestant, connections);
  const comment = contestant === 'trigger' ? ` /*Bemi ${JSON.stringify(CONTEXT)} Bemi*/` : '';
  const text = `INSERT INTO ${contestant} (title, n) VALUES ($1, $2)${comment}`;
  const write = async (share: number) => {
    for (let n = 0; n < share; n++) await pool.query(text, ['a title of some length', n]);
  };
  const work = () => Promise.all(Array.from({ length: connections }, () => write(writes / connections)));

  await write(connections);
  const walBefore = await walPosition(admin);
  const tripsBefore = roundTrips();
  const cpuBefore = cpuSeconds(pids);
  const startedAt = performance.now();
  await (contestant === 'message' ? runWithBemiContext(CONTEXT, work) : work());
  const run = {
    seconds: (performance.now() - startedAt) / 1000,
    cpuSeconds: cpuSeconds(pids) - cpuBefore,
    walBytes: (await walPosition(admin)) - walBefore,
    roundTrips: roundTrips() - tripsBefore,
  };
  await pool.end();
  return run;
}

async function openPool(url: string, contestant: Contestant, connections: number) {
  const plain = new pg.Pool({ connectionString: url, max: connections });
  const pool = contestant === 'message' ? wrapPool(plain) : plain;
  let trips = 0;
  pool.on('connect', (client) => {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    let waiting = false;
    const write = stream.write;
    stream.write = ((...args: Parameters<typeof write>) => {
      waiting = true;
      return write.apply(stream, args);
    }) as typeof write;
    stream.on('data', () => {
      if (waiting) trips++;
      waiting = false;
    });
  });
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  const pids: number[] = [];
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    pids.push(rows[0]!.pid);
    // The wrapper's one question to each connection is not a part of the writes.
    await runWithBemiContext(CONTEXT, () => client.query('DELETE FROM plain WHERE false'));
    client.release();
  }
  return { pool, pids, roundTrips: () => trips };
}

/** Of this process and some backends; clock ticks are hundredths of a second. */
function cpuSeconds(pids: readonly number[]): number {
  const { user, system } = process.cpuUsage();
  let ticks = 0;
  try {
    for (const pid of pids) {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    }
  } catch {
    return Number.NaN;
  }
  return (user + system) / 1e6 + ticks / 100;
}

async function walPosition(admin: pg.Client): Promise<number> {
  const { rows } = await admin.query<{ bytes: string }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes`,
  );
  return Number(rows[0]!.bytes);
}

async function walOfNothing(url: string, admin: pg.Client, contestant: Contestant): Promise<number> {
  const { pool } = await openPool(url, contestant, 1);
  const before = await walPosition(admin);
  const times = 100;
  for (let n = 0; n < times; n++) {
    await runWithBemiContext(CONTEXT, () => pool.query('UPDATE plain SET n = 1 WHERE id = $1', [-1]));
  }
  const bytes = (await walPosition(admin)) - before;
  await pool.end();
  return Math.round(bytes / times);
}

function costOf(
  contestant: Contestant,
  connections: number,
  runs: Readonly<Record<Contestant, readonly Run[]>>,
  writes: number,
): ContextCost {
  const own = runs[contestant];
  const ratios = own.map((run, round) => runs.plain[round]!.seconds / run.seconds);
  const cpuRatios = own.map((run, round) => runs.plain[round]!.cpuSeconds / run.cpuSeconds);
  const least = (of: (run: Run) => number) => Math.min(...own.map(of)) / writes;
  return {
    contestant,
    connections,
    writesPerSecond: spread(own.map(({ seconds }) => writes / seconds)),
    ratio: spread(ratios),
    cpuRatio: cpuRatios.some(Number.isNaN) ? null : spread(cpuRatios),
    // The least: autovacuum and checkpoints write as well.
    walBytesPerWrite: Math.round(least(({ walBytes }) => walBytes)),
    roundTripsPerWrite: least(({ roundTrips }) => roundTrips),
  };
}
