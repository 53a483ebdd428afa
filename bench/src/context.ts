import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@bemi-db/embedded-postgres';
import { triggersUp } from '@bemi-db/source/context-triggers';
import type pg from 'pg';
import type { Contestant, Order, Run, Write } from './context-writer.ts';
import { withClient } from './drain.ts';
import { type Spread, spread } from './statistics.ts';

export interface ContextOptions {
  /** Of a contestant in a round. */
  readonly writes: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}

export interface ContextCost {
  readonly contestant: Contestant;
  readonly write: Write;
  readonly connections: number;
  readonly writesPerSecond: Spread;
  /** Of the writes a second without Bemi, in the same round. */
  readonly ratio: Spread;
  /** CPU time without Bemi ÷ with it: the client's process and the server's. Null where there is no /proc. */
  readonly cpuRatio: Spread | null;
  readonly clientCpuMicroseconds: number;
  readonly serverCpuMicroseconds: number | null;
  readonly walBytesPerWrite: number;
  readonly roundTripsPerWrite: number;
}

const contestants: readonly Contestant[] = ['plain', 'message', 'signed', 'trigger', 'setting', 'actor'];
const writer = fileURLToPath(new URL('context-writer.js', import.meta.url));

/** The carrier that Bemi's published clients install: a comment in the text, and a trigger that parses it for each row. */
const SCHEMA = `
  CREATE TABLE plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text, n int);
  CREATE TABLE trigger (LIKE plain INCLUDING ALL);
  CREATE FUNCTION carry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_logical_emit_message(true, '_bemi', (regexp_match(current_query(), '/\\*Bemi (.*) Bemi\\*/'))[1]);
    RETURN NULL; END $$;
  CREATE TRIGGER carry AFTER INSERT OR UPDATE OR DELETE ON trigger FOR EACH ROW EXECUTE FUNCTION carry();
  CREATE TABLE setting (LIKE plain INCLUDING ALL);
  CREATE TABLE actor (LIKE plain INCLUDING ALL)`;

/**
 * Single-row writes, on one connection and on eight: without Bemi, by the wrapped driver, and by triggers. The
 * contestants take short turns, so that what else the machine does meets them all.
 */
export async function benchContext({ writes, rounds, report }: ContextOptions): Promise<ContextCost[]> {
  const server = await startPostgres({ settings: { wal_level: 'logical' } });
  try {
    return await withClient(server.url(), async (admin) => {
      await admin.query(SCHEMA);
      await admin.query(triggersUp({ kinds: ['context'], tables: [{ schema: 'public', name: 'setting' }] }));
      await admin.query(triggersUp({ kinds: ['actor'], tables: [{ schema: 'public', name: 'actor' }] }));
      await admin.query('DROP TRIGGER bemi_context ON actor');
      const costs: ContextCost[] = [];
      for (const connections of [1, 8]) {
        const processes = await Promise.all(
          contestants.map((contestant) => startWriter(server.url(), contestant, connections)),
        );
        for (const write of ['insert', 'nothing'] as const) {
          const runs = await takeTurns(admin, processes, { write, times: writes }, rounds);
          report(`${connections} connections, ${write}: ${rounds} rounds`);
          for (const contestant of contestants)
            costs.push(costOf(contestant, connections, write, runs, writes));
        }
        for (const process of processes) process.disconnect();
        await Promise.all(processes.map((process) => once(process, 'exit')));
      }
      return costs;
    });
  } finally {
    await server.stop('immediate');
  }
}

interface MeasuredRun extends Run {
  readonly walBytes: number;
}

type Runs = ReadonlyMap<Contestant, readonly MeasuredRun[]>;

async function startWriter(url: string, contestant: Contestant, connections: number): Promise<ChildProcess> {
  const child = fork(writer, [url, contestant, String(connections)]);
  await answerOf(child);
  return child;
}

async function takeTurns(
  admin: pg.Client,
  processes: readonly ChildProcess[],
  order: Order,
  rounds: number,
): Promise<Runs> {
  const runs = new Map<Contestant, MeasuredRun[]>(contestants.map((contestant) => [contestant, []]));
  const turns = contestants.map((contestant, index) => ({ contestant, process: processes[index]! }));
  for (let round = 0; round <= rounds; round++) {
    for (const { contestant, process } of round % 2 === 0 ? turns : turns.toReversed()) {
      const before = await walPosition(admin);
      process.send(order);
      const run = (await answerOf(process)) as Run;
      const walBytes = (await walPosition(admin)) - before;
      if (round > 0) runs.get(contestant)!.push({ ...run, walBytes }); // the first round warms up
    }
    await admin.query('TRUNCATE plain, trigger, setting, actor');
  }
  return runs;
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const end = () => reject(new Error('A writer of the benchmark ended early.'));
    child.once('exit', end);
    child.once('message', (answer) => {
      child.off('exit', end);
      resolve(answer);
    });
  });
}

async function walPosition(admin: pg.Client): Promise<number> {
  const { rows } = await admin.query<{ bytes: string }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bytes`,
  );
  return Number(rows[0]!.bytes);
}

function costOf(
  contestant: Contestant,
  connections: number,
  write: Write,
  runs: Runs,
  writes: number,
): ContextCost {
  const own = runs.get(contestant)!;
  const plain = runs.get('plain')!;
  const cpuSeconds = (run: Run) => run.clientCpuSeconds + (run.serverCpuSeconds ?? Number.NaN);
  const cpuRatios = own.map((run, round) => cpuSeconds(plain[round]!) / cpuSeconds(run));
  const microseconds = (of: (run: Run) => number) => (spread(own.map(of)).median / writes) * 1e6;
  const server = microseconds((run) => run.serverCpuSeconds ?? Number.NaN);
  const least = (of: (run: MeasuredRun) => number) => Math.min(...own.map(of)) / writes;
  return {
    contestant,
    connections,
    write,
    writesPerSecond: spread(own.map(({ seconds }) => writes / seconds)),
    ratio: spread(own.map((run, round) => plain[round]!.seconds / run.seconds)),
    cpuRatio: Number.isNaN(server) ? null : spread(cpuRatios),
    clientCpuMicroseconds: microseconds((run) => run.clientCpuSeconds),
    serverCpuMicroseconds: Number.isNaN(server) ? null : server,
    // The least: autovacuum and checkpoints write as well.
    walBytesPerWrite: Math.round(least(({ walBytes }) => walBytes)),
    roundTripsPerWrite: least((run) => run.roundTrips),
  };
}
