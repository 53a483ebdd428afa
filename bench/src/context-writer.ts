/**
 * Writes single rows for one contestant of the context benchmark, as often as it is told to: in a process of its own, so
 * that what one contestant loads and switches on (AsyncLocalStorage above all) costs the others nothing.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import { cpuSecondsOf } from './process-cpu.ts';

/**
 * Who writes: without Bemi, by the wrapped driver with and without a key, with a row trigger; with our statement trigger
 * that sends a setting of the session, and with the one that reports the database user.
 */
export type Contestant = 'plain' | 'message' | 'signed' | 'trigger' | 'setting' | 'actor';

/** A row that is inserted, and an UPDATE that finds none. */
export type Write = 'insert' | 'nothing';

/** What the process is told. */
export interface Order {
  readonly write: Write;
  readonly times: number;
}

/** What it answers. */
export interface Run {
  readonly seconds: number;
  /** Of this process and of the server's; null where there is no /proc. */
  readonly clientCpuSeconds: number;
  readonly serverCpuSeconds: number | null;
  readonly roundTrips: number;
}

interface Carrier {
  wrap(pool: pg.Pool): pg.Pool;
  inContext<T>(work: () => Promise<T>): Promise<T>;
}

const CONTEXT = {
  userId: 187_234,
  endpoint: '/todo/complete',
  method: 'PUT',
  requestId: '018f3a52-3a0e-7b5e-9a8a',
};
const API_KEY = `bemi_sk_${'a'.repeat(32)}`;

const [url, name, connections] = process.argv.slice(2);
if (!url || !name || !connections) throw new Error('Usage: context-writer URL CONTESTANT CONNECTIONS');
const contestant = name as Contestant;
const lanes = Number(connections);
const { wrap, inContext } = await carrierOf(contestant);
// While others take their turns, connections are idle for longer than a pool keeps them by itself.
const pool = wrap(new pg.Pool({ connectionString: url, max: lanes, idleTimeoutMillis: 0 }));
let roundTrips = 0;
pool.on('connect', (client) => countRoundTrips(client));
const pids = await openConnections();

process.on('message', (order: Order) => void run(order).then((done) => process.send?.(done)));
process.on('disconnect', () => void pool.end());
process.send?.('ready');

async function carrierOf(contestant: Contestant): Promise<Carrier> {
  if (contestant !== 'message' && contestant !== 'signed') {
    return { wrap: (plain) => plain, inContext: (work) => work() };
  }
  const { runWithBemiContext } = await import('@bemi-db/context');
  const { wrapPool } = await import('@bemi-db/context/pg');
  const options = { apiKey: contestant === 'signed' ? API_KEY : (false as const) };
  return {
    wrap: (plain) => wrapPool(plain, options),
    inContext: (work) => runWithBemiContext(CONTEXT, work),
  };
}

function countRoundTrips(client: pg.ClientBase): void {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  let waiting = false;
  const write = stream.write;
  stream.write = ((...args: Parameters<typeof write>) => {
    waiting = true;
    return write.apply(stream, args);
  }) as typeof write;
  stream.on('data', () => {
    if (waiting) roundTrips++;
    waiting = false;
  });
}

async function openConnections(): Promise<readonly number[]> {
  const clients = await Promise.all(Array.from({ length: lanes }, () => pool.connect()));
  const processes: number[] = [];
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    processes.push(rows[0]!.pid);
    if (contestant === 'setting')
      await client.query(`SELECT set_config('bemi.context', $1, false)`, [JSON.stringify(CONTEXT)]);
    // The wrapper's one question to each connection is not a part of the writes.
    await inContext(() => client.query('DELETE FROM plain WHERE false'));
    client.release();
  }
  return processes;
}

async function run({ write, times }: Order): Promise<Run> {
  const table = contestant === 'message' || contestant === 'signed' ? 'plain' : contestant;
  const comment = contestant === 'trigger' ? ` /*Bemi ${JSON.stringify(CONTEXT)} Bemi*/` : '';
  const [text, first] =
    write === 'insert'
      ? [`INSERT INTO ${table} (title, n) VALUES ($1, $2)${comment}`, 'a title of some length']
      : [`UPDATE ${table} SET n = $2 WHERE id = $1${comment}`, -1];
  const lane = async () => {
    for (let n = 0; n < times / lanes; n++) await pool.query(text, [first, n]);
  };
  const tripsBefore = roundTrips;
  const serverBefore = cpuSecondsOf(pids);
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await inContext(() => Promise.all(Array.from({ length: lanes }, lane)));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const serverAfter = cpuSecondsOf(pids);
  return {
    seconds,
    clientCpuSeconds: (user + system) / 1e6,
    serverCpuSeconds: serverAfter === null || serverBefore === null ? null : serverAfter - serverBefore,
    roundTrips: roundTrips - tripsBefore,
  };
}
