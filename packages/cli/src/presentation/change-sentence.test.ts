import type { Change } from '@bemi-db/trail/query/change';
import picocolors from 'picocolors';
import { expect, test } from 'vitest';
import { changeSentence } from './change-sentence.ts';
import { textStyle } from './text-style.ts';

const style = { colors: picocolors.createColors(false), columns: 160, timeZone: 'UTC' };
const guideContext = JSON.stringify({
  userId: 'test_user_123',
  role: 'PHYSICIAN',
  ipAddress: '192.168.1.100',
  userAgent: 'Test Script',
  endpoint: '/test',
  accessReason: 'Testing Bemi replication',
});

const change = (overrides: Partial<Change> = {}): Change => ({
  sequence: '7',
  operation: 'UPDATE',
  schema: 'public',
  table: 'Patient',
  primaryKey: 'clx1',
  beforeKind: 'full',
  before: '{"id":"clx1","firstName":"Test"}',
  after: '{"id":"clx1","firstName":"Updated"}',
  changed: ['firstName'],
  context: guideContext,
  authenticity: 'unsigned',
  timestamp: '2025-12-09T10:30:00.123456Z',
  transactionId: '740',
  transaction: '1',
  position: '0/1A2B',
  rowQuarantine: undefined,
  contextQuarantine: undefined,
  erased: false,
  contextErased: false,
  actor: undefined,
  actorErased: false,
  ...overrides,
});

test('who, what, which, when, why, from where', () => {
  expect(changeSentence(change(), style)).toBe(
    '2025-12-09 10:30:00  test_user_123 (PHYSICIAN) updated Patient clx1  firstName: "Test" → "Updated"  ' +
      '[Testing Bemi replication · /test · 192.168.1.100]',
  );
});

test('a context that is known to be the application’s, and those that are not to be believed', () => {
  const shown = (authenticity: Change['authenticity']) =>
    changeSentence(change({ authenticity, context: '{"userId":"u1","accessReason":"why"}' }), style);
  expect(shown('authentic')).toMatch(/ {2}\[why · authentic\]$/);
  expect(shown('unsigned')).toMatch(/ {2}\[why\]$/);
  for (const doubt of ['forged', 'replayed', 'stale'] as const)
    expect(shown(doubt)).toMatch(new RegExp(` {2}\\[why\\]\n {4}its context is ${doubt}: [^\n]+$`));
});

test('direct SQL by the database user that a trigger reports, beside no context at all', () => {
  const shown = (actor: string, overrides: Partial<Change> = {}) =>
    changeSentence(change({ context: undefined, authenticity: undefined, actor, ...overrides }), style);
  expect(shown('{"session_user":"alice","application_name":"psql","client_addr":"10.0.0.3"}')).toBe(
    '2025-12-09 10:30:00  direct SQL by alice updated Patient clx1  firstName: "Test" → "Updated"  [psql · 10.0.0.3]',
  );
  expect(shown('{"session_user": "authenticator", "role": "ann", "application_name": ""}')).toMatch(
    / direct SQL by authenticator as ann updated [^[]*$/,
  );
  expect(shown('[{"session_user":"alice"},{"session_user":"bob"}]')).toMatch(
    / by alice or bob updated [^[]*$/,
  );
  expect(shown('{"session_user":"a\\u001b[2J"}')).toContain('direct SQL by a\\u001b[2J updated');
  expect(shown('{"_bemi_dropped":{"":"not JSON"}}')).toContain('direct SQL (without context) updated');
  expect(shown('{"session_user":"alice"}', { context: guideContext })).not.toContain('alice');
  expect(shown('{"session_user":"alice"}', { contextQuarantine: 'not JSON' })).toMatch(
    / by alice .*\n.*quarantine/,
  );
  expect(changeSentence(change({ context: undefined, actorErased: true }), style)).toMatch(
    /user was erased$/,
  );
});

test('the diff stands below where the line is too short', () => {
  const changed = change({
    before: '{"firstName":"Test","visits":9007199254740993}',
    after: '{"firstName":"Updated","visits":9007199254740995}',
    changed: ['firstName', 'visits'],
  });
  expect(changeSentence(changed, { ...style, columns: 80 }).split('\n')).toEqual([
    '2025-12-09 10:30:00  test_user_123 (PHYSICIAN) updated Patient clx1  [Testing Bemi replication · /test · 192.168.1.100]',
    '    firstName: "Test" → "Updated"',
    '    visits: 9007199254740993 → 9007199254740995',
  ]);
});

test('a created and a deleted record show their values, NULLs aside', () => {
  const created = change({
    operation: 'INSERT',
    before: undefined,
    after: '{"id":"clx1","email":null,"n":1}',
    changed: undefined,
  });
  expect(changeSentence(created, style)).toContain('\n    id: "clx1", n: 1');
  const deleted = change({ operation: 'DELETE', after: undefined, changed: undefined });
  expect(changeSentence(deleted, style)).toContain('deleted Patient clx1  [');
  expect(changeSentence(deleted, style)).toContain('\n    id: "clx1", firstName: "Test"');
});

test('direct SQL, other schemas, composite keys', () => {
  const direct = change({ context: undefined, schema: 'sales', table: 'line', primaryKey: '["1","a"]' });
  expect(changeSentence(direct, style)).toBe(
    '2025-12-09 10:30:00  direct SQL (without context) updated sales.line (1, a)  firstName: "Test" → "Updated"',
  );
  const truncate = change({ operation: 'TRUNCATE', context: '{}', primaryKey: undefined, before: undefined });
  expect(changeSentence(truncate, style)).toBe('2025-12-09 10:30:00  somebody truncated Patient');
});

test('who has several names', () => {
  const who = (context: object) =>
    changeSentence(change({ context: JSON.stringify(context) }), style).slice(21, 40);
  expect(who({ user_id: 42 })).toMatch(/^42 updated/);
  expect(who({ user: { email: 'a@b' } })).toMatch(/^a@b updated/);
  expect(who({ userId: null, job: 'nightly' })).toMatch(/^nightly updated/);
});

test('what is not known is said', () => {
  expect(
    changeSentence(change({ beforeKind: 'none', before: undefined, changed: undefined }), style),
  ).toContain('no REPLICA IDENTITY FULL');
  const quarantined = change({ before: undefined, after: undefined, rowQuarantine: 'nul-character' });
  expect(changeSentence(quarantined, style)).toContain('the row is in quarantine: nul-character');
  const context = change({ context: undefined, contextQuarantine: 'not JSON' });
  expect(changeSentence(context, style)).toMatch(
    /somebody updated.*\n {4}its context is in quarantine: not JSON/s,
  );
});

test('data cannot drive the terminal', () => {
  const attack = '\u001b[31mred\u001b]0;title\u0007\u009b1A\u202e';
  const evil = change({
    table: `t${attack}`,
    primaryKey: attack,
    changed: [attack],
    before: `{${JSON.stringify(attack)}:"\u009b2J\u007f"}`,
    after: `{${JSON.stringify(attack)}:${JSON.stringify(`${attack}\n`)}}`,
    context: JSON.stringify({ userId: attack, role: `a\nb${attack}`, accessReason: `\u2028${attack}` }),
  });
  const text = changeSentence(evil, style);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(text.replaceAll('\n    ', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  expect(text).toContain('\\u001b[31mred');
});

test('long values are cut on a terminal, and only there', () => {
  const long = 'x'.repeat(500);
  const update = change({
    before: JSON.stringify({ note: `${long}a` }),
    after: JSON.stringify({ note: `${long}b` }),
    changed: ['note'],
  });
  const shown = changeSentence(update, style);
  expect(shown.length).toBeLessThan(260);
  // Where they differ is seen.
  expect(shown).toMatch(/xa" → "…x+b"/);
  expect(changeSentence(update, { ...style, columns: undefined })).toContain(`${long}b`);
});

test('colours only where the stream wants them', () => {
  const colored = (stream: object, environment: Record<string, string>) =>
    textStyle(stream, environment).colors.red('x') !== 'x';
  expect(colored({ isTTY: true }, {})).toBe(true);
  expect(colored({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
  expect(colored({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  expect(colored({}, { CI: 'true' })).toBe(false);
  expect(colored({}, { FORCE_COLOR: '1' })).toBe(true);
});

test('what was erased is said to be so, and is no empty change', () => {
  const erased = change({
    ...{ primaryKey: undefined, before: undefined, after: undefined, changed: undefined, context: undefined },
    ...{ erased: true, contextErased: true },
  });
  expect(changeSentence(erased, style)).toBe(
    '2025-12-09 10:30:00  somebody updated Patient\n    the row was erased, its key too; its context was erased',
  );
});
