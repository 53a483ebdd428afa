import { createDatabase } from '@bemi-db/test-kit/database';
import { effort } from '@bemi-db/test-kit/effort';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { runRandomWorkload } from '@bemi-db/test-kit/random-workload/run-random-workload';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import { CompiledRules } from '@bemi-db/trail/rules/table-rules';
import { parseTrackingRules, type TrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { encryptionKey } from '../test/context-key.ts';
import { createRecordedWorkload } from '../test/recorded-workload.ts';
import { parseEncryptionKey } from './authenticity/sealed-key.ts';
import { createWorker } from './create-worker.ts';
import { valueHash } from './rules/value-hash.ts';
import type { ShapeDocument } from './table-shape.ts';

const parsed = parseTrackingRules({
  exclude: ['shop.batch*', 'US', 'tally'],
  ignore: ['revision', 'measurement.value', 'customer.score'],
  // Texts, whose JSON is what was hashed, and whole numbers.
  redact: {
    'customer.name': 'hash',
    '*.v': 'mask',
    detail: 'omit',
    payload: 'hash',
    'team.id': 'hash',
    'note.*': 'omit',
  },
});

interface LoggedChange {
  readonly document: ShapeDocument;
  readonly xid: string;
  readonly lsn: string;
  readonly operation: string;
  readonly beforeKind: string;
  readonly primaryKey: string | null;
  /** As they are stored. */
  readonly before: string | null;
  readonly after: string | null;
  readonly context: string | null;
}

async function loggedChanges(audit: pg.ClientBase): Promise<LoggedChange[]> {
  const { rows } = await audit.query<LoggedChange>(
    `SELECT r.document, t.xid::text, c.lsn::text, c.operation, c.before_kind AS "beforeKind", c.primary_key AS "primaryKey",
            c.before::text, c.after::text, x.context::text
       FROM bemi.change_log c
       JOIN bemi.relations r USING (log, relation)
       JOIN bemi.transaction_log t USING (log, transaction)
       LEFT JOIN bemi.context_log x ON x.log = c.log AND x.transaction = c.transaction AND x.context_no = c.context_no
      ORDER BY c.sequence`,
  );
  return rows;
}

/** What rules make of what was recorded without them, done to the texts. */
function ruled(rules: TrackingRules, hash: (text: string) => string) {
  const compiled = new CompiledRules(rules);
  return (change: LoggedChange): LoggedChange[] => {
    const { document, operation, beforeKind, before, after, primaryKey } = change;
    const columns = document.columns.map(({ name }) => name);
    const { isRecorded, ignored, redacted } = compiled.of({ ...document, columns });
    const changed = before === null ? [] : Object.keys(JSON.parse(before) as object);
    const isIgnored =
      operation === 'UPDATE' &&
      beforeKind === 'full' &&
      changed.length > 0 &&
      changed.every((name) => ignored.includes(name));
    if (!isRecorded || isIgnored) return [];
    const replaced = (value: unknown, name: string): unknown => {
      const how = redacted[name];
      if (value === null || how === undefined) return value;
      return how === 'mask' ? '***' : hash(String(value));
    };
    const row = (text: string | null): string | null =>
      text === null
        ? null
        : JSON.stringify(
            Object.entries(JSON.parse(text) as object)
              .filter(([name]) => redacted[name] !== 'omit')
              .map(([name, value]) => [name, replaced(value, name)]),
          );
    const [key] = document.primaryKey;
    const isKeyHashed = document.primaryKey.length === 1 && redacted[key!] === 'hash';
    return [
      {
        ...change,
        primaryKey: isKeyHashed && primaryKey !== null ? hash(primaryKey) : primaryKey,
        before: row(before),
        after: row(after),
      },
    ];
  };
}

test('what rules leave of a random workload is what they make of the same workload recorded without them', async () => {
  if ('problem' in parsed) throw new Error(parsed.problem.message);
  const { rules } = parsed;
  const seed = testSeed();
  const whole = await createRecordedWorkload(await createDatabase(), await createDatabase());
  const audit = await createDatabase();
  const slot = `${whole.source.name}_ruled`;
  await whole.sourceSql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  const signal = AbortSignal.timeout(effort(2_000, 60_000));
  await runRandomWorkload({ url: whole.source.url, seed, signal });
  await createWorker(whole.targets).run({ drain: true });
  const worker = createWorker({
    ...{
      source: whole.source.url,
      destination: audit.url,
      slot,
      encryptionKey,
      name: `${whole.source.name}_ruled`,
    },
    rules: { rules, file: 'bemi.config.yaml' },
  });
  await worker.run({ drain: true });
  const auditSql = await audit.connect();
  await verifyLogStructure(auditSql);
  const report = await verifyStoredLog({ client: auditSql, log: 0, keys: [], checkpoints: [] });
  expect(report.findings, `seed ${seed}`).toEqual([]);

  const { rows } = await auditSql.query<{ id: string }>('SELECT log_id AS id FROM bemi.logs');
  const hash = valueHash(parseEncryptionKey(encryptionKey), rows[0]!.id);
  const all = await loggedChanges(whole.auditSql);
  const expected = all.flatMap(ruled(rules, (text) => hash.of(Buffer.from(text))));
  const inOrder = (text: string | null): string | null =>
    text === null ? null : JSON.stringify(Object.entries(JSON.parse(text) as object));
  const recorded = (await loggedChanges(auditSql)).map((change) => ({
    ...change,
    before: inOrder(change.before),
    after: inOrder(change.after),
  }));
  expect(recorded.length, `seed ${seed}`).toBe(expected.length);
  for (const [i, change] of recorded.entries())
    expect(change, `seed ${seed}, change ${i}`).toEqual(expected[i]);
  // Enough of everything.
  expect(worker.status().leftOut).toBe(all.length - expected.length);
  expect(expected.length).toBeGreaterThan(30);
  expect(all.length - expected.length).toBeGreaterThan(30);
  for (const mark of ['***', 'hmac-sha256:'])
    expect(
      recorded.some(({ after }) => after?.includes(mark)),
      mark,
    ).toBe(true);
});
