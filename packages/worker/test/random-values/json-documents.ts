import fc from 'fast-check';

const digits = fc.stringMatching(/^[0-9]{1,6}$/);
const zeros = fc
  .constantFrom(0, 1, 16_380, 16_383, 16_384, 131_068, 131_071, 131_072, 131_073)
  .map((n) => '0'.repeat(n));
const exponents = fc.oneof(
  fc.integer({ min: 16_370, max: 16_390 }),
  fc.integer({ min: 131_060, max: 131_080 }),
  fc.integer({ min: 1_073_741_820, max: 1_073_741_826 }),
  fc.integer({ min: 0, max: 20 }),
  fc.constantFrom(2_147_483_647, 2_147_483_648, 10 ** 20),
);
const exponentText = fc
  .tuple(fc.constantFrom('e', 'E', 'e+', 'E-', 'e-', 'e0', 'e-00'), exponents)
  .map(([mark, exponent]) => mark + BigInt(exponent));
/** Numbers about the limits of numeric. */
export const numbers = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(
      fc.constant('0'),
      fc.tuple(fc.constantFrom('1', '9'), zeros).map((parts) => parts.join('')),
      fc.tuple(fc.constantFrom('1', '90'), digits).map((parts) => parts.join('')),
    ),
    fc.oneof(
      fc.constant(''),
      fc.tuple(zeros, digits).map((parts) => `.${parts.join('')}`),
      fc.tuple(digits, zeros).map((parts) => `.${parts.join('')}`),
    ),
    fc.oneof(fc.constant(''), exponentText),
  )
  .map((parts) => parts.join(''));

const stringParts = fc.constantFrom(
  '\\u0000',
  '\\\\u0000',
  '\\\\\\u0000',
  '\\ud83d',
  '\\uD83D',
  '\\ude00',
  '\\uDFFF',
  '\\udbff',
  '\\ud83d\\ude00',
  '\\u0001',
  '\\ue000',
  '\\uffff',
  '\\n',
  '\\\\',
  '\\"',
  '\\/',
  'u0000',
  'a',
  '😀',
  '[',
  '{',
  '1e400000',
  ' ',
);
/** Strings with escapes that `json` takes, and `jsonb` may not. */
export const strings = fc.array(stringParts, { maxLength: 5 }).map((parts) => `"${parts.join('')}"`);
const space = fc.constantFrom('', ' ', '\n\t', '\r');
/** Texts of the type json. */
export const { value: documents } = fc.letrec<{ value: string }>((tie) => ({
  value: fc
    .tuple(
      space,
      fc.oneof(
        { maxDepth: 3, depthSize: 'small' },
        strings,
        numbers,
        fc.constantFrom('true', 'false', 'null', '[]', '{}'),
        fc.array(tie('value'), { maxLength: 3 }).map((values) => `[${values.join(',')}]`),
        fc
          .array(fc.tuple(strings, space, tie('value')), { maxLength: 3 })
          .map((members) => `{${members.map(([key, gap, value]) => `${key}${gap}:${value}`).join(',')}}`),
      ),
      space,
    )
    .map((parts) => parts.join('')),
}));

/** A number that PostgreSQL takes from 16 on, as long as it is zero. We refuse it everywhere. */
export const refusedZero = /e\+?0*1073741823(?![0-9])/i;
