import { formatLsn, type Lsn, parseLsn } from '@bemi-db/replication/lsn';
import type { SlotSnapshot } from '@bemi-db/source/source-snapshot';
import type { SourceState } from '@bemi-db/trail/sources';
import { RefusalError } from './refusal.ts';
import { switchLsn, type TimelineSwitch } from './timeline-history.ts';

/** What the source is like now. */
export interface SourceFacts {
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly database: string;
  /** Where the server's WAL ends. */
  readonly walLsn: Lsn;
  readonly slotName: string;
  readonly slot: SlotSnapshot | undefined;
  /** How the server's timeline came to be; empty on the first. */
  readonly timelineHistory: readonly TimelineSwitch[];
}

export interface StartDecision {
  /** Set when the source is another server than before, with the same history: worth an event in the log. */
  readonly lineage:
    | { readonly fromTimeline: number; readonly toTimeline: number; readonly switchLsn: string }
    | undefined;
}

const acceptGap = 'bemi gap accept --reason "…"';
const ifGone = `If that one is gone for good, and this one takes its place: ${acceptGap}`;

/**
 * Decides whether recording may go on from where the log ends. It may when every change after that is still to come
 * from the slot, in the same history. Otherwise there would be a gap, or two histories in one log.
 *
 * @throws RefusalError with the reason and what to do.
 */
export function decideStart(recorded: SourceState, source: SourceFacts): StartDecision {
  const confirmed = parseLsn(recorded.confirmedLsn);
  if (recorded.systemIdentifier !== source.systemIdentifier) {
    throw new RefusalError(
      'other-cluster',
      `The log was recorded from the cluster ${recorded.systemIdentifier}; this one is ${source.systemIdentifier}.`,
      `Connect the worker to the server that was recorded, or record this one into an audit database of its own. ${ifGone}`,
    );
  }
  if (recorded.database !== source.database) {
    throw new RefusalError(
      'other-database',
      `The log was recorded from the database ${recorded.database}; this one is ${source.database}.`,
      'Record each database into an audit database of its own.',
    );
  }
  const { slot, slotName } = source;
  if (!slot) {
    throw new RefusalError(
      'slot-missing',
      `The replication slot ${slotName} does not exist, and the log goes on at ${recorded.confirmedLsn}: ` +
        'what was written since then can no longer be read.',
      `Correct BEMI_REPLICATION_SLOT if it is misspelt. If the slot was dropped, go on with a new one: ${acceptGap}`,
    );
  }
  if (isLost(slot)) {
    throw new RefusalError(
      'slot-lost',
      `The server has invalidated the replication slot ${slotName} (${slot.invalidationReason ?? 'its WAL was removed'}); ` +
        `the log is complete up to ${recorded.confirmedLsn}.`,
      `Go on with a new slot: ${acceptGap}. Raise max_slot_wal_keep_size so that it does not happen again.`,
    );
  }
  if (slot.confirmedFlushLsn !== undefined && parseLsn(slot.confirmedFlushLsn) > confirmed) {
    throw new RefusalError(
      'slot-ahead',
      `The replication slot ${slotName} is at ${slot.confirmedFlushLsn}, ahead of the log at ${recorded.confirmedLsn}: ` +
        'what lies between was consumed by somebody else, or the audit database is an older copy.',
      'Restore the newest copy of the audit database. If what lies between can no longer be had: ' +
        `${acceptGap}. Give each consumer a slot of its own.`,
    );
  }
  if (source.walLsn < confirmed) {
    throw new RefusalError(
      'source-behind',
      `The source's WAL ends at ${formatLsn(source.walLsn)}, before the log's position ${recorded.confirmedLsn}: ` +
        'it was restored from an older copy.',
      `Connect the worker to the server that was recorded. ${ifGone}`,
    );
  }
  return { lineage: lineage(recorded, source, confirmed) };
}

function lineage(recorded: SourceState, source: SourceFacts, confirmed: Lsn): StartDecision['lineage'] {
  if (recorded.timeline === source.timeline) return undefined;
  const switched = switchLsn(source.timelineHistory, recorded.timeline);
  if (switched === undefined || switched < confirmed) {
    throw new RefusalError(
      'other-timeline',
      `The log was recorded on timeline ${recorded.timeline} up to ${recorded.confirmedLsn}; the source is on timeline ` +
        `${source.timeline}, which ${switched === undefined ? 'does not descend from it' : `left it earlier, at ${formatLsn(switched)}`}.`,
      `Connect the worker to the server that was recorded: what it recorded last never happened on this one. ${ifGone}`,
    );
  }
  return { fromTimeline: recorded.timeline, toTimeline: source.timeline, switchLsn: formatLsn(switched) };
}

/** Whether the server has invalidated a slot. */
export function isLost({ walStatus, invalidationReason }: SlotSnapshot): boolean {
  return walStatus === 'lost' || invalidationReason !== undefined;
}
