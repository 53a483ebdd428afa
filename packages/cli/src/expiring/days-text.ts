import { countText } from '../presentation/quantity-text.ts';

const daysOfYears = 365.25;

/** `2,192 days (6 years)`; without years where they are not whole. */
export function daysText(days: number): string {
  if (!Number.isInteger(days)) return `${days} days`;
  const text = `${countText(days)} ${days === 1 ? 'day' : 'days'}`;
  const years = Math.round(days / daysOfYears);
  if (years < 1 || Math.abs(days - years * daysOfYears) > 1) return text;
  return `${text} (${years} ${years === 1 ? 'year' : 'years'})`;
}
