/**
 * When a connection counts as dead though nobody has closed it: the network has swallowed an answer, or the question. TCP
 * itself notices after a quarter of an hour at best, and behind a proxy never.
 *
 * No time alone is a reason: an answer may wait for a lock, for a slow disk or for a synchronous standby, and cutting
 * that would only make it start again. So when not a byte has moved for a while, the server is asked on another
 * connection what it is doing for this one. It is dead if the server knows nothing of it, or itself waits for us.
 */

/** What the server says of its end of a connection, asked on another one. */
export type BackendSighting =
  /** It works, or waits for something of its own: a lock, a disk, a standby. */
  | 'working'
  /** It has nothing to do: it never got what we sent, or has answered. */
  | 'idle'
  /** It is in the middle of reading from us, or of writing to us. */
  | 'transferring'
  /** There is no such backend any more. */
  | 'gone'
  /** There was no way to ask. */
  | 'unreachable'
  /** The server answered, and would not say. */
  | 'unknown';

export interface LivenessTimings {
  /** A connection that is not complete after this long is given up. */
  readonly connectTimeoutMs: number;
  /** An answer is overdue, and nothing has moved, for this long: the server is asked. */
  readonly askAfterMs: number;
  /** What has nothing to do, is gone or can't be asked is dead after this long. */
  readonly deadAfterMs: number;
  /** And what is in the middle of a transfer: a slow network may still hold megabytes of ours. */
  readonly transferDeadAfterMs: number;
  /** A worker that has held a log for this long without a sign of life is replaced by one that waits for the log. */
  readonly replaceAfterMs: number;
}

export const livenessTimings: LivenessTimings = {
  connectTimeoutMs: 10_000,
  askAfterMs: 15_000,
  deadAfterMs: 30_000,
  transferDeadAfterMs: 120_000,
  replaceAfterMs: 120_000,
};

/** What to do about an answer that has been overdue, without a byte in either direction, for `silentMs`. */
export function decideLiveness(
  silentMs: number,
  sighting: BackendSighting | undefined,
  timings: LivenessTimings,
): 'wait' | 'ask' | 'dead' {
  if (silentMs < timings.askAfterMs) return 'wait';
  switch (sighting) {
    case 'idle':
    case 'gone':
    case 'unreachable':
      return silentMs >= timings.deadAfterMs ? 'dead' : 'ask';
    case 'transferring':
      return silentMs >= timings.transferDeadAfterMs ? 'dead' : 'ask';
    default:
      return 'ask';
  }
}

export interface BackendActivity {
  readonly state: string | null;
  readonly waitEventType: string | null;
  readonly waitEvent: string | null;
}

/**
 * Reads a row of pg_stat_activity.
 * @see https://www.postgresql.org/docs/current/monitoring-stats.html#WAIT-EVENT-TABLE
 */
export function sightingOf(row: BackendActivity | undefined): BackendSighting {
  if (!row) return 'gone';
  const { state, waitEventType, waitEvent } = row;
  if (state?.startsWith('idle')) return 'idle';
  if (waitEventType !== 'Client') return 'working';
  // A walsender's state is always "active". While it waits for WAL it answers when it is asked to, so it has.
  return waitEvent?.toLowerCase() === 'walsenderwaitforwal' ? 'idle' : 'transferring';
}
