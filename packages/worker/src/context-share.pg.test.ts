import { streamsContext } from '@bemi-db/test-kit/server-major';
import { contextShare } from '@bemi-db/trail/query/context-share';
import { searchChanges } from '@bemi-db/trail/query/search-changes';
import { expect, test } from 'vitest';
import { createTriggeredClinic } from '../test/triggered-clinic.ts';

test.runIf(streamsContext())(
  'how many changes of each table have no context, and who made them',
  async () => {
    const { sql, trail, connect, record } = await createTriggeredClinic({ kinds: ['actor'] });
    const transact = (context: string | undefined, ...writes: string[]) =>
      sql.query(
        [
          'BEGIN',
          ...(context === undefined ? [] : [`SELECT pg_logical_emit_message(true, '_bemi', '${context}')`]),
          ...writes,
          'COMMIT',
        ].join(';'),
      );
    const insert = (first: number, last = first) =>
      `INSERT INTO note SELECT n FROM generate_series(${first}, ${last}) n`;
    await transact(undefined, insert(1, 100));
    await record();
    const { rows } = await trail.query<{ next: string }>('SELECT next_sequence AS next FROM bemi.logs');
    const before = Number(rows[0]!.next);
    const since = new Date();
    await transact('{"userId":"u1"}', insert(101, 104), `INSERT INTO visit VALUES (1), (11)`);
    await transact('{}', insert(105));
    await transact('{"_bemi":{"v":1}}', insert(106));
    await transact('no JSON', insert(107));
    const etl = await connect({ application_name: 'import.py' });
    await etl.query(insert(108, 111));
    await etl.query(`TRUNCATE visit`);
    await record();

    const { next } = (await trail.query<{ next: string }>('SELECT next_sequence AS next FROM bemi.logs'))
      .rows[0]!;
    const share = await contextShare(trail, 0, Number(next) - before);
    const sessionUser = sql.user!;
    expect(share).toEqual({
      entries: Number(next) - before,
      since: expect.any(String),
      tables: [
        {
          schema: 'public',
          table: 'note',
          changes: 11,
          without: 7,
          writers: [
            { sessionUser, application: 'import.py', changes: 4 },
            { sessionUser, application: undefined, changes: 3 },
          ],
        },
        {
          schema: 'public',
          table: 'visit',
          changes: 4,
          without: 2,
          writers: [{ sessionUser, application: 'import.py', changes: 2 }],
        },
      ],
    });
    expect(Math.abs(Date.parse(share.since!) - since.getTime())).toBeLessThan(60_000);
    expect((await contextShare(trail, 0, 1e9)).tables[0]).toMatchObject({ changes: 111, without: 107 });
    const { changes: without } = await searchChanges(trail, {
      log: 0,
      filter: { withoutContext: true, after: String(before) },
      limit: 12,
      order: 'oldest-first',
    });
    expect(without.map(({ operation, primaryKey, table }) => `${operation} ${primaryKey ?? table}`)).toEqual([
      ...[105, 106, 107, 108, 109, 110, 111].map((id) => `INSERT ${id}`),
      'TRUNCATE visit_low',
      'TRUNCATE visit_high',
    ]);
    expect(await contextShare(trail, 0, 0)).toEqual({ entries: 0, since: undefined, tables: [] });

    // The first entry that is looked at is in the middle of a transaction, whose context lies before it.
    const { rows: cut } = await trail.query<{ sequence: string }>(
      `SELECT sequence FROM bemi.change_log WHERE primary_key = '103'`,
    );
    const entries = Number(next) - Number(cut[0]!.sequence);
    expect((await contextShare(trail, 0, entries)).tables[0]).toMatchObject({ changes: 9, without: 7 });
  },
);
