import { expect, test } from 'vitest';
import { recordedAccess } from './recorded-access.ts';

const place = { entry: '7', recordedAt: '2026-01-01T00:00:00Z' };

test('what has the form that it should have is shown', () => {
  const payload = {
    ...{ what: 'view', via: 'cli', role: 'bemi_reader', at: '2026-01-01T00:00:00Z', by: { id: 'ada' } },
    ...{ tables: [{ schema: 'public', table: 'p' }], sequence: 4, changes: 2, since: '2026-01-01T00:00:00Z' },
  };
  expect(recordedAccess(payload, place)).toEqual({
    ...{ ...payload, ...place, sequence: '4', isErased: false, connectedFrom: undefined },
  });
});

test('what anybody who may read could have said instead is left out', () => {
  expect(
    recordedAccess(
      {
        ...{
          what: 7,
          via: null,
          role: [],
          at: 'never',
          by: 'ada',
          key: 1,
          changes: 1.5,
          sequence: -1,
          since: 'x',
        },
        ...{
          tables: ['p', null, { schema: 'public' }],
          operations: [1, 'UPDATE'],
          shortened: 'yes',
          more: 'x',
        },
      },
      place,
    ),
  ).toEqual({
    ...{ ...place, isErased: false, by: {}, tables: [], operations: ['UPDATE'] },
    ...{ at: undefined, what: undefined, via: undefined, role: undefined, connectedFrom: undefined },
  });
});
