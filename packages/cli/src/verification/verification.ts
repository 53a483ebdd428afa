import { formatOrigin } from '@bemi-db/proof/origin';
import type { StoredFinding } from '@bemi-db/trail/verify/stored-finding';
import {
  type PausedVerification,
  type StepReader,
  type StoredLogReport,
  type VerifiedPart,
  verifyStoredLog,
} from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import type { ChosenLog } from '../trail-reading/choose-log.ts';
import { type EntryPlace, entryPlace } from './entry-place.ts';
import type { KeptCheckpoint, UnreadPlace } from './kept-checkpoints.ts';
import type { ReadPart } from './kept-progress.ts';
import { keyHistory, type LogKey } from './key-history.ts';
import type { KnownKey } from './known-keys.ts';
import { pinpoint } from './pinpoint.ts';

/** What a verification was given from outside of the audit database. */
export interface Evidence {
  readonly keys: readonly KnownKey[];
  readonly checkpoints: readonly KeptCheckpoint[];
  readonly unread: readonly UnreadPlace[];
  /** Directories with tiles that the worker published. */
  readonly tileFolders: readonly string[];
  /** Checkpoints that were not compared: they came when the log had been read beyond them. */
  readonly lateCheckpoints?: number;
}

export interface PlacedFinding {
  readonly finding: StoredFinding;
  readonly place: EntryPlace | undefined;
}

/** A verified log: what was found, and against what it was held. */
export interface Verification {
  readonly log: ChosenLog;
  readonly origin: string;
  readonly report: StoredLogReport;
  readonly findings: readonly PlacedFinding[];
  readonly evidence: Evidence;
  readonly keys: readonly LogKey[];
  /** The checkpoint from outside that proves most; `undefined` where none does. */
  readonly provenBy: KeptCheckpoint | undefined;
  /** What was read before the verification was interrupted, and not again. */
  readonly parts: readonly ReadPart[];
  /** Entries that were read by this run. */
  readonly entriesRead: number;
  readonly startedAt: Date;
  readonly elapsedMs: number;
}

export interface VerificationOptions {
  readonly client: pg.ClientBase;
  readonly log: ChosenLog;
  readonly origin: string;
  /** Read before the log is: what a worker signs meanwhile is not held against what was read before. */
  readonly evidence: Evidence;
  readonly isInTransaction?: boolean;
  readonly readers?: readonly StepReader[];
  readonly onProgress?: (done: number, total: number, part: VerifiedPart) => void;
  /** Where it was interrupted, and what had been read. */
  readonly from?: { readonly paused: PausedVerification; readonly parts: readonly ReadPart[] } | undefined;
  readonly onPause?: (pause: () => PausedVerification) => void;
  readonly signal?: AbortSignal;
}

/** So many findings are looked up; a log that was rewritten has millions. */
const mostPlaced = 50;

/** Verifies a stored log against what is known from outside. */
export async function verifyLog(options: VerificationOptions): Promise<Verification> {
  const { client, log, origin, evidence, from, isInTransaction, readers, onProgress, signal } = options;
  const startedAt = new Date();
  const startedMs = performance.now();
  const report = await verifyStoredLog({
    client,
    log: log.log,
    keys: evidence.keys.map(({ key }) => key),
    // In the order in which the tree meets them.
    checkpoints: [...evidence.checkpoints]
      .sort((a, b) => a.checkpoint.size - b.checkpoint.size)
      .map(({ text }) => text),
    ...(isInTransaction === undefined ? {} : { isInTransaction }),
    ...(readers === undefined ? {} : { readers }),
    ...(onProgress === undefined ? {} : { onProgress }),
    from: from?.paused,
    onPause: options.onPause,
    ...(signal === undefined ? {} : { signal }),
  });
  const findings: PlacedFinding[] = [];
  for (const found of report.findings) {
    const finding = (await pinpoint(client, log.log, found, evidence, report.size)) ?? found;
    const place = findings.length < mostPlaced ? await entryPlace(client, log.log, finding) : undefined;
    findings.push({ finding, place });
  }
  const { provenSize } = report;
  return {
    ...{ log, origin, report, findings, evidence, startedAt },
    keys: keyHistory(report.facts.events, evidence.keys),
    provenBy:
      provenSize > 0
        ? evidence.checkpoints.find(({ checkpoint }) => checkpoint.size === provenSize)
        : undefined,
    parts: from?.parts ?? [],
    entriesRead: report.entries - (from?.paused.verifier.entries ?? 0),
    elapsedMs: performance.now() - startedMs,
  };
}

/**
 * SQL for the generation of a log `l` whose source, if it has one, is `s`: without one, what its own `gap` events say.
 */
export function generationOf(log: 'l'): string {
  return `coalesce(s.generation, (SELECT max((e.payload->>'generation')::integer) FROM bemi.event_log e
                                   WHERE e.log = ${log}.log AND e.kind = 'gap'), 1)`;
}

/** The origin of a log's checkpoints in its present generation. */
export async function originOf(client: pg.ClientBase, log: number): Promise<string> {
  const { rows } = await client.query<{ logId: string; generation: number }>(
    `SELECT l.log_id AS "logId", ${generationOf('l')} AS generation
       FROM bemi.logs l LEFT JOIN bemi.sources s USING (log) WHERE l.log = $1`,
    [log],
  );
  return formatOrigin(rows[0]!);
}
