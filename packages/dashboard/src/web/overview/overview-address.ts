import type { ActivityStep } from '../../api/activity.ts';
import { oneOf } from '../app/address.ts';

/** Periods up to now that are offered: as the address has them, in few words, and in full. */
export const periods = [
  { value: '24h', label: '24 h', words: 'the last 24 hours', days: 1, step: 'hour' },
  { value: '7d', label: '7 d', words: 'the last 7 days', days: 7, step: 'hour' },
  { value: '30d', label: '30 d', words: 'the last 30 days', days: 30, step: 'day' },
  { value: '90d', label: '90 d', words: 'the last 90 days', days: 90, step: 'day' },
  { value: '1y', label: '1 y', words: 'the last year', days: 365, step: 'week' },
  { value: 'all', label: 'All', words: 'all that is recorded', days: undefined, step: undefined },
] as const;

export type Period = (typeof periods)[number];

/** What the bars of the chart are parted by. */
export type Parting = 'operation' | 'table';

/** A type, so that it is a record. */
export type OverviewAddress = { readonly period?: Period['value']; readonly by?: 'table' };

/** What can't be meant is as if it was not there. */
export function overviewAddress(members: Record<string, unknown>): OverviewAddress {
  const period = periods.find(({ value }) => value === oneOf(members, 'period'))?.value;
  return {
    ...(period === undefined ? {} : { period }),
    ...(oneOf(members, 'by') === 'table' ? { by: 'table' } : {}),
  };
}

export function periodOf({ period = '7d' }: OverviewAddress): Period {
  return periods.find(({ value }) => value === period)!;
}

const dayMs = 86_400_000;

/** How long steps must be so that all of a log has bars that are seen, and not more than there is room for. */
export function stepOfAll(first: Date, now: Date): ActivityStep {
  const days = (now.getTime() - first.getTime()) / dayMs;
  if (days <= 7) return 'hour';
  if (days <= 120) return 'day';
  return days <= 1_000 ? 'week' : 'month';
}

/** What the server is asked for: a period that ends now, in steps of the reader's zone. */
export function activityQuestion(period: Period, first: string | null, now: Date, zone: string) {
  if (period.days === undefined)
    return { step: first === null ? ('hour' as const) : stepOfAll(new Date(first), now), zone };
  return { since: new Date(now.getTime() - period.days * dayMs).toISOString(), step: period.step, zone };
}
