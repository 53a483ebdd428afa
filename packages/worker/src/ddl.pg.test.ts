import { streamsContext } from '@bemi-db/test-kit/server-major';
import { describe, expect, test } from 'vitest';
import { createDdlClinic } from '../test/ddl-clinic.ts';
import { startWorkerProcess } from '../test/worker-process.ts';
import { createWorker } from './create-worker.ts';

describe.runIf(streamsContext())('DDL', () => {
  test('stands in the log at its place, in its transaction, with its context', async () => {
    const { sql, trail, record, entries } = await createDdlClinic();
    const emit = (prefix: string, content: object) =>
      `SELECT pg_logical_emit_message(true, '${prefix}', '${JSON.stringify(content)}')`;
    const statements = [
      'BEGIN',
      emit('_bemi', { why: 'release 7' }),
      'CREATE TABLE note (id int PRIMARY KEY, v text)',
      `INSERT INTO note VALUES (1, 'a')`,
      emit('_bemi', { why: 'and more' }),
      'ALTER TABLE note ADD COLUMN at float NOT NULL DEFAULT random()',
      `UPDATE note SET v = 'b'`,
      'COMMIT',
      'BEGIN; DROP TABLE note; ROLLBACK',
      'ALTER TABLE note SET UNLOGGED',
      `BEGIN; SAVEPOINT a; ALTER TABLE note ADD COLUMN undone int; ROLLBACK TO a; ${emit('_bemi', { why: 'nothing' })}; COMMIT`,
      `BEGIN; DROP TABLE note; ${emit('_bemi', { why: 'too late' })}; ${emit('_bemi_actor', { session_user: 'eve' })}; COMMIT`,
    ];
    for (const statement of statements) await sql.query(statement);
    await record();
    expect(await entries()).toEqual([
      'context {"why":"release 7"}',
      'ddl command ALTER TABLE note context=0',
      'ddl command CREATE TABLE note context=0',
      'relation note',
      'INSERT note key=1 context=0',
      'context {"why":"and more"}',
      'ddl rewrite ALTER TABLE note context=1',
      'ddl command ALTER TABLE note context=1',
      'relation note',
      'UPDATE note key=1 context=1',
      'commit changes=2 contexts=2',
      'ddl rewrite ALTER TABLE note context=0',
      'ddl command ALTER TABLE note context=0',
      'commit changes=0 contexts=0',
      'ddl drop DROP TABLE note context=0',
      'context {"why":"too late"}',
      'commit changes=0 contexts=1',
    ]);
    // What the change before the rewrite has, and the change after it.
    const { rows } = await trail.query(
      `SELECT before ? 'at' AS before, after ? 'at' AS after FROM bemi.changes ORDER BY id`,
    );
    expect(rows).toEqual([
      { before: null, after: false },
      { before: true, after: true },
    ]);
    // The event names its transaction, and the commit that follows it is the transaction's, with its actor.
    const { rows: found } = await trail.query(
      `SELECT e.payload ->> 'xid' = t.xid::text AND (e.payload ->> 'commitLsn')::pg_lsn = t.commit_lsn AND e.at = t.committed_at AS same,
              t.actor ->> 'session_user' AS actor, t.transaction = t.sequence AS "isOwn"
         FROM bemi.event_log e CROSS JOIN LATERAL (SELECT * FROM bemi.transaction_log t WHERE t.sequence > e.sequence ORDER BY t.sequence LIMIT 1) t
        WHERE e.kind = 'ddl' ORDER BY e.sequence`,
    );
    expect(found.map(({ same }) => same)).toEqual(Array(7).fill(true));
    expect([found[4].isOwn, found[6].isOwn, found[6].actor]).toEqual([true, false, 'eve']);
  });

  test('is recorded once, also where nothing else is in its transaction, and a worker is killed', async () => {
    const { sql, targets, trail, entries, verify } = await createDdlClinic();
    const count = 40;
    const ddl = async () => (await entries()).filter((line) => line.startsWith('ddl'));
    for (let i = 0; i < count; i++) await sql.query(`CREATE TABLE t${i} (id int)`);
    const [first] = [startWorkerProcess(targets)];
    await expect.poll(async () => (await ddl()).length, { timeout: 30_000 }).toBeGreaterThan(0);
    first.kill('SIGKILL');
    await first.exited;
    // Committed, and the slot was not told: each comes again.
    let failures = 0;
    const worker = createWorker({
      ...targets,
      failpoint: (name) => {
        if (name !== 'commit:after' || ++failures > 2) return;
        throw Object.assign(new Error('injected'), { code: 'ECONNRESET' });
      },
    });
    for (let i = 0; i < count; i++) await sql.query(`DROP TABLE t${i}`);
    await worker.run({ drain: true });
    expect(failures).toBeGreaterThan(2);
    await verify();
    const expected = Array.from({ length: count }, (_, i) => [
      `ddl command ALTER TABLE t${i} context=0`,
      `ddl command CREATE TABLE t${i} context=0`,
    ]).flat();
    const dropped = Array.from({ length: count }, (_, i) => `ddl drop DROP TABLE t${i} context=0`);
    expect(await ddl()).toEqual([...expected, ...dropped]);
    const { rows } = await trail.query('SELECT count(*)::int AS n FROM bemi.transaction_log');
    expect(rows).toEqual([{ n: 2 * count }]);
  });

  test('a slot that sends everything again brings nothing twice', async () => {
    const { sql, source, targets, record, entries } = await createDdlClinic();
    // A slot that nobody moves plays the one whose confirmations were lost.
    await sql.query(`SELECT pg_copy_logical_replication_slot($1, $2)`, [targets.slot, `${source.name}_old`]);
    await sql.query('CREATE TABLE a (id int PRIMARY KEY)');
    await sql.query('DROP TABLE a; CREATE TABLE b (id int PRIMARY KEY)');
    await record();
    const once = await entries();
    await sql.query('SELECT pg_drop_replication_slot($1)', [targets.slot]);
    await sql.query(`SELECT pg_copy_logical_replication_slot($1, $2)`, [`${source.name}_old`, targets.slot]);
    await record();
    expect(await entries()).toEqual(once);
    await sql.query('INSERT INTO b VALUES (1)');
    await record();
    expect((await entries()).slice(once.length)).toEqual([
      'relation b',
      'INSERT b key=1 context=0',
      'commit changes=1 contexts=0',
    ]);
  });

  test('that nobody can read is kept, counted, and stops nothing', async () => {
    const { sql, trail, targets, entries, verify } = await createDdlClinic();
    await sql.query('CREATE TABLE note (id int PRIMARY KEY)');
    const emit = (content: string) =>
      sql.query(`SELECT pg_logical_emit_message(true, '_bemi_ddl', $1::text)`, [content]);
    await emit('no JSON');
    await emit('[]');
    await emit('{"objects":[{"kind":"table","oid":"x"},7,null,{"kind":"table","schema":1}],"a":"\\u0000"}');
    await emit('{"objects":{"length":3},"columns":7}');
    await emit(`{"a":"${'x'.repeat(17 * 1024 * 1024)}"}`);
    await sql.query(`SELECT pg_logical_emit_message(true, '_bemi_ddl', '\\xff00'::bytea)`);
    await sql.query(`SELECT pg_logical_emit_message(false, '_bemi_ddl', '{}')`);
    // In any role's name, the key of a table that exists can't be another one.
    const { rows: told } = await sql.query(`SELECT bemi_ddl.table_state('note'::regclass) AS state`);
    await emit(JSON.stringify({ objects: [{ ...told[0].state, primary_key: [] }] }));
    await sql.query('INSERT INTO note VALUES (1)');
    const worker = createWorker(targets);
    await worker.run({ drain: true });
    await verify();
    expect(worker.status().quarantined).toBe(5);
    expect((await entries()).slice(3)).toEqual([
      'ddl not JSON context=0',
      'commit changes=0 contexts=0',
      'ddl not a JSON object context=0',
      'commit changes=0 contexts=0',
      'ddl null-character context=0',
      'commit changes=0 contexts=0',
      expect.stringMatching(/^ddl/),
      'commit changes=0 contexts=0',
      'ddl too-large context=0',
      'commit changes=0 contexts=0',
      'ddl no text in the encoding UTF8 context=0',
      'commit changes=0 contexts=0',
      'ddl   note context=0',
      'commit changes=0 contexts=0',
      'relation note',
      'INSERT note key=1 context=0',
      'commit changes=1 contexts=0',
    ]);
    const { rows } = await trail.query(
      `SELECT convert_from(decode(payload ->> 'bytes', 'base64'), 'UTF8') AS bytes, payload ->> 'size' AS size,
              payload ->> 'sha256' = encode(sha256('no JSON'), 'hex') AS same
         FROM bemi.event_log WHERE payload ->> 'refused' = 'not JSON'`,
    );
    expect(rows).toEqual([{ bytes: 'no JSON', size: '7', same: true }]);
  });

  test('tells the key of a table that was made, altered and dropped while nobody recorded', async () => {
    const { sql, record, entries } = await createDdlClinic();
    await sql.query(
      `CREATE TABLE gone (a int, b text, PRIMARY KEY (b, a)); INSERT INTO gone VALUES (1, 'x')`,
    );
    await sql.query(
      `ALTER TABLE gone DROP CONSTRAINT gone_pkey, ADD COLUMN c int PRIMARY KEY DEFAULT 7; UPDATE gone SET a = 2`,
    );
    await sql.query('DROP TABLE gone');
    await record();
    expect((await entries()).filter((line) => /INSERT|UPDATE/.test(line))).toEqual([
      'INSERT gone key=["x","1"] context=0',
      'UPDATE gone key=7 context=0',
    ]);
  });

  test('of the trail itself is not recorded, where it is in the source', async () => {
    const { sql, record, entries } = await createDdlClinic({ audit: 'the source' });
    await sql.query('CREATE TABLE bemi.more (id int); CREATE TABLE note (id int)');
    await sql.query('CREATE TABLE bemi.still_more (id int)');
    await record();
    expect(await entries()).toEqual([
      'ddl command ALTER TABLE note context=0',
      'ddl command CREATE TABLE note context=0',
      'commit changes=0 contexts=0',
    ]);
  });

  test('of thousands of tables in one transaction is written in parts', async () => {
    const { sql, record, trail } = await createDdlClinic();
    await sql.query(`DO $$ BEGIN FOR i IN 1..120 LOOP
      EXECUTE format('CREATE TABLE wide_%s (%s)', i, (SELECT string_agg('column_number_' || n || ' int', ', ') FROM generate_series(1, 400) n)); END LOOP; END $$`);
    await record();
    const { rows } = await trail.query(
      `SELECT count(*)::int AS events, sum(length(payload::text)) > 5e6 AS "isLarge", count(DISTINCT payload ->> 'xid')::int AS transactions
         FROM bemi.event_log WHERE kind = 'ddl'`,
    );
    expect(rows).toEqual([{ events: 240, isLarge: true, transactions: 1 }]);
  });
});
