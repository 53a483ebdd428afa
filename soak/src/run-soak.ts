import { setTimeout as delay } from 'node:timers/promises';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { runRandomWorkload } from '@bemi-db/test-kit/random-workload/run-random-workload';
import { type SeededRandom, seededRandom } from '@bemi-db/test-kit/random-workload/seeded-random';
import type { WorkloadCounts } from '@bemi-db/test-kit/random-workload/workload-counts';
import { isMarkerRecorded, writeMarker } from '@bemi-db/test-kit/replay-oracle/end-marker';
import { ReplayOracle } from '@bemi-db/test-kit/replay-oracle/replay-oracle';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { faults } from './faults.ts';
import { keptCheckpoints } from './kept-checkpoints.ts';
import { openSoakScene, type SoakScene } from './soak-scene.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Breaks the rule that nothing is confirmed before it is durable: a loss must be found. Default false. */
  readonly isBroken?: boolean;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

export interface SoakResult {
  readonly seed: number;
  rounds: number;
  /** Transactions and changes of the log that were held against the source, each once. */
  transactions: number;
  changes: number;
  /** Entries of the log at the end, each verified against every checkpoint. */
  entries: number;
  /** What the clients saw. */
  readonly clients: Pick<WorkloadCounts, 'committed' | 'rolledBack' | 'unknown' | 'reconnects' | 'prepared'>;
  /** How often each fault struck. */
  readonly faults: Record<string, number>;
  /** Those of the last round, in order. */
  lastFaults: string[];
  /** How often the worker failed at each of its failpoints. */
  readonly failpoints: Record<string, number>;
  /** The first difference, in words. */
  difference: string | undefined;
}

const roundMs = 15_000;
const brokenRoundMs = 8_000;
const recordPatienceMs = 180_000;
const failureProbability = 0.004;

/**
 * Random clients write, faults strike, a worker records; every some seconds the clients stop, and the log is held against
 * its source: each transaction, each table, each proof. Until the time is over, or something differs.
 */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { seed, signal, isBroken = false, report } = options;
  const result: SoakResult = {
    seed,
    rounds: 0,
    transactions: 0,
    changes: 0,
    entries: 0,
    clients: { committed: 0, rolledBack: 0, unknown: 0, reconnects: 0, prepared: 0 },
    faults: {},
    lastFaults: [],
    failpoints: {},
    difference: undefined,
  };
  const random = seededRandom(seed);
  const scene = await openSoakScene({
    seed,
    isBroken,
    failureProbability,
    onFailpoint: (name) => count(result.failpoints, name),
  });
  const oracle = new ReplayOracle();
  const endAt = performance.now() + options.minutes * 60_000;
  try {
    scene.startWorker();
    await untilBegun(scene);
    while (result.difference === undefined && performance.now() < endAt && !signal.aborted) {
      const lastsMs = Math.min(isBroken ? brokenRoundMs : roundMs, endAt - performance.now());
      result.difference =
        (await strikeWhileWriting(scene, random.fork(result.rounds), lastsMs, result, signal)) ??
        (await compare(scene, oracle, result));
      result.rounds++;
      report(roundText(result));
    }
    return result;
  } finally {
    await scene.close();
  }
}

/** Faults strike at a log that there is. */
async function untilBegun({ audit }: SoakScene): Promise<void> {
  const deadline = performance.now() + recordPatienceMs;
  while (performance.now() < deadline) {
    const [row] = await audit.query(`SELECT to_regclass('bemi.logs') IS NOT NULL AS "isThere"`);
    if (row!['isThere'] === true) return;
    await delay(100);
  }
  throw new Error('The worker made no log');
}

/** A round of clients and faults. @returns why the worker refused to go on, if it did. */
async function strikeWhileWriting(
  scene: SoakScene,
  random: SeededRandom,
  lastsMs: number,
  result: SoakResult,
  signal: AbortSignal,
): Promise<string | undefined> {
  const endAt = performance.now() + lastsMs;
  result.lastFaults = [];
  const stop = new AbortController();
  const writing = runRandomWorkload({
    url: scene.source.url(),
    seed: random.below(2 ** 31),
    signal: stop.signal,
    clients: 4,
  });
  writing.catch(() => undefined);
  try {
    while (performance.now() < endAt && !signal.aborted) {
      await delay(random.between(100, 1_500));
      const fault = random.pickWeighted(faults);
      result.lastFaults.push(fault.name);
      await fault.strike(scene, random);
      count(result.faults, fault.name);
      const refused = await whyEnded(scene);
      if (refused !== undefined) return refused;
    }
  } finally {
    stop.abort();
    const counts = await writing;
    for (const name of ['committed', 'rolledBack', 'unknown', 'reconnects', 'prepared'] as const) {
      result.clients[name] += counts[name];
    }
  }
  return undefined;
}

/** A worker only ends by itself when it refuses to go on. */
async function whyEnded({ worker }: SoakScene): Promise<string | undefined> {
  return await Promise.race([
    worker.ended.then((why) => why && `The worker refuses to go on: ${why}`),
    delay(0, undefined),
  ]);
}

/** Waits until all is recorded, and holds the log against the source. @returns the first difference. */
async function compare(
  scene: SoakScene,
  oracle: ReplayOracle,
  result: SoakResult,
): Promise<string | undefined> {
  const source = await scene.source.connect();
  const audit = await scene.audit.connect();
  try {
    const marker = await writeMarker(source);
    const deadline = performance.now() + recordPatienceMs;
    while (!(await isMarkerRecorded(audit, marker).catch(() => false))) {
      const refused = await whyEnded(scene);
      if (refused !== undefined) return refused;
      if (performance.now() > deadline) {
        const faultsSoFar = result.lastFaults.join(', ');
        return `Not everything is recorded after ${recordPatienceMs / 1000} s; the worker said last: ${scene.worker.said}; faults: ${faultsSoFar}`;
      }
      await delay(50);
    }
    while (!(await isRemembered(scene, audit))) {
      if (performance.now() > deadline)
        return `The worker does not remember what it signed; it said last: ${scene.worker.said}`;
      await delay(50);
    }
    await scene.worker.end('SIGTERM');
    const { transactions, changes, difference } = await oracle.compareAndPrune(source, audit);
    result.transactions += transactions;
    result.changes += changes;
    if (difference !== undefined) return difference;
    result.entries = (await verifyLogStructure(audit)).entries;
    const checkpoints = await checkpointsOf(scene, audit);
    const { findings, provenSize, size } = await verifyStoredLog({
      client: audit,
      log: 0,
      keys: [],
      checkpoints,
    });
    if (findings.length > 0) return `The log does not verify: ${JSON.stringify(findings[0])}`;
    if (provenSize !== size) return `The log has ${size} entries, and checkpoints prove ${provenSize}`;
    scene.startWorker();
    return undefined;
  } catch (error) {
    return `${error instanceof Error ? error.message : error}`;
  } finally {
    await source.end();
    await audit.end();
  }
}

async function checkpointsOf({ stateDirectory, name }: SoakScene, audit: pg.Client): Promise<string[]> {
  const { rows } = await audit.query<{ log_id: string }>('SELECT log_id FROM bemi.logs WHERE log = 0');
  return keptCheckpoints(stateDirectory, name, rows[0]!.log_id);
}

/** Between a commit and the checkpoint's line beside the key the worker may fail; its next session makes up for it. */
async function isRemembered(scene: SoakScene, audit: pg.Client): Promise<boolean> {
  const { rows } = await audit.query<{ size: string }>(
    'SELECT next_sequence AS size FROM bemi.logs WHERE log = 0',
  );
  const sizes = (await checkpointsOf(scene, audit)).map((text) => Number(text.split('\n')[1]));
  return Math.max(...sizes) >= Number(rows[0]!.size);
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function roundText({ rounds, transactions, changes, entries, faults: struck }: SoakResult): string {
  const all = Object.values(struck).reduce((sum, each) => sum + each, 0);
  const [t, c, e] = [transactions, changes, entries].map((each) => each.toLocaleString('en'));
  return `round ${rounds}: ${t} transactions and ${c} changes compared, ${e} entries verified, ${all} faults so far`;
}
