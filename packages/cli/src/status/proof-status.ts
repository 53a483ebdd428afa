import { resolve } from 'node:path';
import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { formatOrigin } from '@bemi-db/proof/origin';
import { directoryTarget } from '@bemi-db/worker/publication/directory-target';
import type { PublicationTarget } from '@bemi-db/worker/publication/publication-target';
import { publicationTargets } from '@bemi-db/worker/publication/publication-url';
import { readPublishedCheckpoints } from '@bemi-db/worker/publication/published-checkpoints';
import type pg from 'pg';
import type { Configuration } from '../configuration/configuration.ts';
import { stateDirectoryOf } from '../verification/run-verify.ts';

/** A place where checkpoints are kept, as `bemi status --json` shows it. */
export interface PublishedStatus {
  /** Never with credentials. */
  readonly where: string;
  /** Whether it is on another machine. */
  readonly isOffHost: boolean;
  /** Entries that its checkpoint covers; `null` where there is none, or it can't be read. */
  readonly size: number | null;
  /** Whether all that was signed more than a minute ago is covered. */
  readonly isCurrent: boolean;
  readonly problem: string | null;
}

/** How far a log is signed, and where that is kept. */
export interface ProofStatus {
  /** Entries that the last checkpoint covers. */
  readonly size: number;
  readonly signedAt: string;
  readonly published: readonly PublishedStatus[];
}

const patienceMs = 5_000;

/**
 * What a log's last checkpoint covers, and what the worker's directory and BEMI_CHECKPOINT_URL hold of it. `undefined`
 * while nothing is signed.
 */
export async function proofStatus(
  client: pg.ClientBase,
  log: number,
  configuration: Configuration,
): Promise<ProofStatus | undefined> {
  const { rows } = await client.query<{
    logId: string;
    generation: number;
    size: string;
    signedAt: Date;
    dueSize: string;
  }>(
    `SELECT l.log_id AS "logId", s.generation, f.size, f.signed_at AS "signedAt",
            CASE WHEN f.signed_at < clock_timestamp() - interval '1 minute' THEN f.size
                 ELSE coalesce((SELECT max(c.size) FROM bemi.checkpoints c
                                 WHERE c.log = l.log AND c.signed_at < clock_timestamp() - interval '1 minute'), 0)
            END AS "dueSize"
       FROM bemi.logs l JOIN bemi.sources s USING (log) JOIN bemi.frontier f USING (log) WHERE l.log = $1`,
    [log],
  );
  const row = rows[0];
  if (!row) return undefined;
  const targets = publishingTo(configuration);
  const { checkpoints, unread } = await readPublishedCheckpoints(
    targets,
    formatOrigin({ logId: row.logId, generation: row.generation }),
    AbortSignal.timeout(patienceMs),
  );
  const published = targets.map(({ name, isOffHost }): PublishedStatus => {
    const text = checkpoints.find(({ where }) => where === name)?.text;
    const size = text === undefined ? null : sizeOf(text);
    const problem = unread.find(({ where }) => where === name)?.problem.message ?? null;
    return { where: name, isOffHost, size, isCurrent: size !== null && size >= Number(row.dueSize), problem };
  });
  return { size: Number(row.size), signedAt: row.signedAt.toISOString(), published };
}

function publishingTo(configuration: Configuration): PublicationTarget[] {
  return [
    directoryTarget(resolve(stateDirectoryOf(configuration), 'checkpoints')),
    ...namedTargets(configuration).filter((target) => target.kind === 'files'),
  ];
}

/** Whether BEMI_CHECKPOINT_URL names a witness on another machine. */
export function hasWitness(configuration: Configuration): boolean {
  return namedTargets(configuration).some((target) => target.kind === 'witness' && target.isOffHost);
}

function namedTargets({
  checkpointToken,
  checkpointUrl,
}: Configuration): ReturnType<typeof publicationTargets> {
  return publicationTargets(checkpointUrl ?? '', {
    ...process.env,
    ...(checkpointToken === undefined ? {} : { BEMI_CHECKPOINT_TOKEN: checkpointToken }),
  });
}

function sizeOf(text: string): number | null {
  try {
    return parseCheckpoint(text).size;
  } catch {
    return null; // no checkpoint: verification says more
  }
}
