import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { type ReportedWorker, reportHealth } from '@bemi-db/trail/health/report-health';
import { createWorker } from '@bemi-db/worker';
import { expect, test } from 'vitest';
import { runBemi } from '../../test/run-bemi.ts';

test('status says who records, who waits to take over, and who is silent; in the end who recorded last', async () => {
  const { source, audit, slot, trail } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE note (id integer PRIMARY KEY)'),
  );
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  const environment = { BEMI_DESTINATION_URL: audit.url };
  const say = (number: number, worker: Pick<ReportedWorker, 'host' | 'state'>, log = source.name) =>
    reportHealth(trail, {
      ...{ log, instance: `000000000000000${number}`, samples: [], alerts: [] },
      worker: {
        ...{ pid: number, version: '1.0.0', problem: undefined, accessState: undefined },
        ...{ accessProblem: undefined, lagBytes: 7, lagSeconds: 0.5, retainedBytes: 9, safeBytes: 9 },
        ...{ databaseBytes: 9, startedSecondsAgo: 3_600, stateSecondsAgo: 60 },
        ...worker,
      },
    });
  expect((await runBemi(['status'], environment)).stdout).not.toContain('Workers');
  await say(1, { host: 'elder', state: 'recording' });
  await trail.query(`UPDATE bemi.workers SET seen_at = seen_at - interval '10 minutes'`);
  await say(2, { host: 'idle', state: 'standby' });
  await say(3, { host: 'busy\u001b[2J', state: 'recording' });
  await say(4, { host: 'done', state: 'stopped' });
  await say(5, { host: 'elsewhere', state: 'recording' }, 'another');

  const { stdout } = await runBemi(['status'], environment);
  expect(stdout).toMatch(
    /Workers +recording since 2\d{3}-\S+ \S+, process 3 on busy\S*\n +standby since 2\S+ \S+, process 2 on idle\n +silent: recording when it was last seen, 10 minutes ago, process 1 on elder\n/,
  );
  expect(stdout).not.toContain('\u001b');
  expect(stdout).not.toMatch(/elsewhere|done/);
  const { audit: json } = JSON.parse((await runBemi(['status', '--json'], environment)).stdout);
  expect(json.workers).toMatchObject([
    { host: 'busy\u001b[2J', pid: 3, version: '1.0.0', state: 'recording', problem: null, isSilent: false },
    { host: 'idle', state: 'standby', isSilent: false },
    { host: 'elder', state: 'recording', isSilent: true },
  ]);

  for (const number of [1, 2, 3]) await say(number, { host: `any`, state: 'stopped' });
  expect((await runBemi(['status'], environment)).stdout).toMatch(
    /Workers +stopped 1 minute ago, process 3 on busy\S*\n/,
  );
});
