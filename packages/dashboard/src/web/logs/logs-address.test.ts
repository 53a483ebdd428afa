import { expect, test } from 'vitest';
import { addressText, parseAddress } from '../app/address.ts';
import {
  apiFilter,
  isFiltered,
  logsAddress,
  withoutFilter,
  withoutValue,
  withValue,
} from './logs-address.ts';
import { inputOfMoment, momentOfInput } from './moment-text.ts';

const read = (text: string) => logsAddress(parseAddress(text));

test('an address is a filter in the API’s names, and comes back from its text', () => {
  const text =
    '?log=clinic&group=actor&table=public.Patient&table=visit&primaryKey=9007199254740993&operation=UPDATE&operation=DDL' +
    '&since=24h&transaction=7&context=userId%3Danna&authenticity=forged&withoutContext=true&actor=a%40b&changed=status' +
    '&value=status%7Eact&valueAfter=n%3D1&text=50%25';
  const address = read(text);
  expect(address).toMatchObject({
    ...{ primaryKey: '9007199254740993', table: ['public.Patient', 'visit'], operation: ['UPDATE', 'DDL'] },
    ...{ since: '24h', value: ['status~act'], text: '50%', group: 'actor' },
  });
  expect(new Set(new URLSearchParams(addressText(address)))).toEqual(new Set(new URLSearchParams(text)));
  expect(read(addressText(address))).toEqual(address);
});

test('times back from now stay so in the address, and are moments for the API', () => {
  const now = new Date('2026-03-03T12:00:00Z');
  expect(apiFilter(read('?since=24h&log=a&group=actor'), now)).toEqual({ since: '2026-03-02T12:00:00.000Z' });
  expect(apiFilter(read('?since=15m&until=2026-03-03T11:55:00Z'), now)).toEqual({
    since: '2026-03-03T11:45:00.000Z',
    until: '2026-03-03T11:55:00.000Z',
  });
  expect(momentOfInput(inputOfMoment('2026-03-03T11:55:07.000Z'))).toBe('2026-03-03T11:55:07.000Z');
});

test('what can’t be meant is left out', () => {
  expect(
    read('?operation=DROP&authenticity=&since=soon&until=-5h&transaction=x&group=color&withoutContext=1&x=y'),
  ).toEqual({});
  expect(isFiltered(read('?log=a&group=actor'))).toBe(false);
  expect(isFiltered(read('?text=a'))).toBe(true);
});

test('filters come and go one by one', () => {
  const two = withValue(withValue(read('?log=a&text=b'), 'context', 'a=1'), 'context', 'a=2');
  expect(withValue(two, 'context', 'a=2')).toEqual(two);
  expect(withoutValue(two, 'context', 'a=1')).toEqual({ log: 'a', text: 'b', context: ['a=2'] });
  expect(withoutValue(withoutValue(two, 'context', 'a=1'), 'context', 'a=2')).toEqual({
    log: 'a',
    text: 'b',
  });
  expect(withoutValue(two, 'text')).toEqual({ log: 'a', context: ['a=1', 'a=2'] });
  expect(withoutFilter(two)).toEqual({ log: 'a' });
});
