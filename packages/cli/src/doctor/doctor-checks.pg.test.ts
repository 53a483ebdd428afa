import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkIds } from '@bemi-db/source/check-groups';
import type { Finding } from '@bemi-db/source/finding';
import { productionChecklist } from '@bemi-db/source/production-checklist';
import { issueCertificate, makeAuthority } from '@bemi-db/test-kit/certificates';
import { expect, test, vi } from 'vitest';
import { alterations, auditFaults } from '../../test/doctor-faults/audit-faults.ts';
import { attestIt, bad, type Fault, runSql, write } from '../../test/doctor-faults/fault.ts';
import { sourceFaults } from '../../test/doctor-faults/source-faults.ts';
import { workerFaults } from '../../test/doctor-faults/worker-faults.ts';
import { doctoredClinic } from '../../test/doctored-clinic.ts';

const minute = 60_000;

/** Whose fault and cure another test shows on a real server. */
const shownElsewhere: Readonly<Record<string, string>> = {
  'source-connection': 'doctor.pg.test.ts',
  'audit-connection': 'doctor.pg.test.ts',
  'audit-schema': 'doctor.pg.test.ts',
  'context-share': 'doctor.pg.test.ts',
  accesses: 'accesses.pg.test.ts',
  accounts: 'destination-setup.pg.test.ts',
  'context-triggers': 'source: check-context.pg.test.ts',
  'actor-triggers': 'source: check-context.pg.test.ts',
  'row-triggers': 'source: check-context.pg.test.ts',
  'free-slots': 'source: check-restart.pg.test.ts',
  'free-wal-senders': 'source: check-restart.pg.test.ts',
  version: 'doctor-servers.pg.test.ts',
  primary: 'doctor-servers.pg.test.ts',
  encoding: 'doctor-servers.pg.test.ts',
};

test('the checklist is that of the guide', () => {
  const guide = readFileSync(new URL('../../../worker/test/guides/004.md', import.meta.url), 'utf8');
  const lines = [...guide.matchAll(/^- \[ \] (.*)$/gm)].map(([, line]) => line!.replaceAll('`', ''));
  expect(lines).toHaveLength(15);
  expect(productionChecklist.map(({ line }) => line)).toEqual(lines);
});

test('the manual names each check, and the lines of the checklist', () => {
  const manual = readFileSync(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8');
  expect(checkIds.filter((id) => !manual.includes(`\`${id}\``))).toEqual([]);
  expect(productionChecklist.filter(({ line }) => !manual.includes(`| ${line} |`))).toEqual([]);
});

test(
  'each fault is named, what is printed cures it, and then doctor is content',
  async () => {
    const clinic = await doctoredClinic({
      wal_level: 'replica',
      max_replication_slots: '2',
      max_wal_senders: '2',
      max_slot_wal_keep_size: '-1',
    });
    const { server, folder, look, bemi } = clinic;
    const shown = new Set<string>();
    const show = async (
      ids: readonly string[],
      findings: readonly Finding[],
      cure: Fault['cure'] = runSql,
    ) => {
      for (const id of ids) {
        const finding = findings.find((each) => each.id === id);
        expect(finding, id).toMatchObject({ verdict: expect.stringMatching(/warning|failure|unknown/) });
        expect(finding!.fix, id).not.toBe('');
        await cure(finding!, clinic);
        shown.add(id);
      }
    };

    const tryFault = async (fault: Fault): Promise<void> => {
      const {
        id,
        verdict = 'warning',
        besides = [],
        make,
        isProbing = false,
        cure = runSql,
        restore,
      } = fault;
      const environment = Object.fromEntries(
        Object.entries(fault.environment ?? {}).map(([name, value]) => [
          name,
          value !== 'SUPERUSER'
            ? value
            : server.url(name === 'BEMI_DATABASE_URL' ? 'holi_protocol' : 'bemi_audit'),
        ]),
      );
      await make?.(clinic);
      const found = await look(environment, { isProbing });
      expect(found.find((finding) => finding.id === id)?.verdict, JSON.stringify([id, bad(found)])).toBe(
        verdict,
      );
      expect(
        bad(found).filter((each) => each !== id && !besides.includes(each)),
        id,
      ).toEqual([]);
      await show([id], found, cure);
      for (const each of besides) if (bad(found).includes(each)) shown.add(each);
      // Where the fault is a variable, it is gone with it.
      const isVariable = fault.environment !== undefined && fault.make === undefined && cure !== runSql;
      const after = isVariable || id === 'worker' ? {} : environment;
      await expect
        .poll(async () => bad(await look(after, { isProbing })), { timeout: 20_000, message: id })
        .toEqual([]);
      await restore?.(clinic);
    };

    // A server that is as it was installed; the settings want a restart.
    await clinic.source.query(
      'CREATE TABLE "Patient" (id text PRIMARY KEY, name text); CREATE TABLE "Note" (body text)',
    );
    const atFirst = await look({ BEMI_DATABASE_URL: server.url('holi_protocol') });
    await show(['wal-level', 'max-replication-slots', 'max-wal-senders', 'slot-limit'], atFirst);
    await server.restart();
    await clinic.reconnect();
    await bemi('setup', '--admin-url', server.url('holi_protocol'), '--role', 'bemi_replication', '--yes');
    await bemi('setup', '--destination', server.url('bemi_audit'), '--yes');
    const BEMI_ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64');
    appendFileSync(join(folder, '.bemi', 'worker.env'), `BEMI_ENCRYPTION_KEY=${BEMI_ENCRYPTION_KEY}\n`);
    await clinic.startWorker();

    // A worker that has just begun: nobody has attested anything, and nothing was written yet.
    const before = await look();
    await show(['captured'], before, async (finding) => expect(finding.fix).toContain('bemi doctor --probe'));
    const unattested = [
      ...['disaster-recovery-plan', 'backup', 'encryption-at-rest', 'network-isolation'],
      ...['checkpoints-off-host', 'alerts'],
    ];
    await Promise.all(unattested.map((id) => show([id], before, attestIt)));
    if (bad(before).includes('ddl-triggers')) await show(['ddl-triggers'], before);
    const probed = await look({}, { isProbing: true });
    expect(probed.filter(({ id }) => id === 'captured' || id === 'probe')).toMatchObject([
      {
        verdict: 'ok',
        evidence: expect.stringMatching(
          /no change was recorded lately; a probe was recorded after \d+ ms, entry/,
        ),
      },
      { verdict: 'ok' },
    ]);
    await clinic.source.query(write);
    await expect.poll(async () => bad(await look()), { timeout: minute }).toEqual([]);
    expect((await look()).filter(({ verdict }) => verdict !== 'ok')).toEqual([]);

    // Another application has other names.
    const unnamed = await look({}, { contextMembers: ['userId', 'reason'] });
    await show(['context-members'], unnamed, async ({ fix }) => {
      expect(fix).toContain('setBemiContext({ reason: … })');
      expect(fix).toContain('--context-members NAME,NAME');
    });
    expect(bad(await look({}, { contextMembers: ['userId'] }))).toEqual([]);

    for (const fault of [...sourceFaults, ...workerFaults, ...auditFaults]) await tryFault(fault);

    // Keys of applications.
    await bemi('keys', 'create', '--name', 'web');
    const environmentFile = join(folder, '.bemi', 'worker.env');
    const withoutKey = readFileSync(environmentFile, 'utf8').replace(/^BEMI_ENCRYPTION_KEY=.*\n/m, '');
    const { BEMI_DATABASE_URL = '', BEMI_DESTINATION_URL = '' } = Object.fromEntries(
      [...withoutKey.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    expect(bad(await look())).toEqual([]);
    writeFileSync(environmentFile, withoutKey);
    await show(['context-keys'], await look(), async ({ fix }) =>
      expect(fix).toContain('Set BEMI_ENCRYPTION_KEY'),
    );
    expect(bad(await look({ BEMI_ENCRYPTION_KEY }))).toEqual([]);

    // A clock that is two days off.
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 2 * 86_400_000);
    const skewed = await look({ BEMI_ENCRYPTION_KEY });
    vi.restoreAllMocks();
    await show(['clocks'], skewed, async ({ fix }) => expect(fix).toContain('timedatectl set-ntp true'));
    expect(bad(await look({ BEMI_ENCRYPTION_KEY }))).toEqual([]);

    // Links that leave the machine, as far as their names tell.
    const elsewhere = (url: string, query = '') => url.replace(/@[^:/]+/, '@0x7f.1') + query;
    const remote = (query = '') => ({
      BEMI_ENCRYPTION_KEY,
      BEMI_DATABASE_URL: elsewhere(BEMI_DATABASE_URL, query),
      BEMI_DESTINATION_URL: elsewhere(BEMI_DESTINATION_URL, query),
    });
    const plain = await look(remote());
    expect(bad(plain)).toEqual(['source-link', 'audit-link']);
    const authority = await makeAuthority();
    const { certificate, key } = await issueCertificate(authority, '0x7f.1', ['0x7f.1']);
    await show(['source-link', 'audit-link'], plain, async ({ fix }) => {
      expect(fix).toContain('as server.crt and server.key');
      expect(fix).toContain('sslmode=verify-full&sslrootcert=FILE');
    });
    for (const [name, text] of [
      ['server.crt', certificate],
      ['server.key', key],
    ] as const) {
      // By the server itself: it insists on who owns the key.
      await clinic.source.query(
        `COPY (SELECT ${literalLines(text)}) TO '${join(server.dataDirectory, name)}'`,
      );
      await clinic.source.query(
        `COPY (SELECT '') TO PROGRAM 'chmod 600 ${join(server.dataDirectory, name)}'`,
      );
    }
    writeFileSync(join(folder, 'authority.crt'), authority.certificate);
    const turnedOn = plain.find(({ id }) => id === 'source-link')!.fix.match(/^(ALTER SYSTEM|SELECT) .*;$/gm);
    expect(turnedOn).toHaveLength(2);
    for (const statement of turnedOn!) await clinic.source.query(statement);
    await expect
      .poll(async () => bad(await look(remote('?sslmode=require'))), { timeout: 20_000 })
      .toEqual(['source-link', 'audit-link']);
    expect((await look(remote('?sslmode=require'))).find(({ id }) => id === 'audit-link')?.evidence).toMatch(
      /^TLSv1\.\d, the certificate is not checked$/,
    );
    // As the fix says: in the worker's own variables.
    const verified = `?${'sslmode=verify-full&sslrootcert=FILE'.replace('FILE', join(folder, 'authority.crt'))}`;
    const { BEMI_DATABASE_URL: source, BEMI_DESTINATION_URL: destination } = remote(verified);
    writeFileSync(
      environmentFile,
      `BEMI_DATABASE_URL=${source}\nBEMI_DESTINATION_URL=${destination}\nBEMI_ENCRYPTION_KEY=${BEMI_ENCRYPTION_KEY}\n`,
    );
    expect((await look()).find(({ id }) => id === 'source-link')?.title).toBe(
      'The worker’s link is not encrypted',
    );
    await clinic.stopWorker();
    await clinic.startWorker();
    await expect.poll(async () => bad(await look()), { timeout: minute }).toEqual([]);
    expect((await look()).find(({ id }) => id === 'source-link')?.evidence).toMatch(
      /^TLSv1\.\d, verify-full$/,
    );

    for (const fault of alterations) await tryFault(fault);

    // Nothing that is checked is left out.
    shown.add('log'); // said, and never bad
    const untested = checkIds.filter((id) => !shown.has(id) && !(id in shownElsewhere));
    expect(untested).toEqual([]);
  },
  3 * minute,
);

function literalLines(text: string): string {
  return `unnest(string_to_array('${text.trim()}', E'\\n'))`;
}
