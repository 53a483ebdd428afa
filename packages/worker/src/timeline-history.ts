import { type Lsn, parseLsn } from '@bemi-db/replication/lsn';

/** One line of a timeline history file: the timeline was left for the next one at this position. */
export interface TimelineSwitch {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/**
 * Reads a timeline history file, as TIMELINE_HISTORY gives it: lines of timeline, position and reason, oldest first.
 * @see https://www.postgresql.org/docs/current/protocol-replication.html
 */
export function parseTimelineHistory(text: string): TimelineSwitch[] {
  const switches: TimelineSwitch[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line);
    if (match) switches.push({ timeline: Number(match[1]), lsn: parseLsn(match[2]!) });
  }
  return switches;
}

/** Where history left this timeline, or `undefined` when it never was on it. */
export function switchLsn(history: readonly TimelineSwitch[], timeline: number): Lsn | undefined {
  return history.find((entry) => entry.timeline === timeline)?.lsn;
}
