import type { RecordedAccess } from '@bemi-db/trail/access/recorded-access';
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { accessSentence } from './access-sentence.ts';
import type { TextStyle } from './text-style.ts';

const style: TextStyle = { colors: picocolors.createColors(false), columns: undefined, timeZone: 'UTC' };
const recorded: RecordedAccess = {
  ...{
    entry: '7',
    recordedAt: '2026-11-22T02:42:26.000000Z',
    at: '2026-11-22T02:42:25.123456Z',
    isErased: false,
  },
  ...{ what: 'search', via: 'cli', by: { id: 'maria' }, role: 'bemi_reader', connectedFrom: undefined },
};
const said = (access: Partial<RecordedAccess>): string => accessSentence({ ...recorded, ...access }, style);

test('what was looked at, of what and how much', () => {
  expect(
    said({
      ...{
        command: 'log',
        log: 'app',
        tables: [{ schema: 'public', table: 'Patient' }],
        operations: ['DELETE'],
      },
      ...{ filters: ['context.userId'], since: '2026-11-21T00:00:00Z', changes: 50 },
      ...{ firstSequence: '4000', lastSequence: '4711', connectedFrom: '10.0.0.3' },
    }),
  ).toBe(
    '2026-11-22 02:42:25  maria searched app for Patient, DELETE, by context.userId, since 2026-11-21 00:00:00: ' +
      '50 entries, from 4,000 to 4,711  [bemi log · bemi_reader from 10.0.0.3]',
  );
  expect(
    said({
      ...{
        what: 'view',
        command: 'history',
        log: 'app',
        tables: [{ table: 'line' }],
        key: '["1","2"]',
        changes: 0,
      },
      by: { id: 'maria', host: 'ops-1' },
    }),
  ).toBe(
    '2026-11-22 02:42:25  maria viewed line (1, 2) in app: nothing was found  [bemi history · bemi_reader · ops-1]',
  );
  expect(said({ what: 'export', command: 'proof', log: 'app', sequence: '4711', changes: 1 })).toBe(
    '2026-11-22 02:42:25  maria exported entry 4,711 of app  [bemi proof · bemi_reader]',
  );
  expect(said({ what: 'live', command: 'log', log: 'app', part: 'begin', entry: undefined })).toBe(
    '2026-11-22 02:42:25  maria began to watch app  [bemi log · bemi_reader]  not recorded yet',
  );
  expect(said({ what: 'live', via: 'dashboard', log: 'app', filters: ['changed.lastName'] })).toBe(
    '2026-11-22 02:42:25  maria watched app, by changed.lastName  [dashboard · bemi_reader]',
  );
  expect(
    said({
      what: 'sign-in-failed',
      via: 'dashboard',
      by: { email: 'ada@example.org' },
      address: '203.0.113.7',
    }),
  ).toBe('2026-11-22 02:42:25  ada@example.org failed to sign in  [dashboard · bemi_reader · 203.0.113.7]');
  expect(said({ what: 'account', via: 'dashboard', subject: 'a1', action: 'role-changed' })).toBe(
    '2026-11-22 02:42:25  maria changed the account a1: role-changed  [dashboard · bemi_reader]',
  );
  expect(said({ isErased: true, at: undefined })).toBe(
    '2026-11-22 02:42:26  somebody looked at the trail: who and at what was erased',
  );
});

test('what anybody may claim can not drive the terminal', () => {
  const evil = '\u001b[2J\u202e';
  const text = said({
    ...{ by: { id: evil, host: evil }, log: evil, tables: [{ schema: evil, table: evil }], key: `["${evil}` },
    ...{ operations: [evil], filters: [evil], command: evil, address: evil, role: evil },
  });
  expect(text).not.toContain('\u001b');
  expect(text).not.toContain('\u202e');
  expect(text).toContain('\\u001b[2J');
});
