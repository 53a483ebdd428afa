import { randomBytes } from 'node:crypto';
import type pg from 'pg';

/** What the audit database knows about a source. LSNs and 64-bit numbers are text, exact. */
export interface SourceState {
  readonly log: number;
  /** 16 bytes in hexadecimal: part of the origin of its checkpoints. */
  readonly logId: string;
  readonly systemIdentifier: string;
  readonly database: string;
  readonly slot: string;
  readonly publication: string;
  readonly generation: number;
  readonly timeline: number;
  readonly completeFromLsn: string;
  readonly lastFinalLsn: string;
  readonly confirmedLsn: string;
  /** Where the last `gap` or `skip` event says that recording goes on; `0/0` without one. */
  readonly resumedLsn: string;
  /** final_lsn of the last transaction of earlier generations; `0/0` in the first. */
  readonly previousFinalLsn: string;
  /** All that was committed before it is in the log, or an event says why not. */
  readonly coveredLsn: string;
  readonly nextSequence: number;
}

export interface NewSource {
  /** Unique among the logs of an audit database. */
  readonly name: string;
  readonly systemIdentifier: string;
  readonly database: string;
  readonly slot: string;
  readonly publication: string;
  readonly timeline: number;
  /** Position of the slot when recording begins: the log is complete from there. */
  readonly completeFromLsn: string;
}

/** The source that a log with this name records, or `undefined` where there is none yet. */
export async function findSource(client: pg.ClientBase, name: string): Promise<SourceState | undefined> {
  const { rows } = await client.query<Omit<SourceState, 'nextSequence'> & { nextSequence: string }>(
    `SELECT s.log, l.log_id AS "logId", s.system_identifier AS "systemIdentifier", s.database, s.slot, s.publication, s.generation,
            s.timeline, s.complete_from_lsn::text AS "completeFromLsn", s.last_final_lsn::text AS "lastFinalLsn",
            s.confirmed_lsn::text AS "confirmedLsn", l.next_sequence AS "nextSequence",
            s.resumed_lsn::text AS "resumedLsn", s.previous_final_lsn::text AS "previousFinalLsn",
            greatest(s.resumed_lsn,
                     coalesce((SELECT CASE WHEN t.generation = s.generation THEN t.end_lsn END
                                 FROM bemi.transaction_log t WHERE t.log = s.log ORDER BY t.sequence DESC LIMIT 1),
                              CASE WHEN s.resumed_lsn = '0/0' THEN s.complete_from_lsn END))::text AS "coveredLsn"
       FROM bemi.logs l JOIN bemi.sources s USING (log)
      WHERE l.name = $1`,
    [name],
  );
  const row = rows[0];
  return row && { ...row, nextSequence: safeInteger(row.nextSequence) };
}

/** Starts the log of a source, with its first partitions. A second call with the same name changes nothing. */
export async function createSource(client: pg.ClientBase, source: NewSource): Promise<void> {
  await client.query('SELECT bemi.create_source($1, $2, $3, $4, $5, $6, $7, $8)', [
    source.name,
    randomBytes(16).toString('hex'),
    source.systemIdentifier,
    source.database,
    source.slot,
    source.publication,
    source.timeline,
    source.completeFromLsn,
  ]);
}

/** A recorded transaction, to be compared with one that the source sends again. */
export interface RecordedTransaction {
  readonly generation: number;
  readonly commitLsn: string;
  readonly xid: string;
  /** Microseconds since 2000-01-01 UTC. */
  readonly committedAtMicros: string;
}

/**
 * Up to `limit` recorded transactions at or after a position, ordered by their commit LSN. Those of one position are
 * all there: generations of a source that was restored may each have one.
 */
export async function recordedTransactions(
  client: pg.ClientBase,
  log: number,
  fromLsn: string,
  limit: number,
): Promise<RecordedTransaction[]> {
  const { rows } = await client.query<RecordedTransaction>(
    `SELECT generation, commit_lsn::text AS "commitLsn", xid::text,
            (extract(epoch FROM date_trunc('second', committed_at) - timestamptz '2000-01-01 00:00:00Z')::bigint * 1000000
             + extract(microseconds FROM committed_at)::bigint % 1000000)::text AS "committedAtMicros"
       FROM bemi.transaction_log
      WHERE log = $1 AND commit_lsn >= $2::pg_lsn
      ORDER BY commit_lsn LIMIT $3`,
    [log, fromLsn, limit],
  );
  if (rows.length < limit) return rows;
  // The limit may have cut off some of the last position.
  const last = rows.at(-1)!.commitLsn;
  const first = rows.findIndex(({ commitLsn }) => commitLsn === last);
  return first > 0 ? rows.slice(0, first) : rows;
}

/** Makes this process the log's writer; whoever wrote before is fenced off. Returns the new epoch. */
export async function takeOver(client: pg.ClientBase, log: number): Promise<string> {
  const { rows } = await client.query<{ epoch: string }>('SELECT bemi.take_over($1) AS epoch', [log]);
  const epoch = rows[0]?.epoch;
  if (epoch === undefined) throw new Error(`There is no log ${log}`);
  return epoch;
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`Sequence ${text} is beyond what this version can count`);
  return value;
}
