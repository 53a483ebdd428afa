import { runWithBemiContext } from '@bemi-db/context';
import { wrapClient } from '@bemi-db/context/pg';
import { triggersUp } from '@bemi-db/source/context-triggers';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { createTriggeredClinic } from '../test/triggered-clinic.ts';

// What the migrations of Bemi's published clients make, in our words. Those for Prisma, TypeORM, Drizzle, MikroORM, Rails,
// SQLAlchemy and Django have the same function `_bemi_row_trigger_func` (github.com/BemiHQ): a row trigger takes what stands
// between `/*Bemi ` and ` Bemi*/` in the text of the query, and sends it for each row.
const rowTriggers = `
  CREATE FUNCTION _bemi_row_trigger_func() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    query text := current_query();
    start integer := strpos(query, '/*Bemi ');
    given text;
  BEGIN
    IF start > 0 THEN
      given := substr(query, start + 7);
      IF strpos(given, ' Bemi*/') > 0 THEN given := left(given, strpos(given, ' Bemi*/') - 1); END IF;
      IF given <> '' THEN PERFORM pg_logical_emit_message(true, '_bemi', given); END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER _bemi_row_trigger_note BEFORE INSERT OR UPDATE OR DELETE ON note
    FOR EACH ROW EXECUTE FUNCTION _bemi_row_trigger_func();
  CREATE TRIGGER _bemi_row_trigger_visit BEFORE INSERT OR UPDATE OR DELETE ON visit
    FOR EACH ROW EXECUTE FUNCTION _bemi_row_trigger_func()`;

/** As the clients send it: the comment behind the statement, with the statement in it. */
const commented = (sql: string, context: object): string =>
  `${sql} /*Bemi ${JSON.stringify({ ...context, SQL: sql })} Bemi*/`;

describe.runIf(streamsContext())('the row triggers of the published clients', () => {
  test('give each change the context of its statement, stored once where it is the same', async () => {
    const { sql, record, trail } = await createTriggeredClinic(undefined, (client) =>
      client.query(rowTriggers),
    );
    const insert = `INSERT INTO note SELECT n, 'v' FROM generate_series(1, $1::int) n`;
    const update = `UPDATE note SET v = $1`;
    const remove = 'DELETE FROM note WHERE id = $1';
    const [u1, u2] = [{ userId: 1 }, { userId: 2 }];
    await sql.query(commented(insert, u1), [3]);
    await sql.query('BEGIN');
    await sql.query(commented(update, u1), ['w']);
    await sql.query(commented(remove, u2), [3]);
    await sql.query(commented(`INSERT INTO visit VALUES ($1), (11)`, u2), [1]);
    await sql.query('SAVEPOINT a');
    await sql.query(commented(update, u1), ['x']);
    await sql.query('ROLLBACK TO a');
    await sql.query(commented(update, u1), ['y']);
    await sql.query('COMMIT');
    await sql.query(update, ['z']);
    const is = (context: object, query: string) => ({ ...context, SQL: query });
    expect(await record()).toEqual([
      ...[1, 2, 3].map((id) => [`INSERT ${id}`, is(u1, insert)]),
      ...[1, 2, 3].map((id) => [`UPDATE ${id}`, is(u1, update)]),
      ['DELETE 3', is(u2, remove)],
      ['INSERT 1', is(u2, 'INSERT INTO visit VALUES ($1), (11)')],
      ['INSERT 11', is(u2, 'INSERT INTO visit VALUES ($1), (11)')],
      ...[1, 2].map((id) => [`UPDATE ${id}`, is(u1, update)]),
      ...[1, 2].map((id) => [`UPDATE ${id}`, null]),
    ]);
    // Nine messages of the second transaction are four contexts: one each time that it changes.
    const { rows } = await trail.query(
      `SELECT context_count AS contexts, change_count::int AS changes FROM bemi.transaction_log ORDER BY sequence`,
    );
    expect(rows).toEqual([
      { contexts: 1, changes: 3 },
      { contexts: 4, changes: 8 },
      { contexts: 0, changes: 2 },
    ]);
  });

  test('stand beside our carriers, in one transaction and one statement', async () => {
    const { connect, record } = await createTriggeredClinic(undefined, async (client: pg.Client) => {
      await client.query(rowTriggers);
      await client.query(triggersUp({ kinds: ['context', 'actor'], tables: 'all' }));
    });
    const wrapped = wrapClient(await connect({ application_name: 'app' }));
    const insert = (id: number) => `INSERT INTO note VALUES (${id})`;
    const comment = { by: 'comment' };
    await runWithBemiContext({ by: 'driver' }, async () => {
      await wrapped.query('BEGIN');
      await wrapped.query(insert(1));
      await wrapped.query(commented(insert(2), comment));
      await wrapped.query(insert(3)); // nothing says that the comment's time is over
      await wrapped.query(`SET LOCAL bemi.context = '{"by":"setting"}'`);
      await wrapped.query(insert(4));
      await wrapped.query('COMMIT');
      await wrapped.query(commented(insert(5), comment));
      await wrapped.query(insert(6));
    });
    const changes = await record();
    const said = { ...comment, SQL: 'INSERT INTO note VALUES (2)' };
    expect(changes.map(([what, context]) => [what, context])).toEqual([
      ['INSERT 1', { by: 'driver' }],
      ['INSERT 2', said],
      ['INSERT 3', said],
      ['INSERT 4', { by: 'setting' }],
      ['INSERT 5', { ...comment, SQL: 'INSERT INTO note VALUES (5)' }],
      ['INSERT 6', { by: 'driver' }],
    ]);
    expect(new Set(changes.map(([, , actor]) => JSON.stringify(actor))).size).toBe(1);
  });

  test('send whatever stands there, also what somebody broke out of; it goes into quarantine', async () => {
    const { sql, record, trail } = await createTriggeredClinic(undefined, (client) =>
      client.query(rowTriggers),
    );
    await sql.query(`INSERT INTO note VALUES (1) /*Bemi {"url":"*/ -- Bemi*/`);
    await sql.query(`INSERT INTO note VALUES (2) /*Bemi {"userId":1} Bemi*/`);
    expect(await record()).toEqual([
      ['INSERT 1', null],
      ['INSERT 2', { userId: 1 }],
    ]);
    const { rows } = await trail.query(
      `SELECT field, reason, convert_from(bytes, 'UTF8') AS bytes FROM bemi.quarantine`,
    );
    expect(rows).toEqual([{ field: 'context', reason: 'not JSON', bytes: '{"url":"*/ --' }]);
  });
});
