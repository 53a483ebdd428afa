import { expect, test } from 'vitest';
import { contextAlternatives } from './context-match.ts';

test('a value without quotes may be a text or what JSON makes of it', () => {
  expect(contextAlternatives('userId', 'u1')).toEqual(['{"userId":"u1"}']);
  expect(contextAlternatives('attempt', '7')).toEqual(['{"attempt":"7"}', '{"attempt":7}']);
  expect(contextAlternatives('isAdmin', 'true')).toEqual(['{"isAdmin":"true"}', '{"isAdmin":true}']);
  expect(contextAlternatives('id', '9007199254740993')).toContain('{"id":9007199254740993}');
  expect(contextAlternatives('code', '007')).toEqual(['{"code":"007"}']);
});

test('a dotted key may lead into an object', () => {
  expect(contextAlternatives('user.id', 'a')).toEqual(['{"user.id":"a"}', '{"user":{"id":"a"}}']);
  expect(contextAlternatives('.a', 'b')).toEqual(['{".a":"b"}']);
});

test('quotes cannot break out', () => {
  expect(contextAlternatives('a"b', '"}')).toEqual(['{"a\\"b":"\\"}"}']);
});
