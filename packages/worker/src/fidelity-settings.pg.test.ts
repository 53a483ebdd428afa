import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import { typeSamples } from '@bemi-db/test-kit/type-samples';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

const samplesOf = typeSamples(serverMajor());

/** Types whose output a setting changes. */
const types = [
  'date',
  'time',
  'timetz',
  'timestamp',
  'timestamptz',
  'interval',
  'tstzrange',
  'tstzmultirange',
  'real',
  'double precision',
  'point',
  'bytea',
  'xml',
  'regtype',
  'regprocedure',
].filter((type) => type in samplesOf);
const settings = {
  TimeZone: 'Asia/Kolkata',
  DateStyle: 'German, DMY',
  IntervalStyle: 'sql_standard',
  extra_float_digits: '-10',
  bytea_output: 'escape',
  quote_all_identifiers: 'on',
  search_path: '',
};

test.each(['DATABASE', 'ROLE'] as const)(
  'settings of the %s do not rule, the worker’s own do',
  async (level) => {
    const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
      const columns = types.map((type, i) => `v${i} ${type}, w${i} ${type}[]`).join(', ');
      await client.query(`CREATE TABLE t (id integer PRIMARY KEY, ${columns}, itself regclass DEFAULT 't'::regclass);
                          ALTER TABLE t REPLICA IDENTITY FULL`);
      await watchRows(client, { t: [] });
    });
    const role = `${source.name}_role`;
    const target = level === 'DATABASE' ? `DATABASE ${source.name}` : `ROLE ${role}`;
    await sql.query(`CREATE ROLE ${role} LOGIN SUPERUSER REPLICATION PASSWORD 'p'`);
    for (const [name, value] of Object.entries(settings)) {
      await sql.query(`ALTER ${target} SET ${name} = ${value.split(', ').map((part) => `'${part}'`)}`);
    }
    try {
      const longest = Math.max(...types.map((type) => samplesOf[type]!.length));
      for (let id = 0; id < longest; id++) {
        const values = types.map((type) => samplesOf[type]![id % samplesOf[type]!.length]!);
        await sql.query(
          `INSERT INTO t VALUES (${id}, ${types.map((type, i) => `$${i + 1}::text::${type}, ARRAY[$${i + 1}, NULL]::${type}[]`)})`,
          values,
        );
      }
      await sql.query('UPDATE t SET v0 = NULL');
      await sql.query('DELETE FROM t');
      await createWorker({ source: source.urlAs(role, 'p'), destination: audit.url, slot }).run({
        drain: true,
      });
      expect(differences(await watchedChanges(sql), await recordedChanges(trail))).toEqual([]);
    } finally {
      await sql.query(`DROP ROLE ${role}`);
    }
  },
);
