import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, test } from 'vitest';
import { writtenTrail } from '../../test/written-trail.ts';
import { hasTrail, recordedTables, sourceSummaries } from './trail-summary.ts';

test('an audit database that no worker has used yet', async () => {
  const client = await (await createDatabase()).connect();
  expect(await hasTrail(client)).toBe(false);
});

test('an empty log, and one with entries', async () => {
  const trail = await writtenTrail();
  expect(await hasTrail(trail.client)).toBe(true);
  expect(await sourceSummaries(trail.client)).toMatchObject([
    {
      ...{ name: 'app', database: 'app', slot: 'bemi_slot', publication: 'bemi_publication' },
      ...{ completeFromLsn: '0/100', confirmedLsn: '0/100', entryCount: '0' },
      ...{ lastEntryAt: undefined, lastCommitAt: undefined, firstCommitAt: undefined },
      ...{ quarantinedRows: '0', quarantinedContexts: '0' },
    },
  ]);

  await trail.relation(1, 'public', 'Patient');
  await trail.relation(2, 'public', 'Patient');
  for (const committedAt of ['2025-12-09 10:30:00.000001Z', '2025-12-10 10:30:00Z']) {
    await trail.transaction({ committedAt, changes: [{ operation: 'INSERT', after: '{}' }] });
  }
  await trail.client.query(
    `INSERT INTO bemi.quarantine (log, sequence, part, field, reason, bytes) VALUES ($1, 2, 0, 'row', 'x', ''), ($1, 2, 1, 'row', 'x', '')`,
    [trail.log],
  );
  expect(await sourceSummaries(trail.client)).toMatchObject([
    {
      entryCount: '6',
      firstCommitAt: '2025-12-09T10:30:00.000001Z',
      lastCommitAt: '2025-12-10T10:30:00.000000Z',
      lastEntryAt: '2025-12-10T10:30:00.000000Z',
      quarantinedRows: '1',
    },
  ]);
  expect(await recordedTables(trail.client, trail.log)).toEqual([{ schema: 'public', name: 'Patient' }]);
});
