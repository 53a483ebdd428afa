import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from '@bemi-db/source/finding';
import { olderMajors, startOlderPostgres } from '@bemi-db/test-kit/older-server';
import { startOwnServer } from '@bemi-db/test-kit/own-server';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

// Faults of a server as a whole: another one is the only cure.

async function finding(url: string, id: string): Promise<Pick<Finding, 'verdict' | 'evidence' | 'fix'>> {
  const { stdout } = await runBemi(['doctor', '--json'], { BEMI_DATABASE_URL: url }, projectFolder());
  const report = JSON.parse(stdout) as { sections: { findings: Finding[] }[] };
  const found = report.sections.flatMap(({ findings }) => findings).find((each) => each.id === id);
  const { verdict, evidence, fix } = found!;
  return { verdict, evidence, fix };
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

test.runIf(olderMajors.includes(13))('a server without messages: a later one', async () => {
  const older = await startOlderPostgres(13, { settings: { wal_level: 'logical' } });
  onTestFinished(() => older.stop('immediate'));
  expect(await finding(older.url(), 'version')).toEqual({
    verdict: 'warning',
    evidence: expect.stringMatching(/^PostgreSQL 13\.\d+: its pgoutput cannot send logical messages$/),
    fix: expect.stringContaining('Upgrade to PostgreSQL 14 or later'),
  });
  const oldestWithMessages = await startOlderPostgres(14, { settings: { wal_level: 'logical' } });
  onTestFinished(() => oldestWithMessages.stop('immediate'));
  expect(await finding(oldestWithMessages.url(), 'version')).toMatchObject({ verdict: 'ok' });
});

test('a standby: the primary that it names; a database without an encoding: the one that is made', async () => {
  const primary = await startOwnServer();
  onTestFinished(() => primary.stop('immediate'));
  await primary.stop('fast');
  const copy = primary.copy();
  await primary.start();
  writeFileSync(join(copy, 'standby.signal'), '');
  const standby = await startOwnServer({
    dataDirectory: copy,
    settings: {
      primary_conninfo: `host=127.0.0.1 port=${primary.port} user=postgres password=postgres dbname=postgres`,
    },
  });
  onTestFinished(() => standby.stop('immediate'));
  const receives = async () => (await query(standby.url(), 'SELECT FROM pg_stat_wal_receiver')).rowCount;
  await expect.poll(receives, { timeout: 20_000 }).toBe(1);
  const named = await finding(standby.url(), 'primary');
  expect(named).toMatchObject({ verdict: 'failure', evidence: 'pg_is_in_recovery() is true' });
  const [address] = /127\.0\.0\.1:\d+/.exec(named.fix) ?? [];
  const moved = new URL(standby.url());
  moved.host = address!;
  expect(await finding(moved.href, 'primary')).toMatchObject({ verdict: 'ok', evidence: 'not in recovery' });

  await query(primary.url(), `CREATE DATABASE "Old" ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0`);
  const unknown = await finding(primary.url('Old'), 'encoding');
  expect(unknown).toMatchObject({ verdict: 'warning', evidence: 'server encoding SQL_ASCII' });
  await query(primary.url('Old'), /^CREATE DATABASE .*;$/m.exec(unknown.fix)![0]);
  expect(await finding(primary.url('Old_utf8'), 'encoding')).toMatchObject({
    verdict: 'ok',
    evidence: 'server encoding UTF8',
  });
});
