import { execFileSync } from 'node:child_process';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import { searchChanges } from '@bemi-db/trail/query/search-changes';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createTriggeredClinic } from '../test/triggered-clinic.ts';

const psql = (() => {
  try {
    execFileSync('psql', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

describe.runIf(streamsContext())('the database user that a statement trigger reports', () => {
  test('is recorded once a transaction, beside the context and never in it', async () => {
    const { sql, source, connect, record, trail } = await createTriggeredClinic({ kinds: ['actor'] });
    const role = `${source.name}_alice`;
    await sql.query(
      `CREATE ROLE ${role} LOGIN PASSWORD 'secret' IN ROLE pg_write_all_data, pg_read_all_data`,
    );
    await sql.query(
      `CREATE ROLE "${role} ""ann"" é"; GRANT "${role} ""ann"" é" TO ${role}; GRANT INSERT ON note TO "${role} ""ann"" é"`,
    );
    onTestFinished(async () => {
      await sql.query(`DROP OWNED BY "${role} ""ann"" é"; DROP ROLE ${role}; DROP ROLE "${role} ""ann"" é"`);
    });
    const alice = await connect({
      connectionString: source.urlAs(role, 'secret'),
      application_name: 'a "tool"',
    });
    const actor = { session_user: role, application_name: 'a "tool"', client_addr: '127.0.0.1' };
    await alice.query(`INSERT INTO note SELECT n FROM generate_series(1, 2) n`);
    await alice.query(`BEGIN; INSERT INTO note VALUES (3);
      SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"u1"}'); UPDATE note SET v = 'x' WHERE id = 3; COMMIT`);
    await alice.query(`BEGIN; SET LOCAL ROLE "${role} ""ann"" é"; INSERT INTO note VALUES (4); COMMIT`);
    await alice.query(
      `BEGIN; SAVEPOINT a; INSERT INTO note VALUES (50); ROLLBACK TO a; INSERT INTO note VALUES (5); COMMIT`,
    );
    await alice.query(`SET bemi.actor_sent = 'long ago'`);
    await alice.query(`UPDATE note SET v = 'nowhere' WHERE false; INSERT INTO note VALUES (6)`);
    const u1 = { userId: 'u1' };
    expect(await record()).toEqual([
      ['INSERT 1', null, actor],
      ['INSERT 2', null, actor],
      ['INSERT 3', u1, actor],
      ['UPDATE 3', u1, actor],
      ['INSERT 4', null, { ...actor, role: `${role} "ann" é` }],
      ['INSERT 5', null, actor],
      ['INSERT 6', null, actor],
    ]);
    const { rows } = await trail.query(
      `SELECT id, context, actor->>'session_user' AS who FROM bemi.changes WHERE primary_key = '3' ORDER BY id`,
    );
    expect(rows).toEqual([
      { id: expect.any(String), context: u1, who: role },
      { id: expect.any(String), context: u1, who: role },
    ]);
    expect((await trail.query('SELECT actor IS NOT NULL AS there FROM public.changes LIMIT 1')).rows).toEqual(
      [{ there: true }],
    );
  });

  test('that somebody says by hand as well stands beside it, and what is no actor is said', async () => {
    const { sql, record, trail } = await createTriggeredClinic({ kinds: ['context', 'actor'] });
    const emit = (content: string) => `SELECT pg_logical_emit_message(true, '_bemi_actor', '${content}')`;
    const own = expect.objectContaining({ session_user: sql.user });
    await sql.query(`BEGIN; ${emit('{"session_user": "mallory"}')}; INSERT INTO note VALUES (1); COMMIT`);
    await sql.query(`BEGIN; INSERT INTO note VALUES (2); ${emit('no JSON')}; ${emit('no JSON')}; COMMIT`);
    await sql.query(`BEGIN; ${emit('{"a": "\\u0000"}')}; ${emit('[]')}; INSERT INTO note VALUES (3); COMMIT`);
    await sql.query(`BEGIN; ${emit(`{"a":"${'x'.repeat(70_000)}"}`)}; INSERT INTO note VALUES (4); COMMIT`);
    const many = Array.from({ length: 20 }, (_, n) => emit(`{"n":${n}}`)).join(';');
    await sql.query(`BEGIN; ${many}; INSERT INTO note VALUES (5); COMMIT`);
    await sql.query(emit('{"nothing":"follows"}'));
    await sql.query(`SELECT pg_logical_emit_message(false, '_bemi_actor', '{}')`);
    const dropped = (reason: string) => ({ _bemi_dropped: { '': reason } });
    expect(await record()).toEqual([
      ['INSERT 1', null, [{ session_user: 'mallory' }, own]],
      ['INSERT 2', null, [own, dropped('not JSON')]],
      ['INSERT 3', null, [dropped('null-character'), dropped('not a JSON object'), own]],
      ['INSERT 4', null, [dropped('too-large'), own]],
      ['INSERT 5', null, [...Array.from({ length: 8 }, (_, n) => ({ n })), dropped('more than 8')]],
    ]);
    // Nothing is lost without a word, and the log is whole (`record` verifies it). A superuser who changes one is found.
    await trail.query(`SELECT set_config('session_replication_role', 'replica', false)`);
    await trail.query(
      `UPDATE bemi.transaction_log SET actor = '{"session_user":"nobody"}' WHERE actor::text ~ 'mallory'`,
    );
    await expect(record()).rejects.toThrow();
  });

  test('is told to have been erased, where it was', async () => {
    const { sql, record, trail } = await createTriggeredClinic({ kinds: ['actor'] });
    await sql.query('INSERT INTO note VALUES (1)');
    expect(await record()).toHaveLength(1);
    await trail.query(
      `SELECT bemi.erase_entries(0, (SELECT json_build_array(json_build_array(sequence, sequence)) FROM bemi.transaction_log))`,
    );
    const { changes } = await searchChanges(trail, { log: 0, filter: {}, limit: 1 });
    expect(changes[0]).toMatchObject({ primaryKey: '1', actor: undefined, actorErased: true, erased: false });
  });

  test.runIf(psql)('attributes what is typed into psql', async () => {
    const { sql, source, record } = await createTriggeredClinic({ kinds: ['actor'] });
    execFileSync('psql', [source.url, '-X', '-q', '-c', `INSERT INTO note VALUES (1, 'by hand')`]);
    expect(await record()).toEqual([
      ['INSERT 1', null, { session_user: sql.user, application_name: 'psql', client_addr: '127.0.0.1' }],
    ]);
  });
});
