import { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';
import { describe, expect, test } from 'vitest';
import { maximumDepth } from './json-poison.ts';
import type { TypeEncoding } from './type-encoding.ts';
import { ValueFormError, writeValue } from './value-json.ts';

/** The JSON of a value that PostgreSQL printed, written between other bytes. */
function json(encoding: TypeEncoding, text: string): string {
  const bytes = Buffer.from(`"},${text})"{`);
  const out = new CopyBuffer();
  const start = out.length;
  writeValue(out, encoding, bytes, 3, bytes.length - 3);
  return out.bytes.toString('utf8', start, out.length);
}

const numbers: TypeEncoding = { array: 'number', delimiter: ',' };
const pair: TypeEncoding = {
  composite: [
    { name: '__proto__', encoding: 'number' },
    { name: 'a "b"', encoding: 'text' },
  ],
};

test('what JSON has no numbers for is quoted', () => {
  expect(
    ['1', '-0', '1e+308', 'NaN', 'Infinity', '-Infinity', '-'].map((text) => json('number', text)),
  ).toEqual(['1', '-0', '1e+308', '"NaN"', '"Infinity"', '"-Infinity"', '"-"']);
});

test('timestamps are ISO 8601, eras and infinities stay', () => {
  expect(json('timestamp', '2020-01-02 03:04:05.6')).toBe('"2020-01-02T03:04:05.6"');
  expect(json('timestamptz', '2020-01-02 03:04:05+00')).toBe('"2020-01-02T03:04:05+00:00"');
  expect(json('timestamptz', '0044-03-15 00:00:00+00 BC')).toBe('"0044-03-15T00:00:00+00:00 BC"');
  expect(json('timestamptz', '-infinity')).toBe('"-infinity"');
});

test('arrays, composites and hstore by their parts', () => {
  expect(json(numbers, '[-1:0][2:3]={{1,NULL},{NaN,4}}')).toBe('[[1,null],["NaN",4]]');
  expect(json(pair, '(,"")')).toBe('{"__proto__":null,"a \\"b\\"":""}');
  expect(json({ array: pair, delimiter: ';' }, '{"(1,\\"a\\"\\"b\\")";NULL}')).toBe(
    '[{"__proto__":1,"a \\"b\\"":"a\\"b"},null]',
  );
  expect(json('hstore', '"a"=>"1", "\\"\\\\"=>NULL')).toBe('{"a":"1","\\"\\\\":null}');
});

describe('a text that does not have the form of its type', () => {
  const malformed: [TypeEncoding, string][] = [
    [numbers, ''],
    [numbers, '{'],
    [numbers, '{1,2'],
    [numbers, '{1}}'],
    [numbers, '{"1}'],
    [numbers, '1,2'],
    [numbers, '[1:2]'],
    [pair, ''],
    [pair, '1,a'],
    [pair, '(1)'],
    [pair, '(1,a,b)'],
    [pair, '(1,"a)'],
    [pair, '(1,a)b'],
    ['hstore', 'a=>1'],
    ['hstore', '"a"=>'],
    ['hstore', '"a"=>"1","b"=>"2"'],
    ['hstore', '"a"'],
  ];
  test.each(malformed)('%j: %s', (encoding, text) => {
    expect(() => json(encoding, text)).toThrow(ValueFormError);
  });
});

test('jsonb that is nested deeper than the audit database may read', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(json('jsonb', nested(maximumDepth))).toBe(nested(maximumDepth));
  expect(() => json('jsonb', nested(maximumDepth + 1))).toThrow(
    expect.objectContaining({ reason: 'too-deep' }),
  );
  const text = JSON.stringify('["'.repeat(maximumDepth + 1));
  expect(json('jsonb', text)).toBe(text);
});
