import pg from 'pg';
import type { SeededRandom } from './seeded-random.ts';

const texts = [
  '',
  'Ada',
  "O'Brien",
  '"quoted"',
  'back\\slash',
  'ünïcode',
  '🦊 fox',
  'tab\there',
  'null',
  '{}',
  '\n',
];
const jsons = [
  '{}',
  '{"a": 1.50, "b": [1, null, "x"]}',
  '{"a":1,"a":2}',
  '[1e3, -0, 0.10]',
  '"\\u00e9"',
  ' null ',
  '{"": {"nested": true}}',
];

/** A text literal, now and then NULL. */
export function textLiteral(random: SeededRandom): string {
  if (random.chance(0.1)) return 'NULL';
  return pg.escapeLiteral(`${random.pick(texts)}${random.chance(0.5) ? random.below(1_000) : ''}`);
}

export function jsonLiteral(random: SeededRandom): string {
  return random.chance(0.2) ? 'NULL' : pg.escapeLiteral(random.pick(jsons));
}

export function numericLiteral(random: SeededRandom): string {
  if (random.chance(0.05)) return random.pick(["'NaN'", 'NULL', '0.000', '1e20', '-0']);
  return `${random.between(-9_999, 9_999)}.${String(random.below(1_000)).padStart(random.between(1, 3), '0')}`;
}

/** A value that is either short and in the row, or so long that it is TOASTed. */
export function wideLiteral(random: SeededRandom): string {
  if (random.chance(0.3)) return textLiteral(random);
  const digests = random.chance(0.1) ? random.between(200, 900) : random.between(80, 120);
  return `(SELECT string_agg(md5('${random.below(1e9)}' || n), '') FROM generate_series(1, ${digests}) n)`;
}

export function timestampLiteral(random: SeededRandom): string {
  if (random.chance(0.05))
    return random.pick(["'infinity'", "'-infinity'", 'NULL', "'0044-03-15 12:00:00 BC'"]);
  const hours = random.below(500_000);
  return `timestamp '1990-01-01' + interval '${hours} hours ${random.below(1e6)} microseconds'`;
}

/** `count` rows of VALUES. */
export function valuesRows(count: number, row: () => readonly (string | number)[]): string {
  return Array.from({ length: count }, () => `(${row().join(', ')})`).join(', ');
}
