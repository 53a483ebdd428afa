import { createDatabase } from '@bemi-db/test-kit/database';
import { ReplayOracle } from '@bemi-db/test-kit/replay-oracle/replay-oracle';
import { expect, test } from 'vitest';
import { createRecordedWorkload, type RecordedWorkload } from '../test/recorded-workload.ts';
import { createWorker } from './create-worker.ts';

/** Committed transactions, by name. */
const transactions = {
  founded: `INSERT INTO shop.team VALUES (1, 'one'), (2, 'two')`,
  renamed: `BEGIN; SELECT witness.send_context('{"userId": 7}'); INSERT INTO shop.event (what) VALUES ('renaming');
            UPDATE shop.team SET name = 'uno' WHERE id = 1; COMMIT`,
  liked: `INSERT INTO shop.favourite (label) VALUES ('same'), ('same')`,
  undone: `BEGIN; INSERT INTO shop.team VALUES (3, 'three'); SAVEPOINT s; INSERT INTO shop.team VALUES (4, 'undone');
           ROLLBACK TO s; COMMIT`,
  again: `UPDATE shop.team SET name = 'eins' WHERE id = 1`,
  'and again': `UPDATE shop.team SET name = 'un' WHERE id = 1`,
  written: `INSERT INTO shop.document (id, title, body) SELECT 1, 'long', string_agg(md5(n::text), '') FROM generate_series(1, 100) n`,
  retitled: `UPDATE shop.document SET title = 'longer'`,
  emptied: 'TRUNCATE shop.favourite',
} as const;

type Name = keyof typeof transactions;
type Xids = Readonly<Record<Name, string>>;

interface Corruption {
  readonly name: string;
  /** Done to a copy of the audit database. */
  readonly sql: (xids: Xids) => string;
  readonly difference: (xids: Xids) => string;
}

const transactionOf = (xid: string) => `(SELECT transaction FROM bemi.transaction_log WHERE xid = ${xid})`;
const change = (xid: string, operation: string) =>
  `sequence = (SELECT min(sequence) FROM bemi.change_log WHERE transaction = ${transactionOf(xid)} AND operation = '${operation}')`;
const dropTransaction = (xid: string) => `
  DELETE FROM bemi.change_log WHERE transaction = ${transactionOf(xid)};
  DELETE FROM bemi.transaction_log WHERE xid = ${xid};`;
const insertCopy = (xid: string, sequence: string, transaction: string, after: string) => `
  INSERT INTO bemi.change_log (log, context_no, relation, sequence, transaction, lsn, before_kind, operation, salt, primary_key, before, after)
  SELECT log, context_no, relation, ${sequence}, ${transaction}, lsn, before_kind, operation, salt, ${after}
    FROM bemi.change_log WHERE ${change(xid, 'INSERT')};`;

const corruptions: readonly Corruption[] = [
  {
    name: 'a change is missing',
    sql: ({ renamed }) => `DELETE FROM bemi.change_log WHERE ${change(renamed, 'UPDATE')}`,
    difference: ({ renamed }) =>
      `Transaction ${renamed} .*the log has 1 changes, the source 2.*: UPDATE of shop.team key 1 is not in the log$`,
  },
  {
    name: 'one of two equal changes is missing',
    sql: ({ liked }) => `DELETE FROM bemi.change_log WHERE ${change(liked, 'INSERT')}`,
    difference: ({ liked }) =>
      `Transaction ${liked} .*INSERT of shop.favourite {.*"same".*} is not in the log$`,
  },
  {
    name: 'a change is there twice',
    sql: ({ founded }) =>
      insertCopy(founded, '1e6', 'transaction', 'primary_key, before, after') +
      // Back to its own transaction's place, behind all others.
      `UPDATE bemi.change_log SET sequence = (SELECT sequence FROM bemi.transaction_log WHERE xid = ${founded}) WHERE sequence = 1e6`,
    difference: ({ founded }) =>
      `Transaction ${founded} .*INSERT of shop.team key 1, entry \\d+, is not in the source$`,
  },
  {
    name: 'a change that was rolled back to a savepoint is there',
    sql: ({ undone }) =>
      insertCopy(
        undone,
        `(SELECT sequence FROM bemi.transaction_log WHERE xid = ${undone})`,
        'transaction',
        `'4', before, '{"id": 4, "name": "undone"}'`,
      ),
    difference: ({ undone }) =>
      `Transaction ${undone} .*INSERT of shop.team key 4, entry \\d+, is not in the source$`,
  },
  {
    name: 'another old value',
    sql: ({ renamed }) =>
      `UPDATE bemi.change_log SET before = '{"name": "eno"}' WHERE ${change(renamed, 'UPDATE')}`,
    difference: ({ renamed }) =>
      `Transaction ${renamed} .*UPDATE of shop.team key 1 differs in before: name \\("eno" in place of "one"\\)$`,
  },
  {
    name: 'another new value',
    sql: ({ founded }) =>
      `UPDATE bemi.change_log SET after = '{"id": 1, "name": "One"}' WHERE ${change(founded, 'INSERT')}`,
    difference: ({ founded }) =>
      `Transaction ${founded} .*INSERT of shop.team key 1 differs in after: name \\("One" in place of "one"\\)$`,
  },
  {
    name: 'an old row that the WAL does not hold',
    sql: ({ retitled }) =>
      `UPDATE bemi.change_log SET before_kind = 'key', before = '{"id": 1}' WHERE ${change(retitled, 'UPDATE')}`,
    difference: ({ retitled }) =>
      `Transaction ${retitled} .*UPDATE of shop.document key 1 differs in before .*; beforeKind \\(key in place of none\\)$`,
  },
  {
    name: 'a large value that was left alone is NULL, not absent',
    sql: ({ retitled }) =>
      `UPDATE bemi.change_log SET after = after::jsonb || '{"body": null}' WHERE ${change(retitled, 'UPDATE')}`,
    difference: ({ retitled }) =>
      `Transaction ${retitled} .*UPDATE of shop.document key 1 differs in after: body \\(null in place of absent\\)$`,
  },
  {
    name: 'another key',
    sql: ({ again }) => `UPDATE bemi.change_log SET primary_key = '2' WHERE ${change(again, 'UPDATE')}`,
    difference: ({ again }) =>
      `Transaction ${again} .*UPDATE of shop.team key 1 differs in primaryKey \\(2 in place of 1\\)$`,
  },
  {
    name: 'another context',
    sql: ({ renamed }) =>
      `UPDATE bemi.context_log SET context = '{"userId": 8}' WHERE transaction = ${transactionOf(renamed)}`,
    difference: ({ renamed }) =>
      `Transaction ${renamed} .*INSERT of shop.event key 1 differs in context \\({"userId": 8} in place of {"userId": 7}\\)$`,
  },
  {
    name: 'a transaction is missing',
    sql: ({ undone }) => dropTransaction(undone),
    difference: ({ undone }) =>
      `Transaction ${undone} of the source \\(1 changes of shop.team\\) is not in the log$`,
  },
  {
    name: 'a TRUNCATE is missing',
    sql: ({ emptied }) => dropTransaction(emptied),
    difference: ({ emptied }) =>
      `Transaction ${emptied} of the source \\(1 changes of shop.favourite\\) is not in the log$`,
  },
  {
    name: 'two transactions are one',
    sql: ({ again, 'and again': andAgain }) => `
      UPDATE bemi.change_log SET transaction = ${transactionOf(again)} WHERE transaction = ${transactionOf(andAgain)};
      DELETE FROM bemi.transaction_log WHERE xid = ${andAgain};`,
    difference: ({ again, 'and again': andAgain }) =>
      `Transaction ${again} .*the log has 2 changes, the source 1.*: UPDATE of shop.team key 1, entry \\d+, is not in the source; the source did that in transaction ${andAgain}$`,
  },
  {
    name: 'a change is in another transaction',
    sql: ({ liked, undone }) =>
      `UPDATE bemi.change_log SET (transaction, sequence) = (SELECT transaction, sequence FROM bemi.transaction_log WHERE xid = ${undone})
        WHERE ${change(liked, 'INSERT')}`,
    difference: ({ liked, undone }) =>
      `Transaction ${liked} .*INSERT of shop.favourite {.*} is not in the log; transaction ${undone} of the log has it$`,
  },
  {
    name: 'a transaction is there twice',
    sql: ({ again }) => `
      INSERT INTO bemi.change_log (log, context_no, relation, sequence, transaction, lsn, before_kind, operation, salt, primary_key, before, after)
      SELECT log, context_no, relation, 1000000, 1000000, lsn, before_kind, operation, salt, primary_key, before, after
        FROM bemi.change_log WHERE ${change(again, 'UPDATE')};
      INSERT INTO bemi.transaction_log SELECT log, generation, 1000001, 1000000, commit_lsn, end_lsn, covered_from_lsn, xid, committed_at, recorded_at, change_count, context_count
        FROM bemi.transaction_log WHERE xid = ${again}`,
    difference: ({ again }) => `Transaction ${again} is in the log again, from entry 1000000 on$`,
  },
  {
    name: 'two transactions are in the other order',
    sql: ({ again, 'and again': andAgain }) => `
      WITH swapped AS (
        SELECT a.sequence AS here, b.sequence AS there, b.relation, b.before, b.after
          FROM bemi.change_log a CROSS JOIN bemi.change_log b
         WHERE (a.transaction = ${transactionOf(again)} AND b.transaction = ${transactionOf(andAgain)})
            OR (b.transaction = ${transactionOf(again)} AND a.transaction = ${transactionOf(andAgain)}))
      UPDATE bemi.change_log c SET before = s.before, after = s.after FROM swapped s WHERE c.sequence = s.here;
      UPDATE bemi.transaction_log SET xid = ${again}::bigint + ${andAgain} - xid WHERE xid IN (${again}, ${andAgain});`,
    difference: ({ 'and again': andAgain }) =>
      `Transaction ${andAgain}, entry \\d+, UPDATE of shop.team key 1: by the log the row 1 was another one before, in name \\("uno" in place of "eins"\\)$`,
  },
];

async function recordedTransactions(): Promise<{ workload: RecordedWorkload; xids: Xids }> {
  const workload = await createRecordedWorkload(await createDatabase(), await createDatabase());
  const { sourceSql, targets } = workload;
  const xids: Record<string, string> = {};
  for (const [name, sql] of Object.entries(transactions)) {
    await sourceSql.query(sql);
    const { rows } = await sourceSql.query<{ xid: string }>(
      'SELECT xid FROM witness.change ORDER BY number DESC LIMIT 1',
    );
    xids[name] = rows[0]!.xid;
  }
  await createWorker(targets).run({ drain: true });
  return { workload, xids: xids as Xids };
}

test('the oracle names what is wrong with a log', async () => {
  const { workload, xids } = await recordedTransactions();
  const { sourceSql, auditSql, audit } = workload;
  expect(await new ReplayOracle().compare(sourceSql, auditSql)).toEqual({
    transactions: Object.keys(transactions).length,
    changes: 13, // one of them a trigger has made
    difference: undefined,
  });
  await auditSql.end();
  for (const { name, sql, difference } of corruptions) {
    const copy = await (await createDatabase(audit.name)).connect();
    await copy.query('SET session_replication_role = replica'); // past the triggers against accidents
    await copy.query(sql(xids));
    const report = await new ReplayOracle().compare(sourceSql, copy);
    expect.soft(report.difference, name).toMatch(new RegExp(difference(xids)));
    await copy.end();
  }
});

test('the oracle sees a table that is not what the log rebuilds, and goes on from where it was', async () => {
  const { workload } = await recordedTransactions();
  const { sourceSql, auditSql, targets } = workload;
  const oracle = new ReplayOracle();
  expect((await oracle.compareAndPrune(sourceSql, auditSql)).difference).toBeUndefined();
  await sourceSql.query(`UPDATE shop.team SET name = 'last' WHERE id = 1`);
  await createWorker(targets).run({ drain: true });
  expect(await oracle.compareAndPrune(sourceSql, auditSql)).toEqual({
    transactions: 1,
    changes: 1,
    difference: undefined,
  });
  // What neither journal nor log have seen.
  await sourceSql.query(`ALTER PUBLICATION bemi_publication DROP TABLE shop.team; ALTER TABLE shop.team DISABLE TRIGGER USER;
                         UPDATE shop.team SET name = 'unseen' WHERE id = 2`);
  expect((await oracle.compare(sourceSql, auditSql)).difference).toBe(
    'Table shop.team, rebuilt from the log: the row 2 differs in name ("two" in place of "unseen")',
  );
});
