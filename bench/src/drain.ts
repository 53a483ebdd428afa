import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type PostgresServer, startPostgres } from '@bemi-db/embedded-postgres';
import pg from 'pg';
import { createSchema, writeSmallTransactions } from './small-transactions.ts';
import { type Spread, spread } from './statistics.ts';

export interface DrainOptions {
  readonly transactions: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}

export interface DrainResult {
  readonly changes: number;
  /** Changes a second. */
  readonly worker: Spread;
  /** The worker with constants in the place of hashes and signatures. */
  readonly withoutProofs: Spread;
  readonly subscription: Spread;
  /** The same with `synchronous_commit = on`: each transaction is durable when it is applied, as the worker's are. */
  readonly durableSubscription: Spread;
  /** `undefined` where pg_recvlogical is not installed. */
  readonly receiver: Spread | undefined;
  /** Rates of the worker divided by those of the subscription, of the same round. */
  readonly ratio: Spread;
  readonly durableRatio: Spread;
  /** Rates of the worker divided by those without proofs, of the same round. */
  readonly proofRatio: Spread;
  readonly workerPeakRssBytes: number;
}

const slotOwners = ['worker', 'without_proofs', 'subscription', 'durable', 'receiver'];
const workerProgram = fileURLToPath(new URL('./drain-worker.js', import.meta.url));

/**
 * One WAL of small transactions with context, drained in turn, each from a slot of its own that was made before the WAL
 * was written, by: the worker, into an audit database with everything on; a native subscription
 * into a plain table, with its default `synchronous_commit = off` and with `on`; the worker again without hashing and
 * signing, which shows what they cost; and pg_recvlogical, to nowhere, which shows the limit of a slot.
 * Three clusters of their own, default settings. Times are of the whole process, its start included.
 */
export async function benchDrain({ transactions, rounds, report }: DrainOptions): Promise<DrainResult> {
  const settings = {
    max_replication_slots: String(rounds * 5 + 2),
    max_wal_senders: '10',
    max_wal_size: '8GB',
  };
  const source = await startPostgres({ settings: { ...settings, wal_level: 'logical' } });
  const audit = await startPostgres({ settings });
  const subscriber = await startPostgres({ settings });
  try {
    return await withClient(source.url(), async (client) => {
      await createSchema(client);
      for (let round = 0; round < rounds; round++) {
        for (const consumer of slotOwners) {
          await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [
            `${consumer}_${round}`,
          ]);
        }
      }
      report(`writing ${transactions} transactions`);
      const changes = await writeSmallTransactions(client, transactions);
      const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
      const endLsn = rows[0]!.lsn;

      const seconds = {
        worker: [] as number[],
        withoutProofs: [] as number[],
        subscription: [] as number[],
        durableSubscription: [] as number[],
        receiver: [] as number[],
      };
      let workerPeakRssBytes = 0;
      for (let round = 0; round < rounds; round++) {
        // Every other round the other way round, so that neither always comes first.
        const order = ['worker', 'subscription', 'withoutProofs', 'durableSubscription'] as const;
        for (const consumer of round % 2 === 0 ? order : order.toReversed()) {
          if (consumer === 'worker') {
            const run = await drainByWorker(source, audit, `worker_${round}`, changes);
            seconds.worker.push(run.seconds);
            workerPeakRssBytes = Math.max(workerPeakRssBytes, run.peakRssBytes);
          } else if (consumer === 'withoutProofs') {
            const run = await drainByWorker(
              source,
              audit,
              `without_proofs_${round}`,
              changes,
              'without-proofs',
            );
            seconds.withoutProofs.push(run.seconds);
          } else {
            const slot = consumer === 'subscription' ? `subscription_${round}` : `durable_${round}`;
            const commit = consumer === 'subscription' ? 'off' : 'on';
            seconds[consumer].push(
              await drainBySubscription(source, subscriber, client, { slot, commit, endLsn }),
            );
          }
          report(
            `round ${round + 1}: ${consumer} ${Math.round(changes / seconds[consumer].at(-1)!)} changes/s`,
          );
        }
        const received = await drainByReceiver(source, round, endLsn);
        if (received !== undefined) {
          seconds.receiver.push(received);
          report(`round ${round + 1}: pg_recvlogical to nowhere ${Math.round(changes / received)} changes/s`);
        }
      }
      const rate = (all: readonly number[]) => spread(all.map((one) => changes / one));
      return {
        changes,
        worker: rate(seconds.worker),
        withoutProofs: rate(seconds.withoutProofs),
        subscription: rate(seconds.subscription),
        durableSubscription: rate(seconds.durableSubscription),
        receiver: seconds.receiver.length > 0 ? rate(seconds.receiver) : undefined,
        ratio: spread(seconds.worker.map((own, round) => seconds.subscription[round]! / own)),
        durableRatio: spread(seconds.worker.map((own, round) => seconds.durableSubscription[round]! / own)),
        proofRatio: spread(seconds.worker.map((own, round) => seconds.withoutProofs[round]! / own)),
        workerPeakRssBytes,
      };
    });
  } finally {
    await Promise.all([source.stop('immediate'), audit.stop('immediate'), subscriber.stop('immediate')]);
  }
}

async function drainByWorker(
  source: PostgresServer,
  audit: PostgresServer,
  slot: string,
  changes: number,
  variant = 'whole',
): Promise<{ seconds: number; peakRssBytes: number }> {
  const database = `audit_${slot}`;
  await withClient(audit.url(), (client) => client.query(`CREATE DATABASE ${database}`));
  const startedAt = performance.now();
  const child = spawn(process.execPath, [workerProgram, source.url(), audit.url(database), slot, variant], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = await outputOf(child);
  const seconds = (performance.now() - startedAt) / 1000;
  const recorded = await withClient(audit.url(database), async (client) => {
    const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM bemi.change_log');
    return Number(rows[0]?.count);
  });
  if (recorded !== changes) throw new Error(`The worker recorded ${recorded} changes of ${changes}`);
  await withClient(audit.url(), (client) => client.query(`DROP DATABASE ${database}`));
  return { seconds, peakRssBytes: Number(output) };
}

async function drainBySubscription(
  source: PostgresServer,
  subscriber: PostgresServer,
  sourceClient: pg.Client,
  { slot, commit, endLsn }: { readonly slot: string; readonly commit: 'on' | 'off'; readonly endLsn: string },
): Promise<number> {
  const database = `subscriber_${slot}`;
  await withClient(subscriber.url(), (client) => client.query(`CREATE DATABASE ${database}`));
  const seconds = await withClient(subscriber.url(database), async (client) => {
    await createSchema(client);
    const startedAt = performance.now();
    await client.query(
      `CREATE SUBSCRIPTION bench_${slot} CONNECTION ${pg.escapeLiteral(source.url())} PUBLICATION bemi_publication
         WITH (create_slot = false, slot_name = '${slot}', copy_data = false, synchronous_commit = ${commit})`,
    );
    for (;;) {
      const { rows } = await sourceClient.query<{ done: boolean }>(
        'SELECT confirmed_flush_lsn >= $2::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $1',
        [slot, endLsn],
      );
      if (rows[0]?.done) break;
      await delay(20);
    }
    const elapsed = (performance.now() - startedAt) / 1000;
    await client.query(`ALTER SUBSCRIPTION bench_${slot} DISABLE`);
    await client.query(`ALTER SUBSCRIPTION bench_${slot} SET (slot_name = NONE)`);
    await client.query(`DROP SUBSCRIPTION bench_${slot}`);
    return elapsed;
  });
  await withClient(subscriber.url(), (client) => client.query(`DROP DATABASE ${database} WITH (FORCE)`));
  return seconds;
}

async function drainByReceiver(
  source: PostgresServer,
  round: number,
  endLsn: string,
): Promise<number | undefined> {
  if (spawnSync('pg_recvlogical', ['--version']).status !== 0) return undefined;
  const startedAt = performance.now();
  await outputOf(
    spawn(
      'pg_recvlogical',
      [
        [
          '-d',
          source.url(),
          '--slot',
          `receiver_${round}`,
          '--start',
          '--no-loop',
          '--endpos',
          endLsn,
          '-f',
          '/dev/null',
        ],
        ['-o', 'proto_version=1', '-o', 'publication_names=bemi_publication', '-o', 'messages=true'],
      ].flat(),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    ),
  );
  return (performance.now() - startedAt) / 1000;
}

export function outputOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${child.spawnfile} ended with ${code}`));
    });
  });
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
