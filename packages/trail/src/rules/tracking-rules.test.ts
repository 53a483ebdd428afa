import { expect, test } from 'vitest';
import { matchesNames, parseNamePattern } from './name-pattern.ts';
import { CompiledRules, type RuledTable } from './table-rules.ts';
import { areSameRules, parseTrackingRules, type TrackingRules } from './tracking-rules.ts';

const rulesOf = (value: unknown): TrackingRules => {
  const parsed = parseTrackingRules(value);
  if ('problem' in parsed) throw new Error(parsed.problem.message);
  return parsed.rules;
};

const table = (
  name: string,
  columns: readonly string[] = ['id'],
  more: Partial<RuledTable> = {},
): RuledTable => ({
  ...{ schema: 'public', table: name, rootSchema: 'public', rootTable: name, columns, primaryKey: ['id'] },
  ...more,
});

test.each<[string, 'table' | 'column', readonly string[], boolean]>([
  ['public.*', 'table', ['public', 'users'], true],
  ['public.*', 'table', ['Public', 'users'], false],
  ['audit_*', 'table', ['any', 'audit_2026'], true],
  ['audit_*', 'table', ['any', 'the_audit_2026'], false],
  ['*.sessions', 'table', ['web', 'sessions'], true],
  ['users', 'table', ['web', 'users'], true],
  ['users', 'table', ['web', 'users2'], false],
  ['*', 'table', ['a', 'b'], true],
  ['public.users.updatedAt', 'column', ['public', 'users', 'updatedAt'], true],
  ['public.users.updatedAt', 'column', ['public', 'users', 'updated'], false],
  ['*.updatedAt', 'column', ['web', 'users', 'updatedAt'], true],
  ['users.*', 'column', ['web', 'users', 'x'], true],
  ['users.*', 'column', ['users', 'web', 'x'], false],
  ['*_cached_counter', 'column', ['a', 'b', 'posts_cached_counter'], true],
  ['"my.schema".t', 'table', ['my.schema', 't'], true],
  ['"a*"', 'table', ['s', 'a*'], true],
  ['"a*"', 'table', ['s', 'ab'], false],
  ['"say ""x"""', 'table', ['s', 'say "x"'], true],
  ['a+b.c$', 'table', ['a+b', 'c$'], true],
  ['a.c', 'table', ['axc', 'c'], false],
  ['*a**b*', 'table', ['s', 'xxaxxbxx'], true],
  ['*a**b*', 'table', ['s', 'xxbxxaxx'], false],
  ['x-y_ä', 'table', ['s', 'x-y_ä'], true],
  ['line*', 'table', ['s', 'line\nbreak'], true],
  ['*', 'table', ['s', '😀'], true],
  ['??', 'table', ['s', 'ab'], false],
])('%s, a pattern of %ss, of %j: %s', (text, kind, names, expected) => {
  const pattern = parseNamePattern(text, kind);
  if (typeof pattern === 'string') throw new Error(pattern);
  expect(matchesNames(pattern, ...names)).toBe(expected);
});

test.each([
  ['a.b.c', 'table', '3 names'],
  ['a.b.c.d', 'column', '4 names'],
  ['a..b', 'table', 'empty'],
  ['.a', 'table', 'empty'],
  ['"a', 'table', 'not closed'],
  ['a'.repeat(401), 'table', 'longer'],
] as const)('%s is no pattern of %ss: %s', (text, kind, why) => {
  expect(parseNamePattern(text, kind)).toContain(why);
});

test('a pattern with many stars is matched in time', () => {
  const pattern = parseNamePattern(`${'*a'.repeat(8)}*b`, 'table');
  if (typeof pattern === 'string') throw new Error(pattern);
  expect(matchesNames(pattern, 's', 'a'.repeat(63))).toBe(false);
});

test('exclusion wins over inclusion; without inclusion everything is recorded', () => {
  const recorded = (value: unknown, name: string, more: Partial<RuledTable> = {}) =>
    new CompiledRules(rulesOf(value)).of(table(name, ['id'], more)).isRecorded;
  expect(recorded({}, 'a')).toBe(true);
  expect(recorded({ include: ['a'] }, 'b')).toBe(false);
  expect(recorded({ include: ['*'], exclude: ['a'] }, 'a')).toBe(false);
  expect(recorded({ exclude: ['a'] }, 'b')).toBe(true);
  // A partition, by its own name or its root's.
  const leaf = { rootTable: 'events' };
  expect(recorded({ exclude: ['events'] }, 'events_2026', leaf)).toBe(false);
  expect(recorded({ exclude: ['events_2026'] }, 'events_2026', leaf)).toBe(false);
  expect(recorded({ include: ['events'] }, 'events_2026', leaf)).toBe(true);
  expect(recorded({ include: ['events'], exclude: ['*_2025'] }, 'events_2025', leaf)).toBe(false);
});

test('of several redactions the strictest counts; a key is hashed, and never ignored', () => {
  const rules = new CompiledRules(
    rulesOf({ ignore: ['*'], redact: { '*.ssn': 'hash', 'users.*': 'mask', 'public.users.pin': 'omit' } }),
  );
  const users = table('users', ['id', 'ssn', 'pin', 'name']);
  expect(rules.of(users)).toEqual({
    isRecorded: true,
    ignored: ['ssn', 'pin', 'name'],
    redacted: { id: 'hash', ssn: 'mask', pin: 'omit', name: 'mask' },
  });
  expect(rules.hiddenKeyColumns(users)).toEqual(['id']);
  expect(rules.hiddenKeyColumns(table('others', ['id', 'ssn'], { primaryKey: ['ssn'] }))).toEqual([]);
  expect(rules.of(table('others', ['id', 'ssn'])).redacted).toEqual({ ssn: 'hash' });
});

test('the order of a document says nothing', () => {
  const a = rulesOf({ exclude: ['b', 'a', 'a'], redact: { y: 'omit', x: 'mask' } });
  const b = rulesOf({ redact: { x: 'mask', y: 'omit' }, exclude: ['a', 'b'], version: 1, include: null });
  expect(areSameRules(a, b)).toBe(true);
  expect(a.exclude).toEqual(['a', 'b']);
});

test.each<[unknown, readonly (string | number)[]]>([
  ['x', []],
  [{ excluded: [] }, ['excluded']],
  [{ exclude: 'a' }, ['exclude']],
  [{ exclude: ['a', 'a.b.c'] }, ['exclude', 1]],
  [{ exclude: [1] }, ['exclude', 0]],
  [{ ignore: ['a\u0000'] }, ['ignore', 0]],
  [{ redact: { ssn: 'hide' } }, ['redact', 'ssn']],
  [{ redact: ['ssn'] }, ['redact']],
  [{ version: 2 }, ['version']],
])('%j is wrong at %j', (value, path) => {
  expect(parseTrackingRules(value)).toMatchObject({ problem: { path } });
});
