import { awkwardTexts } from '@bemi-db/test-kit/type-samples';
import fc from 'fast-check';

/** Any text that a column may hold; now and then one that is moved to TOAST. */
export const text = fc.oneof(
  { arbitrary: fc.constantFrom(...awkwardTexts.filter((value) => value.length < 100)), weight: 10 },
  {
    arbitrary: fc.string({ unit: 'binary', maxLength: 30 }).map((value) => value.replaceAll('\0', '')),
    weight: 10,
  },
  {
    arbitrary: fc.string({
      unit: fc.constantFrom('"', '\\', '{', '}', ',', '(', ')', ' ', 'N', 'a', "'", '\n', ';'),
    }),
    weight: 10,
  },
  { arbitrary: fc.constantFrom(...awkwardTexts), weight: 1 },
);

/** JSON with the freedom that the type json has and `JSON.stringify` does not use. */
export const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    text.map((value) => JSON.stringify(value)),
    fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.integer({ min: 0 }),
        fc.constantFrom('', '.0', '.10', 'e5', 'E-5', '.5e+300'),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom('true', ' false', 'null\n', '"\\u00e9\\ud83d\\ude00\\/"'),
    fc.array(tie('json'), { maxLength: 3 }).map((values) => `[ ${values.join(' ,\t')}]`),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', '', '__proto__'), tie('json')), { maxLength: 4 })
      .map((members) => `{${members.map(([key, value]) => `"${key}" : ${value}`).join(',')} }`),
  ),
}));
