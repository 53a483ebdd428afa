import {
  LOWERING_DELAY_MS,
  type RetainedTable,
  RetentionPeriods,
  retentionSetting,
} from '@bemi-db/proof/retention-periods';
import type { InboxRequest } from '@bemi-db/trail/inbox';
import { isPlainText, requestMembers } from '@bemi-db/trail/request-payload';
import { readLogTime, readRetentionPeriods } from '@bemi-db/trail/retention/retention-periods';
import type pg from 'pg';
import type { Logger } from '../logger.ts';

/** Six years with two leap days. */
export const defaultRetentionDays = 2192;
const mostDays = 36_525;
const retentionSet = 'retention-set';

/** What the log says of how long it is kept, and what becomes of requests to change that. */
export class RetentionSettings {
  #periods = new RetentionPeriods();

  get periods(): RetentionPeriods {
    return this.#periods;
  }

  async load(client: pg.ClientBase, log: number): Promise<void> {
    this.#periods = await readRetentionPeriods(client, log);
  }

  /**
   * What a session says first: the period of a log that has none; or a longer one, if the worker is given that. A shorter
   * one is only asked for by somebody who says why.
   *
   * @param days - what the worker was told, if it was
   * @returns the payload of a `config` event
   */
  startEvent(days: number | undefined, logger: Logger): object | undefined {
    const said = this.#periods.settings.findLast(({ table }) => table === undefined)?.days;
    if (said === undefined) return settingOf({ days: days ?? defaultRetentionDays });
    if (days === undefined || days === said) return undefined;
    if (days > said) return settingOf({ days });
    logger.warn(
      { days, inForce: said, fix: `bemi retention set --days ${days} --reason "…"` },
      'BEMI_RETENTION_DAYS is shorter than what the log says, and has no effect: lowering it takes a reason',
    );
    return undefined;
  }

  /** Of a request for a `config` event: its payload, or why there is none. Undefined where it is not of retention. */
  async judge(
    client: pg.ClientBase,
    log: number,
    { payload }: InboxRequest,
  ): Promise<{ readonly payload: string } | { readonly refusal: string } | undefined> {
    const { event, days, schema, table, reason, by } = requestMembers(payload);
    if (event !== retentionSet) return undefined;
    const isOfTable = schema !== undefined || table !== undefined;
    if (isOfTable && !(isPlainText(schema) && isPlainText(table)))
      return { refusal: 'a table is named with its schema' };
    if (days === undefined ? !isOfTable : !isPeriod(days))
      return { refusal: `a period is a whole number of days from 1 to ${mostDays}` };
    if (!isPlainText(by)) return { refusal: 'a change of retention says who wants it' };
    const now = Math.max(Date.now(), (await readLogTime(client, log)) ?? 0);
    const named = isOfTable ? { schema: String(schema), table: String(table) } : undefined;
    const isLowering = this.#periods.isLowering(days as number | undefined, named, now);
    if (isLowering && !isPlainText(reason)) return { refusal: 'to keep for less long than before, say why' };
    return {
      payload: JSON.stringify(
        settingOf({
          ...(days === undefined ? {} : { days: days as number }),
          ...(named ? { table: named } : {}),
          effectiveAt: now + (isLowering ? LOWERING_DELAY_MS : 0),
          ...(isPlainText(reason) ? { reason } : {}),
          by,
        }),
      ),
    };
  }

  /** Does what an event says, at the moment at which it is appended. */
  apply(payload: string): void {
    const setting = retentionSetting(requestMembers(payload), Date.now());
    if (setting) this.#periods.add(setting);
  }
}

function isPeriod(days: unknown): days is number {
  return typeof days === 'number' && Number.isInteger(days) && days >= 1 && days <= mostDays;
}

function settingOf({
  days,
  table,
  effectiveAt = Date.now(),
  reason,
  by = 'worker',
}: {
  readonly days?: number;
  readonly table?: RetainedTable;
  readonly effectiveAt?: number;
  readonly reason?: string;
  readonly by?: string;
}): object {
  return {
    event: retentionSet,
    ...(days === undefined ? {} : { days }),
    ...table,
    effectiveAt: new Date(effectiveAt).toISOString(),
    ...(reason === undefined ? {} : { reason }),
    by,
  };
}
