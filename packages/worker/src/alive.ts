import { formatLsn, type Lsn } from '@bemi-db/replication/lsn';
import { nowMicros, timeText } from './clock.ts';

/** At least every hour, docs/spec/log.md says. */
export const aliveIntervalMs = 60 * 60 * 1000;

export interface AliveFacts {
  /** All that was committed between these two positions is in the log. */
  readonly fromLsn: Lsn;
  readonly toLsn: Lsn;
  /** The source's clock when it last spoke, in microseconds since 2000-01-01 UTC. */
  readonly sourceMicros: bigint;
  readonly auditTime: Date;
}

/**
 * The payload of an `alive` event: that the worker was there, and how far it had read. A period without such an event
 * and without commits is then one in which nothing was recorded, or from which entries are gone. With three clocks in it,
 * one that was set is noticed.
 */
export function aliveEvent({ fromLsn, toLsn, sourceMicros, auditTime }: AliveFacts): object {
  return {
    fromLsn: formatLsn(fromLsn),
    toLsn: formatLsn(toLsn),
    sourceTime: timeText(sourceMicros),
    auditTime: auditTime.toISOString(),
    workerTime: timeText(nowMicros()),
  };
}
