import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createWorker } from './create-worker.ts';

const names = [
  'before',
  'after',
  'context',
  '__proto__',
  'constructor',
  'toString',
  'bemi',
  'select',
  'UPPER Case',
  'a.b',
  '"',
  '""',
  "'",
  '\\',
  '\\u0000',
  '%s',
  '$1',
  ' ',
  '\t\n\u0001',
  '{"a":1}',
  '😀',
  'é\u0301',
  '\u2028',
  'x'.repeat(63),
  `${'😀'.repeat(15)}abc`,
];

test('tables and columns of every name, in schemas of every name', async () => {
  const quoted = pg.escapeIdentifier;
  // The schema bemi is the trail's own.
  const tables = names.map((name) => `${quoted(name === 'bemi' ? 'Bemi' : name)}.${quoted(name)}`);
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(async (client) => {
    for (const [i, name] of names.entries()) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoted(name === 'bemi' ? 'Bemi' : name)};
        CREATE TABLE ${tables[i]} (${names.map((column) => `${quoted(column)} text`).join(', ')}, key text);
        ALTER TABLE ${tables[i]} ADD PRIMARY KEY (key, ${quoted(name)});
        ALTER TABLE ${tables[i]} REPLICA IDENTITY FULL`);
    }
    await watchRows(client, Object.fromEntries(tables.map((table) => [table, []])));
  });
  const values = names.map((name) => pg.escapeLiteral(`value of ${name}`)).join(', ');
  for (const [i, name] of names.entries()) {
    await sql.query(`INSERT INTO ${tables[i]} VALUES (${values}, 'k')`);
    await sql.query(`UPDATE ${tables[i]} SET ${quoted(name)} = '', ${quoted(names.at(i - 1)!)} = NULL`);
    await sql.query(`DELETE FROM ${tables[i]}`);
  }
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const recorded = await recordedChanges(trail);
  expect(recorded.length).toBe(names.length * 3);
  expect(differences(await watchedChanges(sql), recorded)).toEqual([]);
  expect(recorded.map((change) => change.primaryKey)).toEqual(
    names.flatMap((name) => [
      JSON.stringify(['k', `value of ${name}`]),
      JSON.stringify(['k', '']),
      JSON.stringify(['k', '']),
    ]),
  );
});
