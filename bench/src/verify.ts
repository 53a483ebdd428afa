import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '@bemi-db/embedded-postgres';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { outputOf, withClient } from './drain.ts';
import { createSchema, writeSmallTransactions } from './small-transactions.ts';
import { type Spread, spread } from './statistics.ts';

export interface VerifyOptions {
  readonly transactions: number;
  readonly rounds: number;
  readonly report: (line: string) => void;
}

export interface VerifyResult {
  readonly entries: number;
  /** Entries a second. */
  readonly verify: Spread;
  readonly copy: Spread;
  /** Of COPY in the format that verification reads. */
  readonly binaryCopy: Spread;
  /** Rates of verification divided by those of COPY, of the same round. */
  readonly ratio: Spread;
  readonly binaryRatio: Spread;
}

const workerProgram = fileURLToPath(new URL('./drain-worker.js', import.meta.url));
const logTables = ['change_log', 'context_log', 'transaction_log', 'event_log'];

/**
 * A log of small transactions with context, read in turn by whole-log verification (one thread of Node, one connection)
 * and by COPY … TO STDOUT of the same partitions, one after the other, to a client that throws the bytes away.
 */
export async function benchVerify({ transactions, rounds, report }: VerifyOptions): Promise<VerifyResult> {
  const settings = { max_wal_size: '8GB' };
  const source = await startPostgres({ settings: { ...settings, wal_level: 'logical' } });
  const audit = await startPostgres({ settings });
  try {
    await withClient(source.url(), async (client) => {
      await createSchema(client);
      await client.query(`SELECT pg_create_logical_replication_slot('worker', 'pgoutput')`);
      report(`writing and recording ${transactions} transactions`);
      await writeSmallTransactions(client, transactions);
    });
    await outputOf(
      spawn(process.execPath, [workerProgram, source.url(), audit.url(), 'worker'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    return await withClient(audit.url(), async (client) => {
      await client.query('VACUUM ANALYZE');
      const partitions = await partitionsOf(client);
      const rates = { verify: [] as number[], copy: [] as number[], binaryCopy: [] as number[] };
      let entries = 0;
      for (let round = 0; round < rounds; round++) {
        const order = ['copy', 'verify', 'binaryCopy'] as const;
        for (const contestant of round % 2 === 0 ? order : order.toReversed()) {
          const startedAt = performance.now();
          if (contestant === 'verify') {
            const result = await verifyStoredLog({
              ...{ client, log: 0, keys: [], checkpoints: [] },
              // It is not part of the log that is proven.
              isIndexCompared: false,
            });
            if (result.findings.length > 0)
              throw new Error(`Not whole: ${JSON.stringify(result.findings[0])}`);
            entries = result.size;
          } else await copyAway(client, partitions, contestant === 'copy' ? '' : ' (FORMAT binary)');
          rates[contestant].push((performance.now() - startedAt) / 1000);
          report(`round ${round + 1}: ${contestant} ${rates[contestant].at(-1)!.toFixed(2)} s`);
        }
      }
      const rate = (all: readonly number[]) => spread(all.map((seconds) => entries / seconds));
      return {
        entries,
        verify: rate(rates.verify),
        copy: rate(rates.copy),
        binaryCopy: rate(rates.binaryCopy),
        ratio: spread(rates.verify.map((seconds, round) => rates.copy[round]! / seconds)),
        binaryRatio: spread(rates.verify.map((seconds, round) => rates.binaryCopy[round]! / seconds)),
      };
    });
  } finally {
    await Promise.all([source.stop('immediate'), audit.stop('immediate')]);
  }
}

async function partitionsOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT tree.relid::regclass::text AS name FROM unnest($1::text[]) AS root, LATERAL pg_partition_tree(('bemi.' || root)::regclass) tree
      WHERE tree.isleaf`,
    [logTables],
  );
  return rows.map(({ name }) => name);
}

async function copyAway(client: pg.Client, partitions: readonly string[], format: string): Promise<void> {
  for (const partition of partitions) {
    const stream = client.query(copyTo(`COPY ${partition} TO STDOUT${format}`));
    stream.resume();
    await once(stream, 'end');
  }
}
