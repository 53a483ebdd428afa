import fc from 'fast-check';

const padded = (value: number, width: number) => String(value).padStart(width, '0');

/** A day of a year up to `lastYear`, AD or, from `firstBefore` on, BC; the era stands apart. */
const day = (firstBefore: number, lastYear: number) =>
  fc
    .tuple(
      fc.oneof(
        fc.integer({ min: -firstBefore, max: 12_000 }).filter((year) => year !== 0),
        fc.integer({ min: 1, max: lastYear }),
      ),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
    )
    .map(([year, month, dayOfMonth]) => ({
      date: `${padded(Math.abs(year), 4)}-${padded(month, 2)}-${padded(dayOfMonth, 2)}`,
      era: year < 0 ? ' BC' : '',
    }));

export const time = fc
  .tuple(
    fc.integer({ min: 0, max: 23 }),
    fc.integer({ min: 0, max: 59 }),
    fc.integer({ min: 0, max: 59_999_999 }),
  )
  .map(([hours, minutes, micros]) => {
    return `${padded(hours, 2)}:${padded(minutes, 2)}:${padded(Math.floor(micros / 1e6), 2)}.${padded(micros % 1e6, 6)}`;
  });

const zone = fc
  .tuple(fc.constantFrom('+', '-'), fc.integer({ min: 0, max: 14 }), fc.constantFrom('00', '30', '45'))
  .map(([sign, hours, minutes]) => `${sign}${padded(hours, 2)}:${minutes}`);

export const timeWithZone = fc.tuple(time, zone).map((parts) => parts.join(''));

export const date = day(4_700, 5_870_000).map((it) => it.date + it.era);

export const timestamp = fc
  .tuple(day(4_700, 294_000), time)
  .map(([it, ofDay]) => `${it.date} ${ofDay}${it.era}`);

export const timestampWithZone = fc
  .tuple(day(4_700, 294_000), time, zone)
  .map(([it, ofDay, offset]) => `${it.date} ${ofDay}${offset}${it.era}`);

export const interval = fc
  .tuple(
    fc.oneof(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -2e9, max: 2e9 })),
    fc.oneof(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -2e9, max: 2e9 })),
    fc.constantFrom('', '-'),
    time,
  )
  .map(([months, days, minus, ofDay]) => `${months} months ${days} days ${minus}${ofDay}`);
