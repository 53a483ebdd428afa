import { expect, test } from 'vitest';
import type { ChangeEntry, DdlEntry } from '../../api/entry.ts';
import { changedText } from './changed-text.ts';
import { entryFacts } from './entry-facts.ts';
import { entryTexts } from './entry-texts.ts';
import { tableName } from './table-name.ts';

const change: ChangeEntry = {
  ...{
    kind: 'change',
    sequence: '9',
    operation: 'UPDATE',
    schema: 'public',
    table: 'Patient',
    primaryKey: '42',
  },
  ...{
    beforeKind: 'full',
    before: '{"id":42,"n":1}',
    after: '{"id":42,"n":9007199254740993}',
    changed: ['n'],
  },
  ...{
    context: null,
    authenticity: null,
    actor: null,
    timestamp: '2026-03-01T12:00:00.000001Z',
    transaction: '8',
  },
  ...{ transactionId: '740', position: '0/1', quarantined: null, contextQuarantined: null, erased: false },
  ...{ contextErased: false, actorErased: false },
};
const ddl: DdlEntry = {
  ...{
    kind: 'ddl',
    transaction: null,
    sequence: '10',
    message: '{"event":"drop","objects":[],"session_user":"deploy","role":"owner"}',
  },
  ...{ refused: null, context: null, authenticity: null, actor: null, timestamp: change.timestamp },
  ...{ transactionId: '741', position: '0/2', erased: false, contextErased: false },
};

test('who did it, by the word of the application, of the database, or of nobody', () => {
  const facts = (overrides: Partial<ChangeEntry>) => entryFacts({ ...change, ...overrides });
  expect(facts({})).toMatchObject({
    who: 'direct SQL (without context)',
    knownBy: 'nobody',
    actor: undefined,
  });
  expect(facts({ actor: { session_user: 'alice', role: 'ann', client_addr: '10.0.0.3' } })).toMatchObject({
    ...{ who: 'direct SQL by alice as ann', knownBy: 'database', actor: 'alice', address: '10.0.0.3' },
  });
  // The two are never mixed.
  expect(facts({ context: '{"requestId":7}', actor: { session_user: 'alice' } })).toMatchObject({
    ...{ who: 'somebody', knownBy: 'context', actor: undefined, request: '7' },
  });
  expect(entryFacts(ddl)).toMatchObject({ who: 'deploy as owner', knownBy: 'database', actor: 'deploy' });
  expect(entryFacts({ ...ddl, context: '{"job":"release"}' })).toMatchObject({
    who: 'release',
    knownBy: 'context',
  });
});

test('what is missing or wrong is said', () => {
  const notes = (overrides: Partial<ChangeEntry>) => entryFacts({ ...change, ...overrides }).notes.join('; ');
  expect(notes({})).toBe('');
  expect(notes({ erased: true, contextErased: true })).toBe(
    'the row was erased, its key too; its context was erased',
  );
  expect(notes({ quarantined: 'nul-character', contextQuarantined: 'not JSON' })).toBe(
    'the row is in quarantine: nul-character; its context is in quarantine: not JSON',
  );
  expect(notes({ context: '{}', authenticity: 'forged' })).toMatch(/^its context is forged: /);
  expect(notes({ changed: null, beforeKind: 'none' })).toMatch(/no REPLICA IDENTITY FULL$/);
  expect(entryFacts({ ...ddl, message: null, refused: 'not JSON' }).notes.join()).toContain(
    'can’t be read: not JSON',
  );
  expect(entryFacts({ ...change, context: '{"userId":"a\\u202eb"}' }).who).toBe('a\\u202eb');
});

test('what changed, in a few words', () => {
  const text = (overrides: Partial<ChangeEntry>) => changedText({ ...change, ...overrides });
  expect(text({})).toBe('n: 1 → 9007199254740993');
  expect(text({ before: '{"n":null}', after: '{"n":""}' })).toBe('n: NULL → “”');
  expect(text({ after: JSON.stringify({ n: 'x'.repeat(99) }) })).toBe('n');
  expect(text({ changed: ['a', 'b', 'c', 'd', 'e', 'f'] })).toBe('a, b, c, d and 2 more');
  expect(text({ operation: 'INSERT' })).toBeUndefined();
});

test('copies: numbers exact, in the order in which it happened, nothing that a spreadsheet runs', () => {
  const older: ChangeEntry = {
    ...change,
    sequence: '7',
    primaryKey: '=1+1',
    changed: ['n'],
    after: '{"id":1,"n":2}',
  };
  const entries = [change, older];
  expect(entryTexts([change], 'json', [])).toContain('"n": 9007199254740993');
  expect(JSON.parse(entryTexts(entries, 'json', []))).toMatchObject([{ sequence: '7' }, { sequence: '9' }]);
  const lines = entryTexts(entries, 'csv', []).split('\r\n');
  expect(lines[1]).toContain(`,'=1+1,`);
  expect(lines[2]).toContain('"{""id"":42,""n"":9007199254740993}"');
  const tables = [
    { schema: 'public', table: 'Patient', columns: ['id', 'n'], key: ['id'], plain: ['id', 'n'] },
  ];
  expect(entryTexts(entries, 'sql-undo', tables).split('\n')).toEqual([
    'UPDATE "public"."Patient" SET "n" = 1 WHERE "id" = 42;',
    'UPDATE "public"."Patient" SET "n" = 1 WHERE "id" = 1;',
  ]);
  expect(entryTexts([ddl], 'sql-again', [])).toBe('-- DDL of entry 10: the statement is not in the log.');
  expect(tableName('a.b', 'x "y"')).toBe('"a.b"."x ""y"""');
});
