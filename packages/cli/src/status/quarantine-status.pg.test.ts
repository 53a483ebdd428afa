import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { createWorker } from '@bemi-db/worker';
import { expect, test } from 'vitest';
import { runBemi } from '../../test/run-bemi.ts';

test('status says what is in quarantine, and no longer what was erased', async () => {
  const { source, audit, slot, sql, trail } = await createRecordedDatabase((client) =>
    client.query(
      'CREATE TABLE note (id integer PRIMARY KEY, j json); CREATE SCHEMA other; CREATE TABLE other.thing (j json)',
    ),
  );
  await sql.query(`INSERT INTO note VALUES (1, '"\\u0000"'), (2, '"fine"'), (3, '"\\u0000"')`);
  await sql.query(`INSERT INTO other.thing VALUES ('"\\ud800"')`);
  await sql.query(
    `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', 'no JSON'); INSERT INTO note VALUES (4, NULL); COMMIT`,
  );
  const targets = { source: source.url, destination: audit.url, slot };
  await createWorker(targets).run({ drain: true });

  const environment = { BEMI_DESTINATION_URL: audit.url };
  const { stdout } = await runBemi(['status'], environment);
  expect(stdout).toMatch(/Quarantine +3 rows, 1 context\n +note: \S+, 2, last in entry \d+\n/);
  expect(stdout).toMatch(/ contexts: .+, 1, last in entry \d+/);
  expect(stdout).toMatch(/ other\.thing: \S+, 1, last in entry \d+/);
  const { audit: json } = JSON.parse((await runBemi(['status', '--json'], environment)).stdout);
  expect(json.quarantine).toContainEqual(
    expect.objectContaining({ field: 'row', schema: 'public', table: 'note', count: '2' }),
  );

  await trail.query(`BEGIN; SELECT set_config('bemi.permit', 'erasure', true);
    UPDATE bemi.quarantine SET bytes = NULL; COMMIT`);
  expect((await runBemi(['status'], environment)).stdout).toMatch(/Quarantine +empty/);
});
