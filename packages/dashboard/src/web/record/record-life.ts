import { jsonMembers } from '@bemi-db/trail/facts/json-members';
import type { ChangeEntry, Entry } from '../../api/entry.ts';
import type { RecordState } from '../../api/record.ts';

/** Something that happened to a record: a change of it, a TRUNCATE of its table, or DDL of its table while it was there. */
export interface LifeEvent {
  readonly entry: Entry;
  /** Columns that the table has since the change before, and has no longer, as far as both rows are whole. */
  readonly columnsCome: readonly string[];
  readonly columnsGone: readonly string[];
}

/**
 * A record's life, the newest first.
 *
 * @param changes - of the record, the newest first; perhaps not the oldest ones.
 * @param ofTable - DDL and TRUNCATEs of its table, in any order. What happened to the table while the record was not there
 * is left out, and what was before the first of `changes`.
 */
export function recordLife(changes: readonly ChangeEntry[], ofTable: readonly Entry[]): LifeEvent[] {
  const all: Entry[] = [...changes, ...ofTable].sort(inOrder);
  const events: LifeEvent[] = [];
  let isThere = false;
  let columns: readonly string[] | undefined;
  for (const entry of all) {
    const isOfRecord = entry.kind === 'change' && entry.operation !== 'TRUNCATE';
    if (!isOfRecord && !isThere) continue;
    const current = isOfRecord ? wholeColumns(entry) : undefined;
    const both = columns !== undefined && current !== undefined;
    events.push({
      entry,
      columnsCome: both ? current.filter((name) => !columns!.includes(name)) : [],
      columnsGone: both ? columns!.filter((name) => !current.includes(name)) : [],
    });
    columns = current ?? columns;
    if (entry.kind === 'change') isThere = entry.operation === 'INSERT' || entry.operation === 'UPDATE';
    if (!isThere) columns = undefined;
  }
  return events.reverse();
}

/** The change that made the record what it was, and what it was: as far as the life that is known tells. */
export type KnownState = Pick<RecordState, 'state' | 'row' | 'sequence' | 'timestamp'>;

/** A moment: after an entry, or a time. Neither is now. */
export interface LifeMoment {
  readonly sequence?: string;
  readonly at?: string;
}

/**
 * The record as it was at a moment, read off its life, so that looking around in it costs no request. `undefined` where the
 * log has not the whole row in one entry, or the life is not known as far back: the server knows.
 *
 * @param isWhole - whether `life` reaches back to the record's first change.
 */
export function knownState(
  life: readonly LifeEvent[],
  isWhole: boolean,
  moment: LifeMoment,
): KnownState | undefined {
  const changes = life.flatMap(({ entry }) => (entry.kind === 'change' ? [entry] : []));
  const index = changes.findIndex((change) => isUpTo(change, moment));
  const change = changes[index];
  if (!change) return isWhole ? { state: 'unknown', row: null, sequence: null, timestamp: null } : undefined;
  const { sequence, timestamp } = change;
  switch (change.operation) {
    case 'DELETE':
      if (change.before !== null && change.beforeKind !== 'full') return undefined;
      return { state: 'deleted', row: change.before, sequence, timestamp };
    case 'TRUNCATE': {
      const last = changes[index + 1];
      const row = last && wholeColumns(last) ? last.after : undefined;
      return row === undefined ? undefined : { state: 'deleted', row, sequence, timestamp };
    }
    default:
      if (change.after === null) return { state: 'unknown', row: null, sequence, timestamp };
      if (wholeColumns(change) === undefined) return undefined;
      return { state: 'present', row: change.after, sequence, timestamp };
  }
}

function isUpTo({ sequence, timestamp }: ChangeEntry, moment: LifeMoment): boolean {
  if (moment.sequence !== undefined) return BigInt(sequence) <= BigInt(moment.sequence);
  return moment.at === undefined || Date.parse(timestamp) <= Date.parse(moment.at);
}

/** Names of the new row's columns, where it is sure to be whole: an UPDATE may leave out large values that it did not touch. */
function wholeColumns({ operation, beforeKind, after }: ChangeEntry): readonly string[] | undefined {
  if (after === null || (operation === 'UPDATE' && beforeKind !== 'full')) return undefined;
  return jsonMembers(after).map(({ name }) => name);
}

function inOrder(a: Entry, b: Entry): number {
  return BigInt(a.sequence) < BigInt(b.sequence) ? -1 : 1;
}
