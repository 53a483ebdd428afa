import { parseConnectionString } from '@bemi-db/source/connection-string';
import { countChanges, indexChanges, readIndexProgress } from '@bemi-db/trail/partitions';
import { connect } from '@bemi-db/worker/connections';
import { explainProblem } from '@bemi-db/worker/problem';
import type pg from 'pg';
import type { Logger } from 'pino';
import { hasBar, progressBar } from '../output/progress-bar.ts';
import type { Destination } from './configured-worker.ts';
import type { Pipeline } from './pipeline.ts';

export interface IndexDrainedOptions {
  readonly destination: Pick<Destination, 'url' | 'setWith'>;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** Blocks of 1,024 entries in one step: a second, at most, in which it can't be ended and nothing can be erased. */
const stepBlocks = 16;
/** Between two lines of a log that nobody draws a bar for. */
const sayMs = 10_000;

/**
 * Puts what was drained into the index that searches use, and counts it: a worker that goes on running does so beside
 * recording, and this one ends. Everything is recorded by now, and no slot or log is held: what is in the way of this is
 * said, and left to the next worker.
 */
export async function indexDrained(
  drained: readonly Pick<Pipeline, 'name' | 'logger'>[],
  { destination, signal, logger }: IndexDrainedOptions,
): Promise<void> {
  const target = parseConnectionString(destination.url, destination.setWith);
  try {
    const connection = await connect(target, 'worker: index');
    try {
      for (const each of drained) {
        if (!signal.aborted) await indexLog(connection.client, each, signal);
      }
    } finally {
      await connection.close();
    }
  } catch (error) {
    const attempt = { database: 'audit', phase: 'write', target: target.target } as const;
    const { code, message, fix } = explainProblem(error, attempt);
    logger.warn({ code, fix }, `Not all that is recorded is indexed for searches: ${message}`);
  }
  if (signal.aborted)
    logger.info('Everything is recorded. Not all is indexed for searches: the next worker goes on with it');
}

async function indexLog(
  client: pg.ClientBase,
  { name, logger }: Pick<Pipeline, 'name' | 'logger'>,
  signal: AbortSignal,
): Promise<void> {
  const first = await readIndexProgress(client, name);
  if (!first) return;
  const { log } = first;
  const startedMs = performance.now();
  let saidMs = startedMs;
  const bar = progressBar(process.stderr, `Indexing ${name} for searches`);
  let { indexed } = first;
  let isDone = false;
  try {
    while (!isDone && !signal.aborted) {
      isDone = (await indexChanges(client, log, stepBlocks)) && (await countChanges(client, log, stepBlocks));
      const now = (await readIndexProgress(client, name)) ?? first;
      indexed = now.indexed;
      bar.update(indexed - first.indexed, now.end - first.indexed);
      if (performance.now() - saidMs < sayMs || hasBar(process.stderr)) continue;
      saidMs = performance.now();
      logger.info({ entries: indexed - first.indexed, of: now.end - first.indexed }, 'Indexing for searches');
    }
  } finally {
    bar.end();
  }
  const entries = indexed - first.indexed;
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  if (isDone && entries > 0) logger.info({ entries, seconds }, 'Indexed for searches');
}
