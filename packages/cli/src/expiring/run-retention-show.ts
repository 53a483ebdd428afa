import { daysToMs, type PeriodsInForce } from '@bemi-db/proof/retention-periods';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { planRetention } from '@bemi-db/trail/retention/plan-retention';
import { readLogTime, readRetentionPeriods } from '@bemi-db/trail/retention/retention-periods';
import type { RetentionPlan } from '@bemi-db/trail/retention/retention-plan';
import { labelledLines } from '../output/labelled-lines.ts';
import { print } from '../output/print.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { withRecordedSource } from '../worker-requests/recorded-source.ts';
import { daysText } from './days-text.ts';

/** The flags of `bemi retention show`. */
export interface RetentionShowFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

interface Shown {
  readonly inForce: PeriodsInForce;
  /** By the log's own account, in milliseconds since 1970. */
  readonly now: number | undefined;
  readonly expired: RetentionPlan | undefined;
}

/** How long what is kept, what will change, and what has expired. */
export async function showRetention(flags: RetentionShowFlags): Promise<void> {
  await withRecordedSource(flags, async (client, { log }) => {
    const periods = await readRetentionPeriods(client, log);
    const now = await readLogTime(client, log);
    // What was just set counts by the worker's clock, which may be ahead of the log's last entry.
    const inForce = periods.at(Math.max(now ?? 0, periods.settings.at(-1)?.at ?? 0));
    const expired =
      now === undefined || inForce.longest === undefined
        ? undefined
        : await planRetention(client, log, new Date(now - daysToMs(inForce.longest)));
    const shown = { inForce, now, expired };
    await print(
      flags.json ? `${JSON.stringify(shownJson(shown))}\n` : shownText(shown, textStyle(process.stdout)),
    );
  });
}

function shownJson({ inForce, now, expired }: Shown): object {
  return {
    days: inForce.days ?? null,
    tables: inForce.tables,
    pending: inForce.pending.map(({ days, table, effectiveAt }) => ({
      ...table,
      days: days ?? null,
      effectiveAt: new Date(effectiveAt).toISOString(),
    })),
    logTime: now === undefined ? null : new Date(now).toISOString(),
    expiredChanges: expired?.changes ?? 0,
  };
}

function shownText({ inForce, now, expired }: Shown, style: TextStyle): string {
  if (inForce.days === undefined) {
    return 'The log does not say yet how long it is kept, so nothing is dropped: the worker says it when it starts.\n';
  }
  const kept: (readonly [string, string])[] = [
    [inForce.tables.length > 0 ? 'All else' : 'Everything', daysText(inForce.days)],
    ...inForce.tables.map(
      ({ schema, table, days }) => [harmless(`${schema}.${table}`), daysText(days)] as const,
    ),
    ...inForce.pending.map(({ table, days, effectiveAt }) => {
      const from = momentText(new Date(effectiveAt), style.timeZone);
      const what = table ? harmless(`${table.schema}.${table.table} `) : '';
      return [`From ${from}`, `${what}${days === undefined ? 'as all else' : daysText(days)}`] as const;
    }),
  ];
  const rest: (readonly [string, string])[] = [
    [
      'Expired',
      expired
        ? `${countText(expired.changes)} changes: the worker drops a partition an hour`
        : 'no whole partition',
    ],
    [
      'Time',
      now === undefined
        ? 'the log does not know yet'
        : `${momentText(new Date(now), style.timeZone)}, by the log's own account`,
    ],
  ];
  return `${style.colors.bold('Kept')}\n${labelledLines([...kept, ...rest], style)}`;
}
