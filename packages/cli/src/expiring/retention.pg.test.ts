import { expect, test } from 'vitest';
import { splitPartitions } from '../../../worker/test/split-partitions.ts';
import { recordedClinic } from '../../test/recorded-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

test('what has expired is dropped by the running worker, and the rest verifies', async () => {
  const clinic = await recordedClinic(250);
  const { rows } = await clinic.auditSql.query<{ size: number }>(
    'SELECT next_sequence::int AS size FROM bemi.logs',
  );
  await splitPartitions(clinic.auditSql, 0, 512, rows[0]!.size);
  const later = {
    ...clinic.environment,
    NODE_OPTIONS: `--import ${new URL('../../test/two-days-later.mjs', import.meta.url)}`,
  };
  const bemi = (...args: string[]) => runBemi(args, later, clinic.folder);
  const worker = startBemi(['worker'], later, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');
  const retention = ['retention', '--older-than', '1'];
  const planned = JSON.parse((await bemi(...retention, '--dry-run', '--json')).stdout);
  expect(planned).toEqual({
    olderThan: expect.any(String),
    before: expect.any(Number),
    changes: expect.any(Number),
    transactions: expect.any(Number),
  });
  expect(planned.before % 512).toBe(0);
  expect(planned.changes).toBeGreaterThan(300);
  const dropped = await bemi(...retention, '--by', 'archivist', '--yes');
  expect(dropped).toMatchObject({ code: 0, stderr: '' });
  expect(dropped.stdout).toMatch(/^To be dropped, for good.*✓ Dropped\. The log says so in entry [\d,]+;/s);
  const stored = await clinic.auditSql.query(
    `SELECT min(sequence)::int AS first, (SELECT count(*)::int FROM bemi.event_log WHERE sequence < $1) AS events
       FROM bemi.change_log`,
    [planned.before],
  );
  expect(stored.rows[0].first).toBeGreaterThanOrEqual(planned.before);
  expect(stored.rows[0].events).toBeGreaterThanOrEqual(3);
  expect((await bemi(...retention, '--yes')).stdout).toMatch(/^Nothing to drop/);

  const verified = async () =>
    JSON.parse((await runBemi(['verify', '--json'], clinic.environment, clinic.folder)).stdout);
  const { before } = planned;
  expect(await verified()).toMatchObject({
    valid: true,
    notices: [{ code: 'entries-dropped', before }],
    retention: [{ before, by: 'archivist', olderThan: expect.any(String) }],
  });
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(0);
  expect(await verified()).toMatchObject({ valid: true, unprovenTail: 0 });
  await clinic.auditSql.query(
    'DELETE FROM bemi.transaction_log WHERE sequence = (SELECT min(sequence) FROM bemi.transaction_log)',
  );
  expect(await verified()).toMatchObject({ valid: false, findings: [{ code: 'missing', count: 1 }] });
});
