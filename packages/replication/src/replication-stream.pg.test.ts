import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { formatLsn, type Lsn, parseLsn, zeroLsn } from './lsn.ts';
import { PgoutputDecoder, type PgoutputHandler } from './pgoutput.ts';
import { startReplication } from './replication-stream.ts';

async function replicationClient(database: TestDatabase): Promise<pg.Client> {
  const config: pg.ClientConfig & { replication: string } = {
    connectionString: database.url,
    replication: 'database',
  };
  const client = new pg.Client(config);
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

/** A stream whose messages are noted as short texts. */
async function listen(database: TestDatabase, slot: string, publication = 'p') {
  const seen: string[] = [];
  const note: PgoutputHandler = {
    begin: () => seen.push('begin'),
    commit: (_commitLsn, endLsn) => {
      lastEnd = endLsn;
      seen.push('commit');
    },
    origin: () => seen.push('origin'),
    relation: ({ schema, name, replicaIdentity }) =>
      seen.push(`relation ${schema}.${name} ${replicaIdentity}`),
    type: (_oid, schema, name) => seen.push(`type ${schema}.${name}`),
    insert: (_lsn, _oid, after) => seen.push(`insert ${after.text(0)}`),
    update: (_lsn, _oid, kind, before, after) =>
      seen.push(`update ${kind} ${before.text(0)} ${after.text(0)}`),
    delete: (_lsn, _oid, kind, before) => seen.push(`delete ${kind} ${before.text(0)}`),
    truncate: (_lsn, oids) => seen.push(`truncate ${oids.length}`),
    message: (_lsn, transactional, prefix, content) =>
      seen.push(`message ${transactional} ${prefix} ${content}`),
  };
  let lastEnd = zeroLsn;
  let keepaliveLsn = zeroLsn;
  const decoder = new PgoutputDecoder(note);
  const client = await replicationClient(database);
  const stream = startReplication({
    client,
    slot,
    publications: [publication],
    messages: true,
    statusIntervalMs: 200,
    onMessage: (lsn, bytes, start, end) => decoder.decode(lsn, bytes, start, end),
    onKeepalive: (lsn) => {
      keepaliveLsn = lsn;
    },
    onDrained: () => undefined,
  });
  return { seen, stream, client, lastEnd: () => lastEnd, keepalive: () => keepaliveLsn };
}

async function prepared(): Promise<{ database: TestDatabase; sql: pg.Client; slot: string }> {
  const database = await createDatabase();
  const sql = await database.connect();
  const slot = `${database.name}_slot`;
  await sql.query(`CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE "Päti""ent" (id text PRIMARY KEY, mood mood);
    ALTER TABLE "Päti""ent" REPLICA IDENTITY FULL;
    CREATE PUBLICATION p FOR ALL TABLES`);
  await sql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  return { database, sql, slot };
}

test('streams every kind of change and message of a real server', async () => {
  const { database, sql, slot } = await prepared();
  const { seen, stream } = await listen(database, slot);
  await sql.query(`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"a":1}');
    INSERT INTO "Päti""ent" VALUES ('é', 'good'); UPDATE "Päti""ent" SET id = 'b'; DELETE FROM "Päti""ent"; COMMIT`);
  await sql.query(`TRUNCATE "Päti""ent"`);
  await expect.poll(() => seen.filter((line) => line === 'commit').length).toBe(2);
  expect(seen).toEqual([
    'begin',
    'message true _bemi {"a":1}',
    'type public.mood',
    'relation public.Päti"ent full',
    'insert é',
    'update full é b',
    'delete full b',
    'commit',
    'begin',
    'type public.mood',
    'relation public.Päti"ent full',
    'truncate 1',
    'commit',
  ]);
  await stream.stop();
});

test('rows far larger than a socket buffer arrive whole', async () => {
  const { database, sql, slot } = await prepared();
  const { seen, stream } = await listen(database, slot);
  const large = 'ü'.repeat(3_000_000);
  await sql
    .query(`INSERT INTO "Päti""ent" VALUES ($1)`, [large])
    .catch((error) => expect(error.code).toBe('54000'));
  await sql.query(`ALTER TABLE "Päti""ent" DROP CONSTRAINT "Päti""ent_pkey"`);
  await sql.query(`INSERT INTO "Päti""ent" VALUES ($1)`, [large]);
  await expect.poll(() => seen.at(-1)).toBe('commit');
  expect(seen.includes(`insert ${large}`)).toBe(true);
  await stream.stop();
});

test('what is confirmed moves the slot; what is not comes again', async () => {
  const { database, sql, slot } = await prepared();
  const first = await listen(database, slot);
  await sql.query(`INSERT INTO "Päti""ent" VALUES ('one')`);
  await expect.poll(() => first.seen.includes('insert one')).toBe(true);
  first.stream.confirm(first.lastEnd());
  await sql.query(`INSERT INTO "Päti""ent" VALUES ('two')`);
  await expect.poll(() => first.seen.includes('insert two')).toBe(true);
  await first.stream.stop();
  const { rows } = await sql.query(
    `SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1`,
    [slot],
  );
  expect(rows[0].lsn <= formatLsn(first.lastEnd())).toBe(true);

  const second = await listen(database, slot);
  await expect.poll(() => second.seen.includes('insert two')).toBe(true);
  expect(second.seen.includes('insert one')).toBe(false);
  await second.stream.stop();
});

test('while paused nothing is handed out, the server still hears from us, and nothing is lost', async () => {
  const { database, sql, slot } = await prepared();
  const { seen, stream } = await listen(database, slot);
  await sql.query(`INSERT INTO "Päti""ent" VALUES ('before')`);
  await expect.poll(() => seen.at(-1)).toBe('commit');
  stream.pause();
  const heard = async () =>
    (
      await sql.query(
        `SELECT reply_time FROM pg_stat_replication JOIN pg_replication_slots ON pid = active_pid WHERE slot_name = $1`,
        [slot],
      )
    ).rows[0].reply_time?.getTime() ?? 0;
  const earlier = await heard();
  await sql.query(`INSERT INTO "Päti""ent" SELECT 'row ' || n FROM generate_series(1, 20000) n`);
  await expect.poll(heard).toBeGreaterThan(earlier);
  expect(seen.filter((line) => line.startsWith('insert')).length).toBe(1);
  stream.resume();
  await expect.poll(() => seen.filter((line) => line === 'commit').length).toBe(2);
  expect(seen.filter((line) => line.startsWith('insert row')).length).toBe(20_000);
  await stream.stop();
});

test('an idle server tells how far it has read, also past the writes of other databases', async () => {
  const { database, slot } = await prepared();
  const other = await (await createDatabase()).connect();
  const { stream, keepalive } = await listen(database, slot);
  await other.query('CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 1000)');
  const lsn: Lsn = parseLsn((await other.query('SELECT pg_current_wal_lsn()::text AS lsn')).rows[0].lsn);
  await expect.poll(() => keepalive() >= lsn, { timeout: 20_000 }).toBe(true);
  await stream.stop();
});

test("the server's errors come with their SQLSTATE", async () => {
  const { database, sql, slot } = await prepared();
  const noSlot = await listen(database, 'no_such_slot');
  await expect(noSlot.stream.ended).rejects.toMatchObject({ code: '42704' });

  const noPublication = await listen(database, slot, `it's "missing" \\`);
  await sql.query(`INSERT INTO "Päti""ent" VALUES ('x')`);
  await expect(noPublication.stream.ended).rejects.toMatchObject({ code: '42704' });

  const { stream, client } = await listen(database, slot, 'p');
  await expect
    .poll(
      async () =>
        (await sql.query(`SELECT active FROM pg_replication_slots WHERE slot_name = $1`, [slot])).rows[0]
          .active,
    )
    .toBe(true);
  const second = await listen(database, slot);
  await expect(second.stream.ended).rejects.toMatchObject({ code: '55006' });
  await sql.query(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1`, [
    slot,
  ]);
  await expect(stream.ended).rejects.toThrow();
  await client.end().catch(() => undefined);
});
