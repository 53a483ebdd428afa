import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonMembers, plainText } from './json-members.ts';

test('splits without reading the values', () => {
  expect(
    jsonMembers(' { "a" : 9007199254740993 , "b\\"}":{"c":[1,"}"]},\n"__proto__":null,"d":"x,y" } '),
  ).toEqual([
    { name: 'a', value: '9007199254740993' },
    { name: 'b"}', value: '{"c":[1,"}"]}' },
    { name: '__proto__', value: 'null' },
    { name: 'd', value: '"x,y"' },
  ]);
  expect(jsonMembers('{}')).toEqual([]);
  expect(plainText('"a\\n"')).toBe('a\n');
  expect(plainText('12.50')).toBe('12.50');
});

test('any object comes apart into what JSON.parse finds in it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(2), (object, space) => {
      const members = jsonMembers(JSON.stringify(object, null, space));
      expect(members.map(({ name, value }) => [name, JSON.stringify(JSON.parse(value))])).toEqual(
        Object.entries(object).map(([name, value]) => [name, JSON.stringify(value)]),
      );
    }),
  );
});
