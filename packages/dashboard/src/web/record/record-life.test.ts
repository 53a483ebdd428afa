import { expect, test } from 'vitest';
import type { ChangeEntry, DdlEntry } from '../../api/entry.ts';
import { knownState, recordLife } from './record-life.ts';

const minute = (sequence: number) => `2026-01-31T08:${String(sequence).padStart(2, '0')}:00.123456Z`;

function change(sequence: number, operation: ChangeEntry['operation'], rest: Partial<ChangeEntry> = {}) {
  const entry: Partial<ChangeEntry> = {
    ...{
      kind: 'change',
      sequence: String(sequence),
      operation,
      beforeKind: 'full',
      before: null,
      after: null,
    },
    ...{ timestamp: minute(sequence), ...rest },
  };
  return entry as ChangeEntry;
}

function ddl(sequence: number): DdlEntry {
  return { kind: 'ddl', sequence: String(sequence), timestamp: minute(sequence) } as DdlEntry;
}

const created = change(2, 'INSERT', { after: '{"id":1,"n":10.50}', beforeKind: 'none' });
const updated = change(5, 'UPDATE', { before: '{"id":1,"n":10.50}', after: '{"id":1,"n":11,"mail":null}' });
const deleted = change(9, 'DELETE', { before: '{"id":1,"n":11,"mail":null}' });
const again = change(12, 'INSERT', { after: '{"id":1,"n":0,"mail":"a"}', beforeKind: 'none' });
const changes = [again, deleted, updated, created];
const sequences = (life: ReturnType<typeof recordLife>) => life.map(({ entry }) => entry.sequence);

test('a life is what happened while the record was there', () => {
  const life = recordLife(changes, [
    ddl(1),
    ddl(4),
    ddl(10),
    change(15, 'TRUNCATE'),
    ddl(16),
    change(11, 'TRUNCATE'),
  ]);
  expect(sequences(life)).toEqual(['15', '12', '9', '5', '4', '2']);
  expect(life.find(({ entry }) => entry === updated)).toMatchObject({
    columnsCome: ['mail'],
    columnsGone: [],
  });
  expect(life.find(({ entry }) => entry === again)).toMatchObject({ columnsCome: [] });
  // Of a row that may not be whole nothing is said to be gone.
  const partial = { ...updated, beforeKind: 'key' as const, after: '{"id":1}' };
  expect(recordLife([partial, created], [])[0]).toMatchObject({ columnsCome: [], columnsGone: [] });
});

test('the state at a moment is read off the life, or left to the server', () => {
  const life = recordLife(changes, [change(15, 'TRUNCATE')]);
  const at = (moment: Parameters<typeof knownState>[2], isWhole = true) => knownState(life, isWhole, moment);
  expect(at({ sequence: '2' })).toMatchObject({ state: 'present', row: created.after, sequence: '2' });
  expect(at({ sequence: '4' })).toMatchObject({ sequence: '2' });
  expect(at({ at: minute(5) })).toMatchObject({ state: 'present', row: updated.after });
  expect(at({ at: '2026-01-31T09:04:59.999+01:00' })).toMatchObject({ sequence: '2' });
  expect(at({ sequence: '9' })).toMatchObject({ state: 'deleted', row: deleted.before });
  expect(at({})).toMatchObject({ state: 'deleted', row: again.after, sequence: '15' });
  expect(at({ sequence: '1' })).toMatchObject({ state: 'unknown', row: null });
  expect(at({ sequence: '1' }, false)).toBeUndefined();
  const erased = recordLife([change(5, 'UPDATE'), created], []);
  expect(knownState(erased, true, {})).toMatchObject({ state: 'unknown', row: null, sequence: '5' });
  const partial = recordLife([{ ...updated, beforeKind: 'key' }, created], []);
  expect(knownState(partial, true, {})).toBeUndefined();
});
