import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Notice } from '@bemi-db/proof/finding';
import { type LogReport, LogVerifier, type LogVerifierState } from '@bemi-db/proof/log-verifier';
import { sha256Into, verifyEd25519 } from '@bemi-db/proof/node-crypto';
import { TILE_WIDTH } from '@bemi-db/proof/tile-tree';
import type { VerifierKey } from '@bemi-db/proof/verifier-key';
import type pg from 'pg';
import type { EntryChunk } from '../entries/entry-chunk.ts';
import { readEntries } from '../entries/read-entries.ts';
import { LogFacts, type LogFactsState } from './log-facts.ts';
import type { StoredFinding } from './stored-finding.ts';
import { strayEntries, strayTiles } from './stray-entries.ts';
import { verifyHolds } from './verify-holds.ts';
import { verifyIndex } from './verify-index.ts';
import { verifyRelations } from './verify-relations.ts';
import { verifySource } from './verify-source.ts';
import { verifyView } from './verify-view.ts';

export interface VerifyLogOptions {
  /** Nobody else uses it meanwhile. It may read, and needs no other right. */
  readonly client: pg.ClientBase;
  readonly log: number;
  /** Keys of the log that are known from elsewhere. Without any, those that the log names are believed. */
  readonly keys: readonly VerifierKey[];
  /** Checkpoints that were kept elsewhere, as texts. */
  readonly checkpoints: readonly string[];
  /** The client is in a transaction, and what that sees is verified. Default: each step is one of its own. */
  readonly isInTransaction?: boolean;
  /**
   * Who reads the steps, in turn, each one at a time: for instance threads with connections of their own. Default: the
   * client alone, which reads ahead by one.
   */
  readonly readers?: readonly StepReader[];
  /** Called after each step with the entries that are done, and how many there are, in each part of it. */
  readonly onProgress?: (done: number, total: number, part: VerifiedPart) => void;
  /** What an interrupted verification of this log got to: this one goes on from there, and reads nothing before again. */
  readonly from?: PausedVerification | undefined;
  /** Called after each step from which the verification can be continued. */
  readonly onPause?: ((paused: () => PausedVerification) => void) | undefined;
  readonly signal?: AbortSignal;
  /** Whether the index that searches use is compared with the entries, where these are whole. Default true. */
  readonly isIndexCompared?: boolean;
}

/** What of a log is verified: its entries, then the index that searches use, against them. */
export type VerifiedPart = 'entries' | 'index';

/**
 * A verification between two steps, as plain data: objects, arrays, texts, numbers, bigints and byte arrays. There are
 * neither rows nor keys of rows nor contexts in it.
 */
export interface PausedVerification {
  /** Entries that are verified. */
  readonly at: number;
  readonly verifier: LogVerifierState;
  readonly facts: LogFactsState;
}

/** What was verified, and what was found. */
export interface StoredLogReport extends Omit<LogReport, 'findings' | 'notices'> {
  readonly findings: readonly StoredFinding[];
  readonly notices: readonly Notice[];
  /** Entries that the log has by its own account. */
  readonly size: number;
  /** Whether the view `bemi.changes` could be compared with its definition. */
  readonly isViewCompared: boolean;
  readonly facts: LogFacts;
}

/** Entries that are read in one step: those of a tile of level 1. */
const stepEntries = TILE_WIDTH * TILE_WIDTH;
const sliceEntries = 2_048;

/**
 * Verifies a log as it is stored: reads every entry again, makes its record, and gives it with tiles and checkpoints to
 * the verifier of docs/spec/log.md; then compares the tables that the view joins with what the log's events say.
 *
 * Each step reads in a transaction of its own: the log only grows, and one long snapshot would keep the rows that its
 * writer updates from being cleaned up.
 */
export async function verifyStoredLog(options: VerifyLogOptions): Promise<StoredLogReport> {
  const { client, log, onProgress, onPause, from: paused, signal, isInTransaction = false } = options;
  const ownReader: StepReader = (from, to) => readStep(client, log, from, to, isInTransaction);
  const readers = options.readers?.length ? options.readers : [ownReader];
  let end = await readEnd(client, log);
  const verifier = new LogVerifier({
    hash: sha256Into,
    verify: verifyEd25519,
    keys: options.keys,
    outside: options.checkpoints,
    saved: paused?.verifier,
  });
  const facts = new LogFacts(paused?.facts);
  for (let from = paused?.at ?? 0; ; ) {
    for await (const { to, tiles, checkpoints, chunk } of readSteps(readers, from, end.size)) {
      signal?.throwIfAborted();
      for (const { level, index, hashes } of tiles) verifier.tile(level, index, hashes);
      for (const checkpoint of checkpoints) verifier.checkpoint(checkpoint);
      if (to === end.size && end.checkpoint !== undefined) verifier.checkpoint(end.checkpoint);
      await giveEntries(chunk, verifier, facts);
      // Of what retention has dropped there is nothing but tiles.
      if (to < end.size) verifier.settleTiles(to);
      await verifier.settle();
      onProgress?.(to, end.size, 'entries');
      if (to < end.size && to % TILE_WIDTH === 0)
        onPause?.(() => ({ at: to, verifier: verifier.save(), facts: facts.save() }));
    }
    // What was erased or dropped meanwhile is explained by an event behind the end, which is verified then too.
    if (!(await isRemovedAfter(client, log, end.size))) break;
    from = end.size;
    end = await readEnd(client, log);
  }
  const report = await verifier.finish({
    size: end.size,
    ...(end.frontier ? { frontier: end.frontier } : {}),
  });
  const view = await inSnapshot(client, isInTransaction ? 'none' : 'may-write', () =>
    verifyView(client),
  ).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === noWritesOnStandby) return undefined;
    throw error;
  });
  const findings: StoredFinding[] = [
    ...report.findings,
    ...(await strayEntries(client, log)),
    ...(await strayTiles(client, log)),
    ...(await verifyRelations(client, log, facts.relations, end.size)),
    ...(await verifySource(client, log, facts.source)),
    ...(await verifyHolds(client, log, facts.events, end.size)),
    ...(view ?? []),
  ];
  // Of entries that were altered, the index says only that again.
  if (findings.length === 0 && (options.isIndexCompared ?? true))
    findings.push(
      ...(await verifyIndex(client, log, signal, (done, total) => onProgress?.(done, total, 'index'))),
    );
  findings.sort((a, b) => rankOf(a) - rankOf(b) || placeOf(a) - placeOf(b));
  return { ...report, findings, size: end.size, isViewCompared: view !== undefined, facts };
}

/** Whether an event says that something was taken out of the log after it ended here. */
async function isRemovedAfter(client: pg.ClientBase, log: number, size: number): Promise<boolean> {
  const { rows } = await client.query<{ removed: boolean }>(
    `SELECT EXISTS (SELECT FROM bemi.event_log e JOIN bemi.logs l USING (log)
                     WHERE e.log = $1 AND e.sequence >= $2 AND e.sequence < l.next_sequence
                       AND e.kind IN ('erasure', 'retention')) AS removed`,
    [log, size],
  );
  return rows[0]!.removed;
}

interface StoredEnd {
  readonly size: number;
  readonly frontier: Uint8Array | undefined;
  readonly checkpoint: string | undefined;
}

/** Where the log ends by its own account, and what is signed there. */
async function readEnd(client: pg.ClientBase, log: number): Promise<StoredEnd> {
  const { rows } = await client.query<{
    next: string;
    hashes: Buffer | null;
    checkpoint: string | null;
  }>(
    `SELECT l.next_sequence AS next, f.hashes, f.checkpoint
       FROM bemi.logs l LEFT JOIN bemi.frontier f USING (log) WHERE l.log = $1`,
    [log],
  );
  const row = rows[0];
  if (!row) throw new Error(`There is no log ${log}`);
  return {
    size: Number(row.next),
    frontier: row.hashes ?? undefined,
    checkpoint: row.checkpoint ?? undefined,
  };
}

const begin = {
  reads: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  'may-write': 'BEGIN READ WRITE',
} as const;

/** feature_not_supported: BEGIN READ WRITE while the server recovers */
const noWritesOnStandby = '0A000';

async function inSnapshot<T>(
  client: pg.ClientBase,
  transaction: keyof typeof begin | 'none',
  work: () => Promise<T>,
): Promise<T> {
  if (transaction === 'none') return await work();
  await client.query(begin[transaction]);
  try {
    return await work();
  } finally {
    await client.query('COMMIT').catch(() => undefined);
  }
}

/** What is stored of a range of entries. It can be sent from one thread to another. */
export interface StoredStep {
  /** Behind the step's last entry. */
  readonly to: number;
  readonly tiles: readonly StoredTile[];
  readonly checkpoints: readonly string[];
  readonly chunk: Pick<
    EntryChunk,
    'from' | 'count' | 'records' | 'starts' | 'ends' | 'payloads' | 'erased' | 'duplicates'
  >;
}

export type StepReader = (from: number, to: number) => Promise<StoredStep>;

export interface StoredTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
}

/** Reads what is stored of the entries in [from, to), in a transaction of its own unless the client is in one. */
export async function readStep(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
  isInTransaction = false,
): Promise<StoredStep> {
  return await inSnapshot(client, isInTransaction ? 'none' : 'reads', async () => ({
    to,
    tiles: await readTiles(client, log, from, to),
    checkpoints: await readCheckpoints(client, log, from, to),
    chunk: await readEntries(client, log, from, to),
  }));
}

/** Everything that is stored, in order. While a step is verified, the next ones arrive: one from each reader. */
async function* readSteps(
  readers: readonly StepReader[],
  start: number,
  size: number,
): AsyncGenerator<StoredStep> {
  const coming: Promise<StoredStep>[] = [];
  let at = start;
  let turn = 0;
  const readAhead = (): void => {
    while (coming.length < readers.length && at < size) {
      const to = Math.min(at + stepEntries, size);
      // In turn, and steps are taken in order: whose turn it is has finished its last one.
      const step = readers[turn++ % readers.length]!(at, to);
      step.catch(() => undefined); // it is told when its turn comes
      coming.push(step);
      at = to;
    }
  };
  readAhead();
  try {
    for (let next = coming.shift(); next !== undefined; next = coming.shift()) {
      const step = await next;
      readAhead();
      yield step;
    }
  } finally {
    await Promise.allSettled(coming); // whoever stops early gets the connections back at rest
  }
}

/** The stored tiles that end in a range of entries, of every level. */
async function readTiles(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
): Promise<StoredTile[]> {
  const { rows } = await client.query<{ level: number; index: string; hashes: Buffer }>(
    // Level by level, so that the primary key serves each: a log has many tiles.
    `SELECT t.level, t.index, t.hashes
       FROM generate_series(0, 6) AS step(level),
            LATERAL (SELECT (256 ^ (step.level + 1))::bigint AS entries) tile,
            LATERAL (SELECT * FROM bemi.tiles t WHERE t.log = $1 AND t.level = step.level::smallint
                        AND t.index >= $2::bigint / tile.entries AND t.index < $3::bigint / tile.entries) t
      ORDER BY t.level, t.index`,
    [log, from, to],
  );
  return rows.map(({ level, index, hashes }) => ({ level, index: Number(index), hashes }));
}

async function readCheckpoints(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
): Promise<string[]> {
  const { rows } = await client.query<{ checkpoint: string }>(
    'SELECT checkpoint FROM bemi.checkpoints WHERE log = $1 AND size > $2 AND size <= $3 ORDER BY size',
    [log, from, to],
  );
  return rows.map(({ checkpoint }) => checkpoint);
}

/** In slices, so that what arrives meanwhile is taken from the socket. */
async function giveEntries(
  chunk: StoredStep['chunk'],
  verifier: LogVerifier,
  facts: LogFacts,
): Promise<void> {
  const duplicates = new Map(chunk.duplicates.map((duplicate) => [duplicate.sequence, duplicate.record]));
  for (let first = 0; first < chunk.count; first += sliceEntries) {
    const last = Math.min(first + sliceEntries, chunk.count);
    for (let index = first; index < last; index++) {
      const end = chunk.ends[index]!;
      if (end === 0) continue;
      const payload = chunk.payloads.get(index);
      const isErased = chunk.erased.has(index);
      verifier.entry(chunk.records, chunk.starts[index]!, end, payload, isErased);
      facts.entry(chunk.records, chunk.starts[index]!, end, payload, isErased);
      const duplicate = duplicates.get(chunk.from + index);
      if (duplicate) verifier.entry(duplicate, 0, duplicate.length);
    }
    await nextTurn();
  }
}

const ranks: Partial<Record<StoredFinding['code'], number>> = {
  'rolled-back': 1,
  forked: 1,
  'other-log': 1,
  'untrusted-key': 1,
  'wrong-key': 1,
  'bad-rotation': 1,
  // Where a table's description was cut off with the end of the log, what the view shows it under remains.
  'relation-altered': 2,
  'hold-altered': 2,
  'broken-start': 2,
  'broken-transaction': 2,
  'unknown-relation': 2,
  'malformed-record': 2,
  'malformed-event': 2,
  'coverage-gap': 2,
  'wrong-generation': 2,
  'tile-altered': 3,
  'tile-missing': 3,
  'frontier-altered': 3,
  'malformed-checkpoint': 3,
  unsigned: 4,
};

/** What is wrong with an entry comes first, then what follows from it: for checkpoints, other entries, the tree. */
function rankOf({ code }: StoredFinding): number {
  return ranks[code] ?? 0;
}

/** Where in the log a finding is, for the first one to come first. */
function placeOf(finding: StoredFinding): number {
  if ('sequence' in finding) return finding.sequence;
  if ('size' in finding) return finding.size;
  if ('index' in finding) return finding.index * TILE_WIDTH ** (finding.level + 1);
  return Number.POSITIVE_INFINITY;
}
