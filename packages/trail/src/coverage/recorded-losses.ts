import { parseLsn } from '@bemi-db/proof/lsn';
import type pg from 'pg';
import type { Coverage } from './coverage-document.ts';
import { type CoveragePayload, CoverageReader } from './coverage-entries.ts';
import { type CoverageLoss, coverageLosses } from './coverage-losses.ts';

/** Attested: what is no longer recorded, by the entries up to here, was looked at. */
export const reviewKind = 'coverage-review';

/** A loss that the entries of a log tell of. */
export interface RecordedLoss {
  readonly loss: CoverageLoss;
  readonly before: Coverage;
  /** Of the entry that shows it. */
  readonly sequence: number;
}

/** A coverage, and by what a DDL entry may have come before it or after. */
interface Said {
  readonly coverage: Coverage;
  readonly sequence: number;
}

interface NamedByDdl {
  readonly sequence: number;
  readonly commitLsn: bigint;
  readonly oid: number | undefined;
  readonly isPublication: boolean;
}

/** The sequence up to which somebody has attested that losses were looked at; 0 where nobody has. */
export async function lossesReviewedTo(client: pg.ClientBase, log: number): Promise<number> {
  const { rows } = await client.query<{ sequence: string | null }>(
    `SELECT max(sequence) AS sequence FROM bemi.event_log
      WHERE log = $1 AND kind = 'attestation' AND payload ->> 'kind' = $2`,
    [log, reviewKind],
  );
  return Number(rows[0]?.sequence ?? 0);
}

/**
 * What is recorded less than before, by the coverage entries of a log, where no DDL entry explains it, nothing has put it
 * right, and nobody has looked at it: what a worker that was there all the time has found. In case of doubt DDL explains
 * it: a worker that starts alarms nobody about what another one has judged.
 */
export async function recordedLosses(client: pg.ClientBase, log: number): Promise<readonly RecordedLoss[]> {
  const reviewedTo = await lossesReviewedTo(client, log);
  const { rows } = await client.query<{ sequence: string; payload: CoveragePayload }>(
    `SELECT sequence, payload FROM bemi.event_log
      WHERE log = $1 AND kind = 'coverage' AND payload IS NOT NULL AND payload ->> 'event' <> 'unchanged'
        AND sequence >= coalesce((SELECT max(sequence) FROM bemi.event_log
                                   WHERE log = $1 AND kind = 'coverage' AND payload ->> 'event' = 'whole'
                                     AND payload ->> 'part' = '1' AND sequence <= $2), 0)
      ORDER BY sequence`,
    [log, reviewedTo],
  );
  const found = changesIn(rows.map(({ sequence, payload }) => [Number(sequence), payload]));
  if (!found.some(({ losses }) => losses.length > 0)) return [];
  const ddl = await namedByDdl(client, log);
  let unexplained: RecordedLoss[] = [];
  for (const [index, { before, now, losses }] of found.entries()) {
    unexplained = unexplained.filter(({ loss, before: whole }) =>
      coverageLosses(whole, now.coverage).some((each) => isOfSame(each, loss)),
    );
    const until = found[index + 1]?.now.sequence ?? Number.POSITIVE_INFINITY;
    for (const loss of losses) {
      if (now.sequence <= reviewedTo || ddl.some((each) => explains(each, loss, before, now, until)))
        continue;
      unexplained = unexplained.filter((each) => !isOfSame(each.loss, loss));
      unexplained.push({ loss, before: before.coverage, sequence: now.sequence });
    }
  }
  return unexplained;
}

interface CoverageChange {
  readonly before: Said;
  readonly now: Said;
  readonly losses: readonly CoverageLoss[];
}

/** One coverage after the other, of those that are whole. */
function changesIn(entries: readonly (readonly [number, CoveragePayload])[]): readonly CoverageChange[] {
  const reader = new CoverageReader();
  const changes: CoverageChange[] = [];
  let before: Said | undefined;
  for (const [sequence, payload] of entries) {
    reader.add(payload, sequence);
    const { coverage, since } = reader;
    if (!coverage) continue;
    const now = { coverage: { ...coverage, tables: new Map(coverage.tables) }, sequence: since };
    if (before) changes.push({ before, now, losses: coverageLosses(before.coverage, now.coverage) });
    before = now;
  }
  return changes;
}

/** What was committed while the catalog was read is before or behind the entry that says what was read. */
function explains(ddl: NamedByDdl, loss: CoverageLoss, before: Said, now: Said, until: number): boolean {
  const names = loss.of === 'table' ? loss.oid === ddl.oid : loss.of === 'publication' && ddl.isPublication;
  if (!names) return false;
  const isLater =
    ddl.sequence > before.sequence || ddl.commitLsn >= (parseLsn(before.coverage.asOfLsn) ?? 0n);
  return isLater && (ddl.sequence < until || ddl.commitLsn < (parseLsn(now.coverage.asOfLsn) ?? 0n));
}

function isOfSame(one: CoverageLoss, other: CoverageLoss): boolean {
  return one.of === other.of && one.oid === other.oid;
}

async function namedByDdl(client: pg.ClientBase, log: number): Promise<readonly NamedByDdl[]> {
  const { rows } = await client.query<{
    sequence: string;
    commitLsn: string | null;
    oid: string | null;
    kind: string | null;
  }>(
    `SELECT e.sequence, e.payload ->> 'commitLsn' AS "commitLsn", coalesce(o -> 'table', o) ->> 'oid' AS oid,
            o ->> 'kind' AS kind
       FROM bemi.event_log e
      CROSS JOIN LATERAL json_array_elements(CASE json_typeof(e.payload #> '{message,objects}')
                                               WHEN 'array' THEN e.payload #> '{message,objects}' ELSE '[]' END) o
      WHERE e.log = $1 AND e.kind = 'ddl'
      ORDER BY e.sequence`,
    [log],
  );
  return rows.map(({ sequence, commitLsn, oid, kind }) => ({
    sequence: Number(sequence),
    commitLsn: (commitLsn === null ? undefined : parseLsn(commitLsn)) ?? 0n,
    oid: oid === null ? undefined : Number(oid),
    isPublication: kind?.startsWith('publication') ?? false,
  }));
}
