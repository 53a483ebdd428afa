import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { createDatabase } from '@bemi-db/test-kit/database';
import { addSource } from '@bemi-db/trail/added-sources/added-sources';
import { sealUrl, sourceKey } from '@bemi-db/trail/added-sources/sealed-url';
import { parseEncryptionKey } from '@bemi-db/worker/authenticity/sealed-key';
import { expect, test } from 'vitest';
import { projectFolder, runBemi } from '../../test/run-bemi.ts';

interface DoctorReport {
  readonly sections: readonly {
    readonly id: string;
    readonly connection: string | null;
    readonly findings: readonly { readonly id: string; readonly title: string; readonly fix: string }[];
  }[];
}

test('commands that connect to a source take one that was added in the dashboard by its name', async () => {
  const [source, other, audit] = [await createDatabase(), await createDatabase(), await createDatabase()];
  const [sql, otherSql] = [await source.connect(), await other.connect()];
  for (const client of [sql, otherSql]) await client.query('CREATE TABLE t (id int PRIMARY KEY)');
  const [slot, slotOfOther] = [`slot_${source.name}`, `slot_${other.name}`];
  const encryptionKey = 'ab'.repeat(32);
  const environment = {
    ...{ BEMI_DATABASE_URL: source.url, BEMI_DESTINATION_URL: audit.url },
    ...{ BEMI_REPLICATION_SLOT: slot, BEMI_ENCRYPTION_KEY: encryptionKey },
  };
  const folder = projectFolder();
  const bemi = (args: readonly string[], settings: Readonly<Record<string, string>> = {}) =>
    runBemi(args, { ...environment, ...settings }, folder);
  expect(await bemi(['worker', '--drain'])).toMatchObject({ code: 0 });
  const { host, port, database, role } = parseConnectionString(other.url, 'the test').target;
  await addSource(
    await audit.connect(),
    {
      ...{ name: 'clinic', host, port, database, role, slot: slotOfOther },
      ...{ publication: 'bemi_publication', bufferSize: 1_000, retentionDays: 2_192 },
    },
    sealUrl(other.url, await sourceKey(parseEncryptionKey(encryptionKey), '/nowhere'), 'clinic'),
    { via: 'api', by: { id: 'test' } },
  );

  // What setup says it would do is for that source, with its slot; nothing of it is written here.
  const planned = await bemi(['setup', '--source', 'clinic', '--dry-run']);
  expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining(slotOfOther) });
  expect(planned.stdout).not.toContain(`'${slot}'`);
  expect(await bemi(['setup', '--source', 'clinic', '--role', 'another', '--yes'])).toMatchObject({
    code: 2,
  });
  const forAnother = await bemi(['setup', '--source', 'clinic', '--role', 'another', '--dry-run']);
  expect(forAnother.stdout).toMatch(/CREATE ROLE "another".*:'password'/s);
  expect(forAnother.stdout).toContain(slotOfOther);
  const done = await bemi(['setup', '--source', 'clinic', '--yes']);
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('doctor --source clinic') });
  expect(done.stdout).not.toContain('worker.env');
  await otherSql.query('INSERT INTO t VALUES (1)');
  expect(await bemi(['worker', '--drain'])).toMatchObject({ code: 0, stderr: '' });

  const sections = async (args: readonly string[], settings?: Readonly<Record<string, string>>) => {
    const { stdout } = await bemi(['doctor', '--json', ...args], settings);
    const report = JSON.parse(stdout) as DoctorReport & { readonly sources?: Record<string, DoctorReport> };
    return report.sources ?? { one: report };
  };
  const [all, named, sealed, without, listed, status, unknown] = await Promise.all([
    sections([]),
    sections(['--source', 'clinic']),
    sections(['--source', 'clinic'], { BEMI_ENCRYPTION_KEY: 'cd'.repeat(32) }),
    sections(['--source', 'clinic'], { BEMI_ENCRYPTION_KEY: '', BEMI_DATABASE_URL: '' }),
    bemi(['tables', 'list', '--source', 'clinic', '--json']),
    bemi(['status', '--json']),
    bemi(['teardown', '--source', 'clinc', '--yes']),
  ]);
  expect(Object.keys(all)).toEqual([source.name, 'clinic']);
  const [ofSource, ofClinic] = [all[source.name]!, all['clinic']!];
  expect(ofSource.sections[0]!.connection).toContain(`/${source.name}`);
  expect(ofClinic.sections[0]!.connection).toContain(`/${other.name}`);
  expect(named['one']!.sections[0]!.connection).toBe(ofClinic.sections[0]!.connection);
  expect(ofClinic.sections[1]!.findings).toContainEqual(
    expect.objectContaining({ id: 'log', title: 'It has the log of clinic' }),
  );
  // Which key is wanted; what the audit database says of the log is said all the same.
  for (const [report, message, fix] of [
    [sealed, 'sealed with another key', 'source-secret'],
    [without, 'the key that it was sealed with is not here', 'Set BEMI_ENCRYPTION_KEY as the worker has it'],
  ] as const) {
    const [ofSide, ofLog] = report['one']!.sections;
    expect(ofSide!.findings[0]).toMatchObject({
      id: 'source-connection',
      title: expect.stringContaining(message),
      fix: expect.stringContaining(fix),
    });
    expect(ofLog!.findings.map(({ id }) => id)).toContain('log');
  }
  expect(existsSync(join(folder, '.bemi', 'source-secret'))).toBe(false);
  expect(JSON.parse(listed.stdout)).toMatchObject({
    tables: [{ table: 't', recordedSince: expect.anything() }],
  });
  expect(JSON.parse(status.stdout)).toMatchObject({
    sources: { clinic: { source: { slot: { name: slotOfOther } }, audit: { log: { name: 'clinic' } } } },
  });
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('--source clinic') });

  // Its slot is gone, and somebody answers for the gap.
  await otherSql.query(`SELECT pg_drop_replication_slot('${slotOfOther}')`);
  const accepted = await bemi(['gap', 'accept', '--source', 'clinic', '--reason', 'dropped', '--yes']);
  expect(accepted).toMatchObject({ code: 0, stdout: expect.stringContaining('of the log says so') });
  const torn = await bemi(['teardown', '--source', 'clinic', '--yes']);
  expect(torn).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('remove it there, under Data sources'),
  });
  const { rows } = await otherSql.query(
    'SELECT slot_name FROM pg_replication_slots WHERE slot_name = ANY ($1)',
    [[slot, slotOfOther]],
  );
  expect(rows).toEqual([{ slot_name: slot }]);
}, 120_000);
