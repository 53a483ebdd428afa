import { daysToMs, type PeriodsInForce, type RetentionPeriods } from '@bemi-db/proof/retention-periods';
import { sequencePairs } from '@bemi-db/trail/erasure/sequence-pairs';
import { holdsBefore, readHolds } from '@bemi-db/trail/holds/holds';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import {
  type ExpiringTables,
  expiredEntries,
  relationsOfTables,
} from '@bemi-db/trail/retention/expired-entries';
import { planRetention } from '@bemi-db/trail/retention/plan-retention';
import { readLogTime } from '@bemi-db/trail/retention/retention-periods';
import type pg from 'pg';
import type { Logger } from '../logger.ts';

export interface AutomaticRetentionOptions {
  /** Not the writer's. */
  readonly client: pg.ClientBase;
  readonly log: number;
  readonly periods: () => RetentionPeriods;
  /** From the start of the session to the first run, and between two runs. */
  readonly intervalMs: number;
  readonly logger: Logger;
}

export const retentionIntervalMs = 60 * 60 * 1000;

/** Tables that are kept for less long than their partitions. */
interface ShortGroup extends ExpiringTables {
  readonly reason: string;
}

/** An erasure that the worker was asked for, and where to go on once it is done. */
interface AskedErasure {
  readonly id: string;
  readonly next: number;
  readonly isLast: boolean;
}

const by = 'retention';
const namedTables = 5;

/**
 * Now and then asks, as anybody does by the inbox, for what has expired to be taken out: one partition a run, as a whole,
 * once the longest period of any table has passed for all that is in it; and of tables with a shorter one their changes,
 * a few thousand at a time. What time it is, the log itself says: a clock or a setting that is wrong deletes nothing.
 */
export class AutomaticRetention {
  readonly #options: AutomaticRetentionOptions;
  #dueAtMs: number;
  #drop: string | undefined;
  /** Groups that this run has still to look at. */
  #groups: ShortGroup[] = [];
  #erasure: AskedErasure | undefined;
  /** How far each group has been looked at, under the same periods and holds. */
  #cursors = new Map<string, number>();
  #cursorsFor = '';

  constructor(options: AutomaticRetentionOptions) {
    this.#options = options;
    this.#dueAtMs = performance.now() + options.intervalMs;
  }

  /** A small step of what there is to do, if there is something. */
  async work(): Promise<void> {
    if (this.#groups.length > 0) await this.#eraseStep();
    else if (performance.now() >= this.#dueAtMs) {
      this.#dueAtMs = performance.now() + this.#options.intervalMs;
      await this.#begin();
    }
  }

  async #begin(): Promise<void> {
    const { client, log, periods } = this.#options;
    const now = await readLogTime(client, log);
    if (now === undefined) return;
    const inForce = periods().at(now);
    if (inForce.longest === undefined) return;
    await this.#dropPartition(new Date(now - daysToMs(inForce.longest)));
    this.#groups = await this.#shortGroups(inForce, now);
    const holds = await readHolds(client, log);
    const cursorsFor = JSON.stringify([inForce.days, inForce.tables, holds.map(({ id }) => id)]);
    // What was held may be free, and what had not expired may have.
    if (cursorsFor !== this.#cursorsFor) this.#cursors.clear();
    this.#cursorsFor = cursorsFor;
  }

  async #dropPartition(olderThan: Date): Promise<void> {
    const { client, log, logger } = this.#options;
    if (this.#drop !== undefined && !(await requestAnswer(client, this.#drop))) return;
    this.#drop = undefined;
    const plan = await planRetention(client, log, olderThan, { most: 1 });
    if (!plan) return;
    const [hold] = await holdsBefore(client, log, plan.before);
    if (hold) {
      logger.info({ hold: hold.id, before: plan.before }, 'A hold keeps entries that have expired');
      return;
    }
    const { before } = plan;
    this.#drop = await request(client, log, 'retention', { before, olderThan: olderThan.toISOString(), by });
    logger.info({ before, changes: plan.changes }, 'Dropping what has expired');
  }

  async #shortGroups({ days, tables, longest }: PeriodsInForce, now: number): Promise<ShortGroup[]> {
    const { client, log } = this.#options;
    const groups: ShortGroup[] = [];
    const own = new Set(tables.map((table) => table.days).filter((each) => each < longest!));
    for (const period of own) {
      const named = tables.filter((table) => table.days === period);
      groups.push({
        relations: await relationsOfTables(client, log, named),
        isExcept: false,
        olderThan: new Date(now - daysToMs(period)),
        reason: `kept for ${period} days: ${namesOf(named)}`,
      });
    }
    if (days !== undefined && days < longest!) {
      groups.push({
        relations: await relationsOfTables(client, log, tables),
        isExcept: true,
        olderThan: new Date(now - daysToMs(days)),
        reason: `kept for ${days} days: all tables but ${namesOf(tables)}`,
      });
    }
    return groups;
  }

  async #eraseStep(): Promise<void> {
    const { client, log, logger } = this.#options;
    const group = this.#groups[0]!;
    if (this.#erasure) {
      const answer = await requestAnswer(client, this.#erasure.id);
      if (!answer) return;
      const { next, isLast } = this.#erasure;
      this.#erasure = undefined;
      if ('refusal' in answer) {
        // A hold was placed meanwhile: the next run looks again.
        logger.warn({ refusal: answer.refusal }, 'What has expired was not erased');
        this.#groups.shift();
      } else this.#moveOn(group, next, isLast);
      return;
    }
    const from = this.#cursors.get(group.reason) ?? 0;
    const { sequences, next, isLast } = await expiredEntries(client, log, from, group);
    if (sequences.length === 0) {
      this.#moveOn(group, next, isLast);
      return;
    }
    const entries = sequencePairs(sequences);
    const id = await request(client, log, 'erasure', { entries, reason: group.reason, by });
    this.#erasure = { id, next, isLast };
  }

  #moveOn(group: ShortGroup, next: number, isLast: boolean): void {
    this.#cursors.set(group.reason, next);
    if (isLast) this.#groups.shift();
  }
}

function namesOf(tables: readonly { readonly schema: string; readonly table: string }[]): string {
  const names = tables.slice(0, namedTables).map(({ schema, table }) => `${schema}.${table}`);
  const more = tables.length - names.length;
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
}
