import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

/** An audit database that rejects what contains a word, which no scan of ours could know. */
async function recordedWithReluctance() {
  const recorded = await createRecordedDatabase((client) =>
    client.query(`CREATE TABLE note (id integer PRIMARY KEY, text text);
                  ALTER TABLE note REPLICA IDENTITY FULL`),
  );
  const { source, audit, trail, slot } = recorded;
  const options = { source: source.url, destination: audit.url, slot };
  await createWorker(options).run({ drain: true });
  await trail.query(`
    CREATE FUNCTION public.reject() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF new::text LIKE '%unwelcome%' THEN RAISE EXCEPTION 'no' USING ERRCODE = '22P02'; END IF;
      RETURN new;
    END $$;
    CREATE TRIGGER reject BEFORE INSERT ON bemi.change_log FOR EACH ROW EXECUTE FUNCTION public.reject();
    CREATE TRIGGER reject BEFORE INSERT ON bemi.context_log FOR EACH ROW EXECUTE FUNCTION public.reject();`);
  return {
    ...recorded,
    drain: () => createWorker(options).run({ drain: true }),
    async quarantined() {
      const { rows } = await trail.query(
        `SELECT q.field, q.reason, position('unwelcome'::bytea IN q.bytes) > 0 AS "hasBytes" FROM bemi.quarantine q
          ORDER BY q.sequence`,
      );
      return rows;
    },
    async keys() {
      const { rows } = await trail.query(`SELECT primary_key FROM bemi.changes ORDER BY id`);
      return rows.map(({ primary_key }) => primary_key);
    },
    async expectWhole() {
      const report = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
      expect(report.findings).toEqual([]);
    },
  };
}

const kept = (field: 'row' | 'context') => ({ field, reason: 'rejected-22P02', hasBytes: true });

test('rows that the audit database rejects all the same go into quarantine, those around them are recorded', async () => {
  const { sql, drain, quarantined, keys, expectWhole } = await recordedWithReluctance();
  await sql.query(`INSERT INTO note SELECT n, 'welcome' FROM generate_series(1, 5) n`);
  await sql.query(
    `INSERT INTO note SELECT n, CASE WHEN n IN (7, 9) THEN 'unwelcome' ELSE 'welcome' END FROM generate_series(6, 10) n`,
  );
  await sql.query(`INSERT INTO note VALUES (11, 'welcome')`);
  await drain();
  expect(await quarantined()).toEqual([kept('row'), kept('row')]);
  expect(await keys()).toEqual(['1', '2', '3', '4', '5', '6', null, '8', null, '10', '11']);
  await expectWhole();
});

test('in a transaction that is written in parts, and in several of them', async () => {
  const { sql, drain, quarantined, keys, expectWhole } = await recordedWithReluctance();
  await sql.query(
    `INSERT INTO note SELECT n, CASE WHEN n IN (10, 60000) THEN 'unwelcome' ELSE repeat('x', 200) END
       FROM generate_series(1, 60000) n`,
  );
  await sql.query(`INSERT INTO note VALUES (0, 'welcome')`);
  await drain();
  expect(await quarantined()).toEqual([kept('row'), kept('row')]);
  const all = await keys();
  expect(all.length).toBe(60_001);
  expect(new Set(all).size).toBe(60_000); // two of them are null
  await expectWhole();
});

test('a context that it rejects', async () => {
  const { sql, drain, quarantined, keys, expectWhole } = await recordedWithReluctance();
  await sql.query(`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"user":"unwelcome"}');
                   INSERT INTO note VALUES (1, 'welcome'); COMMIT`);
  await sql.query(`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"user":"welcome"}');
                   INSERT INTO note VALUES (2, 'welcome'); COMMIT`);
  await drain();
  expect(await quarantined()).toEqual([kept('context')]);
  expect(await keys()).toEqual(['1', '2']);
  await expectWhole();
});
