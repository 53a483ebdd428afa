import { expect, test } from 'vitest';
import { recordedClinic } from '../../test/recorded-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

test('what is attested is listed with its age; what nobody knows is refused with the nearest name', async () => {
  const { environment, folder } = await recordedClinic(0);
  const bemi = (...args: string[]) =>
    runBemi(['attest', ...args], environment as Record<string, string>, folder);
  const worker = startBemi(['worker'], environment as Record<string, string>, folder);
  await worker.untilPrinted('Recording');
  const [made, own, typo, foreign, incomplete, empty] = await Promise.all([
    bemi('backup', '--by', 'cron', '--ref', 's3://backups/1.dump', '--note', '4 GB'),
    bemi('penetration-test', '--own', '--by', 'K. Roe', '--ref', 'ticket-4711', '--json'),
    bemi('backups', '--by', 'cron', '--ref', 'x'),
    bemi('Penetration Test', '--own', '--by', 'cron', '--ref', 'x'),
    bemi('backup', '--by', 'cron'),
    bemi('backup', '--by', ' ', '--ref', 'x', '--json'),
  ]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/^✓ backup is attested by cron, entry \d+; it counts for 8 days\.\n$/);
  expect(JSON.parse(own.stdout)).toEqual({ kind: 'penetration-test', sequence: expect.any(Number) });
  expect(typo).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean backup?') });
  expect(foreign).toMatchObject({ code: 2, stderr: expect.stringContaining('lower-case letters') });
  expect(incomplete).toMatchObject({ code: 2, stderr: expect.stringContaining('where it can be looked up') });
  expect(JSON.parse(empty.stderr)).toMatchObject({ error: { code: 'usage' } });

  const list = await bemi('list');
  expect(list).toMatchObject({ code: 0, stderr: '' });
  expect(list.stdout).toMatch(
    / {2}✓ backup +(just now|\d seconds? ago), by cron: s3:\/\/backups\/1\.dump \(4 GB\)\n/,
  );
  expect(list.stdout).toMatch(/ {2}- disaster-recovery-plan +nobody has attested it\n/);
  expect(list.stdout).toMatch(/ {2}✓ penetration-test +.*by K\. Roe: ticket-4711\n/);
  const json = (await bemi('list', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(json).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ kind: 'backup', by: 'cron', days: 8, isStale: false }),
    ]),
  );
});
