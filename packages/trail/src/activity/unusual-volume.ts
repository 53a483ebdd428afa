/** What was counted of a table and an operation, by hour: the hours without changes are left out. */
export interface HourlyCounts<Of> {
  readonly of: Of;
  /** By the hour's number: milliseconds since 1970, divided by an hour. */
  readonly hours: ReadonlyMap<number, number>;
}

/** Hours by their numbers, `to` exclusive. */
export interface JudgedHours {
  readonly from: number;
  readonly to: number;
  /** The log's first. Before it nothing was recorded, which is not the same as nothing done. */
  readonly first: number;
}

export interface UnusualCount<Of> {
  readonly of: Of;
  readonly hour: number;
  readonly changes: number;
  readonly usual: number;
}

/** Fewer in an hour are nothing to speak of, whatever is usual. */
export const leastUnusual = 30;
/** Days back of which the same hour is looked at, */
export const comparedDays = 28;
/** and so many of them at least, … */
const leastDays = 7;
/** … else all the hours before, of a week at most, and so many of them at least. */
const leastHours = 24;
const mostHours = 168;
/** Times the usual, … */
const leastRatio = 3;
/** … and beyond it so many times the spread: the median distance from the median, as a standard deviation. */
const leastSpreads = 6;
const spreadOfMedianDistance = 1.4826;

/**
 * Hours with far more changes than such hours have. An hour is compared with the same hour of the 28 days before it, so that
 * what runs every night is usual at night; in a log that is younger than a week, with all the hours before it. Medians,
 * because the rush of a day that was unusual itself must not hide the next one.
 */
export function unusualVolume<Of>(
  all: readonly HourlyCounts<Of>[],
  { from, to, first }: JudgedHours,
): UnusualCount<Of>[] {
  return all.flatMap(({ of, hours }) =>
    [...hours].flatMap(([hour, changes]) => {
      if (hour < from || hour >= to || changes < leastUnusual) return [];
      const before = comparedHours(hour, first);
      if (!before) return [];
      const counts = before.map((each) => hours.get(each) ?? 0);
      const usual = median(counts);
      const spread = spreadOfMedianDistance * median(counts.map((count) => Math.abs(count - usual)));
      const isUnusual = changes >= leastRatio * usual && changes > usual + leastSpreads * Math.max(spread, 1);
      return isUnusual ? [{ of, hour, changes, usual }] : [];
    }),
  );
}

/** The hours that one is compared with; `undefined` where the log is too young to say what is usual. */
function comparedHours(hour: number, first: number): readonly number[] | undefined {
  const days = Math.min(Math.floor((hour - first) / 24), comparedDays);
  if (days >= leastDays) return Array.from({ length: days }, (_, i) => hour - 24 * (i + 1));
  const hours = Math.min(hour - first, mostHours);
  return hours >= leastHours ? Array.from({ length: hours }, (_, i) => hour - i - 1) : undefined;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
