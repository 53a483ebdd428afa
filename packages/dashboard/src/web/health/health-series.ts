import type { HealthSample, HealthSeries } from '../../api/health.ts';

/** Samples at all steps of a time, whether somebody has seen anything or not. */
export interface SteppedSamples {
  /** When each step begins. */
  readonly times: readonly Date[];
  /** Where the last one ends. */
  readonly until: Date;
  readonly samples: readonly (HealthSample | undefined)[];
}

export function steppedSamples({ since, until, step, samples }: HealthSeries): SteppedSamples {
  const [from, to] = [Date.parse(since), Date.parse(until)];
  const found = new Map(samples.map((sample) => [Date.parse(sample.at), sample]));
  const count = Math.max(Math.ceil((to - from) / (step * 1_000)), 1);
  const times = Array.from({ length: count }, (_, i) => new Date(from + i * step * 1_000));
  return { times, until: new Date(to), samples: times.map((at) => found.get(at.getTime())) };
}

/** A size that a chart's axis is in: its marks are round numbers of it. */
export interface ByteUnit {
  readonly name: string;
  readonly bytes: number;
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** The largest unit of which the greatest value is at least one. */
export function byteUnit(greatest: number): ByteUnit {
  let power = 0;
  while (power < units.length - 1 && greatest >= 1_024 ** (power + 1)) power++;
  return { name: units[power]!, bytes: 1_024 ** power };
}
