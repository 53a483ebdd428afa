import { oneOf } from '../app/address.ts';

/** How far back the lines go. */
export type HealthRange = '1h' | '24h' | '7d' | '30d';

export interface HealthAddress {
  readonly range?: HealthRange;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Seconds in all, and of a step. */
export const healthRanges: Readonly<
  Record<HealthRange, { readonly label: string; readonly seconds: number; readonly step: number }>
> = {
  '1h': { label: '1 hour', seconds: hour, step: minute },
  '24h': { label: '24 hours', seconds: day, step: 15 * minute },
  '7d': { label: '7 days', seconds: 7 * day, step: 2 * hour },
  '30d': { label: '30 days', seconds: 30 * day, step: 6 * hour },
};

export const usualRange: HealthRange = '24h';

function isRange(text: string | undefined): text is HealthRange {
  return text !== undefined && Object.hasOwn(healthRanges, text);
}

/** Takes of an address what makes sense; the rest is as if it was not there. */
export function healthAddress(members: Record<string, unknown>): HealthAddress {
  const range = oneOf(members, 'range');
  return isRange(range) ? { range } : {};
}
