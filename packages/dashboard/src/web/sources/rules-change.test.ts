import { tableRules } from '@bemi-db/trail/rules/table-rules';
import { noRules, parseTrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import { expect, test } from 'vitest';
import type { RulesTexts } from '../../api/rules.ts';
import { exactPattern, type Rule, rulesOf, withoutRule, withRule } from './rules-change.ts';

const none: RulesTexts = { include: [], exclude: [], ignore: [], redact: {} };

test('rules come and go one by one', () => {
  const wanted: Rule[] = [
    { kind: 'include', pattern: 'public.*' },
    { kind: 'exclude', pattern: 'sessions' },
    { kind: 'ignore', pattern: '*.updatedAt' },
    { kind: 'hash', pattern: 'users.ssn' },
  ];
  const all = wanted.reduce(withRule, none);
  expect(rulesOf(all)).toEqual(wanted);
  expect(withRule(all, wanted[1]!)).toEqual(all);
  expect(withRule(all, { kind: 'omit', pattern: 'users.ssn' }).redact).toEqual({ 'users.ssn': 'omit' });
  expect(wanted.reduce(withoutRule, all)).toEqual(none);
});

test.each(['plain', 'Case', 'with.dot', 'with*star', 'with"quote', 'with space', '*', '"'])(
  'the pattern of a table %s names it, and no other',
  (name) => {
    const parsed = parseTrackingRules({ ...noRules, exclude: [exactPattern('public', name)] });
    if ('problem' in parsed) throw new Error(parsed.problem.message);
    const isRecorded = (table: string) =>
      tableRules(parsed.rules, {
        ...{ schema: 'public', table, rootSchema: 'public', rootTable: table },
        ...{ columns: [], primaryKey: [] },
      }).isRecorded;
    expect(isRecorded(name)).toBe(false);
    expect(isRecorded(`${name}2`)).toBe(true);
    expect(isRecorded('other')).toBe(true);
  },
);
