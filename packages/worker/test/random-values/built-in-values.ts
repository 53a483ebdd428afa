import { isSupported, typeSamples } from '@bemi-db/test-kit/type-samples';
import fc from 'fast-check';
import { json, text } from './texts.ts';
import { date, interval, time, timestamp, timestampWithZone, timeWithZone } from './times.ts';

const digits = (maximum: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maximum}}$`));
const sign = fc.constantFrom('', '-');
const unsigned = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }).map(String);
const signed = (bits: number) =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }).map(String);
const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const hexPairs = (count: number) => hex(count * 2).map((all) => all.match(/../g)!.join(':'));
const words = (unit: fc.Arbitrary<string>, between: string, maxLength = 4) =>
  fc.array(unit, { maxLength }).map((list) => list.join(between));

const floatText = (value: fc.Arbitrary<number>) => value.map((it) => (Object.is(it, -0) ? '-0' : String(it)));
const double = floatText(fc.double({ noNaN: true }));
const point = fc.tuple(double, double).map(([x, y]) => `(${x},${y})`);
const points = fc.array(point, { minLength: 1, maxLength: 5 }).map((list) => list.join(','));
const smallDouble = floatText(fc.double({ noNaN: true, min: 0, max: 1e100 }));

const ordered = fc
  .uniqueArray(fc.integer({ min: -99_999, max: 99_999 }), { minLength: 2, maxLength: 8 })
  .map((numbers) => numbers.toSorted((a, b) => a - b));
const range = (suffix: string) =>
  fc
    .tuple(fc.constantFrom('[', '('), ordered, fc.constantFrom(']', ')'))
    .map(([open, list, close]) => `${open}${list[0]}${suffix},${list.at(-1)}${suffix}${close}`);
const multirange = (suffix: string) =>
  ordered.map((list) => {
    const pairs = list.flatMap((low, i) => (i % 2 === 0 && i + 1 < list.length ? [[low, list[i + 1]]] : []));
    return `{${pairs.map(([low, high]) => `[${low}${suffix},${high}${suffix})`).join(',')}}`;
  });
const lexeme = text.filter((it) => it !== '' && it.length < 100);
const quotedLexeme = lexeme.map((it) => `'${it.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`);

/** Texts that are values of a type, where more can be said than `typeSamples` has. */
const generators: Readonly<Record<string, fc.Arbitrary<string>>> = {
  smallint: signed(16),
  integer: signed(32),
  bigint: signed(64),
  numeric: fc.oneof(
    fc
      .tuple(sign, digits(40), fc.constantFrom('.', '.000', 'e-20', 'e30'), digits(2))
      .map((parts) => parts.join('')),
    fc.tuple(sign, digits(10), fc.constant('.'), digits(300)).map((parts) => parts.join('')),
  ),
  'numeric(10,3)': fc.tuple(sign, digits(7), fc.constant('.'), digits(6)).map((parts) => parts.join('')),
  real: floatText(fc.float({ noNaN: true })),
  'double precision': double,
  money: fc.tuple(sign, digits(14), fc.constant('.'), digits(2)).map((parts) => parts.join('')),
  text,
  varchar: text,
  'char(5)': text.map((value) => [...value].slice(0, 5).join('')),
  name: text,
  bytea: fc.uint8Array({ maxLength: 40 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  date,
  time,
  timetz: timeWithZone,
  timestamp,
  timestamptz: timestampWithZone,
  interval,
  json,
  jsonb: json,
  xml: fc
    .tuple(words(fc.constantFrom('a', 'é', '&lt;', '&#10;', ' ', '"', "'", '<b/>', '<!--x-->'), ''), sign)
    .map(([content, name]) => `<a${name && ' b="&quot;,{}"'}>${content}</a>`),
  'bit(3)': fc.stringMatching(/^[01]{3}$/),
  'varbit(70)': fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 70 }),
  uuid: fc.uuid(),
  inet: fc.oneof(
    fc.ipV6(),
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map((parts) => parts.join('/')),
  ),
  cidr: fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `${a}.${b}.0.0/16`),
  macaddr: hexPairs(6),
  macaddr8: hexPairs(8),
  point,
  line: fc.tuple(smallDouble, smallDouble).map(([b, c]) => `{1,${b},-${c}}`),
  lseg: fc.tuple(point, point).map(([a, b]) => `[${a},${b}]`),
  box: fc.tuple(point, point).map(([a, b]) => `${a},${b}`),
  path: fc.tuple(sign, points).map(([form, list]) => (form === '' ? `(${list})` : `[${list}]`)),
  polygon: points.map((list) => `(${list})`),
  circle: fc.tuple(point, smallDouble).map(([center, radius]) => `<${center},${radius}>`),
  tsvector: words(
    fc.tuple(quotedLexeme, fc.constantFrom('', ':1A,3', ':16383')).map((it) => it.join('')),
    ' ',
  ),
  tsquery: fc
    .array(quotedLexeme, { minLength: 1, maxLength: 4 })
    .chain((list) => fc.constantFrom(' & ', ' | ', ' <-> ', ' & !').map((between) => list.join(between))),
  oid: unsigned(32),
  xid: unsigned(32),
  xid8: unsigned(64),
  cid: unsigned(32),
  tid: fc.tuple(unsigned(32), unsigned(16)).map(([block, row]) => `(${block},${row})`),
  pg_lsn: fc
    .tuple(unsigned(32), unsigned(32))
    .map((halves) => halves.map((it) => Number(it).toString(16)).join('/')),
  int2vector: words(signed(16), ' '),
  oidvector: words(unsigned(32), ' '),
  refcursor: text,
  int4range: range(''),
  int8range: range('00000'),
  numrange: range('.50'),
  int4multirange: multirange(''),
  int8multirange: multirange('00000'),
  nummultirange: multirange('.50'),
};

/** Values of every built-in type that a major has: those with something special about them, and generated ones. */
export function builtInValues(major: number): Readonly<Record<string, fc.Arbitrary<string>>> {
  return Object.fromEntries(
    Object.entries(typeSamples(major)).map(([type, samples]) => {
      // A whole page of digits is for other tests.
      const special = fc.constantFrom(...samples.filter((sample) => sample.length < 5_000));
      const generator = generators[type];
      return [
        type,
        generator
          ? fc.oneof({ arbitrary: special, weight: 1 }, { arbitrary: generator, weight: 3 })
          : special,
      ];
    }),
  );
}

/** Types of which every element can be compared: what ranges are made over. */
export function rangeSubtypes(major: number): readonly string[] {
  return ['integer', 'numeric', 'text', 'timestamptz', 'uuid', 'inet'].filter((type) =>
    isSupported(major, type),
  );
}
