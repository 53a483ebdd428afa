import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkIds } from '@bemi-db/source/check-groups';
import type { Finding } from '@bemi-db/source/finding';
import { productionChecklist } from '@bemi-db/source/production-checklist';
import { issueCertificate, makeAuthority } from '@bemi-db/test-kit/certificates';
import { reloadSettings } from '@bemi-db/test-kit/reload';
import { expect, test, vi } from 'vitest';
import { guide000 } from '../../../worker/test/guides/guide-000.ts';
import { type DoctoredClinic, doctoredClinic } from '../../test/doctored-clinic.ts';

const minute = 60_000;

/** A fault that is made, found under an id, and cured by what is printed. */
interface Fault {
  readonly id: string;
  readonly verdict?: Finding['verdict'];
  /** What else is found for the same reason. */
  readonly besides?: readonly string[];
  readonly make?: (clinic: DoctoredClinic) => Promise<unknown>;
  /** Variables in which the fault is. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly isProbing?: boolean;
  /** Does what the fix says. Default: runs its SQL. */
  readonly cure?: (finding: Finding, clinic: DoctoredClinic) => Promise<unknown>;
  /** After what was set with it. */
  readonly restore?: (clinic: DoctoredClinic) => Promise<unknown>;
}

const bad = (findings: readonly Finding[]): string[] =>
  findings.filter(({ verdict }) => verdict === 'warning' || verdict === 'failure').map(({ id }) => id);

async function runSql(finding: Finding, { source }: DoctoredClinic): Promise<void> {
  expect(finding.sql.length, finding.id).toBeGreaterThan(0);
  for (const statement of finding.sql) {
    expect(finding.fix).toContain(statement);
    await source.query(statement);
  }
}

/** Runs a command as the fix prints it, with its placeholders in capitals filled. */
async function runCommand(
  { fix }: Finding,
  { bemi }: DoctoredClinic,
  pattern: RegExp,
  fill: Readonly<Record<string, string>> = {},
): Promise<void> {
  const command = pattern.exec(fix)?.[0];
  expect(command, fix).toBeDefined();
  const words = command!
    .split(' ')
    .slice(1)
    .map((word) => fill[word] ?? word);
  await bemi(...words);
}

const attestIt = (finding: Finding, clinic: DoctoredClinic) =>
  runCommand(finding, clinic, /bemi attest [a-z-]+ --by NAME --ref WHERE/, {
    NAME: 'ops',
    WHERE: 'ticket-1',
  });

/** Sets the variables that the fix has, to what it sets them to. */
async function setVariables({ fix }: Finding, { look }: DoctoredClinic): Promise<void> {
  const set = [...fix.matchAll(/\b(BEMI_[A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name!, value!]);
  expect(set.length, fix).toBeGreaterThan(0);
  expect(bad(await look(Object.fromEntries(set)))).toEqual([]);
}

const write = `
  BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"u1","accessReason":"treatment"}');
  INSERT INTO "Patient" VALUES ('p1', 'Ada'); UPDATE "Patient" SET name = 'Ada King'; COMMIT;
  BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"u1","accessReason":"treatment"}');
  DELETE FROM "Patient"; COMMIT;`;

const guideTrigger = guide000.readOnlyCredentials.slice(
  guide000.readOnlyCredentials.indexOf('-- Create a procedure'),
);

/** The server is the audit database's too: a change behind what that has written lets the slot follow at once. */
async function restartWorker(finding: Finding, clinic: DoctoredClinic): Promise<void> {
  expect(finding.fix).toContain('bemi worker');
  await clinic.stopWorker();
  await clinic.startWorker();
  await clinic.source.query(write);
}

async function set({ server, source }: DoctoredClinic, name: string, value: string): Promise<void> {
  await source.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  await reloadSettings(server.url());
}

/** As whoever owns the audit database. */
async function tamper({ audit }: DoctoredClinic, sql: string): Promise<void> {
  await audit.query(`BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
}

const faults: readonly Fault[] = [
  {
    id: 'slot',
    verdict: 'failure',
    environment: { BEMI_REPLICATION_SLOT: 'other_slot' },
    // Nobody reads that one.
    cure: async (finding, clinic) => {
      await runSql(finding, clinic);
      const found = await clinic.look({ BEMI_REPLICATION_SLOT: 'other_slot' });
      expect(bad(found)).toEqual(['worker']);
      await clinic.source.query(`SELECT pg_drop_replication_slot('other_slot')`);
    },
  },
  {
    id: 'publication',
    verdict: 'failure',
    environment: { BEMI_PUBLICATION: 'other_publication' },
    restore: ({ source }) => source.query('DROP PUBLICATION other_publication'),
  },
  {
    id: 'role',
    verdict: 'failure',
    make: ({ source }) => source.query('ALTER ROLE bemi_replication NOREPLICATION'),
  },
  {
    id: 'least-privilege',
    make: ({ source }) =>
      source.query('GRANT INSERT, DELETE ON ALL TABLES IN SCHEMA public TO bemi_replication'),
  },
  {
    id: 'least-privilege',
    make: ({ source }) =>
      source.query(
        'CREATE ROLE writers; GRANT UPDATE ON "Patient" TO writers; GRANT writers TO bemi_replication; GRANT TRUNCATE ON "Patient" TO PUBLIC',
      ),
  },
  {
    id: 'identity-full',
    make: ({ source }) => source.query('ALTER TABLE "Patient" REPLICA IDENTITY DEFAULT'),
  },
  {
    id: 'identity-missing',
    verdict: 'failure',
    besides: ['identity-full'],
    make: ({ source }) => source.query('ALTER TABLE "Patient" REPLICA IDENTITY NOTHING'),
  },
  {
    id: 'publication-operations',
    verdict: 'failure',
    make: ({ source }) => source.query(`ALTER PUBLICATION bemi_publication SET (publish = 'insert, update')`),
  },
  {
    id: 'publication-partition-root',
    verdict: 'failure',
    make: ({ source }) =>
      source.query('ALTER PUBLICATION bemi_publication SET (publish_via_partition_root = true)'),
  },
  {
    id: 'publication-filters',
    // With FULL, the application's UPDATE fails where a column is left out.
    besides: ['identity-missing'],
    make: ({ source }) =>
      source.query(`CREATE PUBLICATION a_few FOR TABLE "Patient" (id, name) WHERE (id > 'a'), "Note"`),
    environment: { BEMI_PUBLICATION: 'a_few' },
  },
  {
    id: 'publication-tables',
    make: ({ source }) => source.query('ALTER PUBLICATION a_few DROP TABLE "Note"'),
    environment: { BEMI_PUBLICATION: 'a_few' },
    restore: ({ source }) => source.query('DROP PUBLICATION a_few'),
  },
  {
    id: 'guide-trigger',
    make: ({ source }) => source.query(guideTrigger),
  },
  {
    id: 'ddl-triggers',
    make: ({ source }) => source.query('DROP SCHEMA bemi_ddl CASCADE'),
  },
  {
    id: 'slot-limit',
    make: (clinic) => set(clinic, 'max_slot_wal_keep_size', '1GB'),
  },
  {
    id: 'slot-idle-timeout',
    make: (clinic) => set(clinic, 'idle_replication_slot_timeout', '1d'),
  },
  {
    id: 'emit-message',
    make: ({ source }) =>
      source.query(`CREATE ROLE application LOGIN; GRANT INSERT ON "Patient" TO application;
        REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) FROM PUBLIC`),
  },
  {
    id: 'probe',
    isProbing: true,
    restore: ({ source }) =>
      source.query(
        'GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) TO PUBLIC',
      ),
  },
  {
    id: 'probe',
    verdict: 'failure',
    besides: ['worker', 'captured'],
    isProbing: true,
    make: ({ stopWorker }) => stopWorker(),
    cure: restartWorker,
  },
  {
    id: 'worker',
    verdict: 'failure',
    besides: ['lag', 'retained-wal'],
    environment: { BEMI_RETAINED_WAL_BYTES: '1048576', BEMI_HEALTHY_LAG_BYTES: '102400' },
    make: async ({ source, stopWorker }) => {
      await stopWorker();
      await source.query(
        `SELECT pg_logical_emit_message(false, 'noise', repeat('x', 1000)) FROM generate_series(1, 1500)`,
      );
    },
    cure: restartWorker,
  },
  {
    id: 'slot-health',
    besides: ['worker', 'slot-limit'],
    make: async (clinic) => {
      await clinic.stopWorker();
      await set(clinic, 'max_slot_wal_keep_size', '16MB');
      // Each begins a segment of 16 MB, and next to nothing is written.
      for (let segment = 0; segment < 3; segment++) {
        await clinic.source.query(`SELECT pg_logical_emit_message(false, 'noise', ''), pg_switch_wal()`);
      }
    },
    environment: { BEMI_HEALTHY_LAG_BYTES: '1000000000' },
    cure: async (finding, clinic) => {
      // By its SQL alone nothing is lost any more, while the worker is still away.
      await reloadSettings(clinic.server.url(), () => runSql(finding, clinic));
      await clinic.source.query('CHECKPOINT');
      const found = await clinic.look();
      expect(found.find(({ id }) => id === 'slot-health')).toMatchObject({
        verdict: 'ok',
        evidence: expect.stringMatching(/^reserved, \d+ bytes of WAL until it is lost$/),
      });
      await runSql(found.find(({ id }) => id === 'slot-limit')!, clinic);
      await restartWorker(finding, clinic);
    },
  },
  {
    id: 'worker',
    verdict: 'failure',
    besides: ['lag'],
    // More is kept than WAL may take between checkpoints: no fault of the slot's.
    make: async (clinic) => {
      const { source, look } = clinic;
      await clinic.stopWorker();
      await set(clinic, 'max_wal_size', '32MB');
      for (let segment = 0; segment < 5; segment++) {
        await source.query(`SELECT pg_logical_emit_message(false, 'noise', ''), pg_switch_wal()`);
      }
      expect((await look()).find(({ id }) => id === 'slot-health')).toMatchObject({
        verdict: 'ok',
        evidence: expect.stringMatching(/^extended, \d+ bytes of WAL until it is lost$/),
      });
      await source.query('ALTER SYSTEM RESET max_wal_size');
      await source.query('SELECT pg_reload_conf()');
    },
    cure: restartWorker,
  },
  {
    id: 'audit-role',
    environment: { BEMI_DESTINATION_URL: 'SUPERUSER' },
    cure: async ({ fix }) =>
      expect(fix).toMatch(
        /bemi setup --destination postgres:\/\/ADMIN:PASSWORD@127\.0\.0\.1:\d+\/bemi_audit$/,
      ), // as the scene was set up
  },
  {
    id: 'least-privilege',
    environment: { BEMI_DATABASE_URL: 'SUPERUSER' },
    cure: async ({ fix }) =>
      expect(fix).toMatch(
        /bemi setup --role bemi_replication --admin-url postgres:\/\/ADMIN:PASSWORD@127\.0\.0\.1:\d+\/holi_protocol$/,
      ),
  },
  {
    id: 'partitions',
    make: async (clinic) => {
      const { rows } = await clinic.audit.query<{ log: number }>('SELECT log FROM bemi.logs');
      const name = (kind: string) => `bemi.${kind}_${rows[0]!.log}`;
      const cut = ['change_log', 'context_log', 'change_index', 'transaction_log', 'event_log'].map(
        (kind) =>
          `ALTER TABLE ${name(kind)} DETACH PARTITION ${name(kind)}_0;
           ALTER TABLE ${name(kind)} ATTACH PARTITION ${name(kind)}_0 FOR VALUES FROM (0) TO (100000)`,
      );
      await tamper(clinic, cut.join(';'));
      await clinic.source.query(write);
    },
    cure: restartWorker,
  },
  {
    id: 'checkpoint-age',
    make: (clinic) => tamper(clinic, `UPDATE bemi.frontier SET signed_at = now() - interval '3 hours'`),
    cure: restartWorker,
  },
  {
    id: 'quarantine',
    make: async ({ source, look }) => {
      await source.query(
        `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', 'not JSON'); INSERT INTO "Patient" VALUES ('q'); COMMIT`,
      );
      await expect.poll(async () => bad(await look()), { timeout: minute }).toContain('quarantine');
    },
    cure: attestIt,
  },
  {
    id: 'retention-period',
    make: ({ bemi }) =>
      bemi('retention', 'set', '--days', '2190', '--reason', 'as the guide has it', '--yes'),
    cure: (finding, clinic) => runCommand(finding, clinic, /bemi retention set --days 2192/),
  },
  {
    id: 'alerts',
    verdict: 'failure',
    environment: { BEMI_ALERT_EMAIL: 'oncall@example.com' },
    cure: setVariables,
  },
];

/** The worker refuses a log that was altered when it starts: these come last. */
const alterations: readonly Fault[] = [
  {
    id: 'backup',
    make: (clinic) =>
      tamper(
        clinic,
        `UPDATE bemi.event_log SET at = now() - interval '9 days' WHERE kind = 'attestation' AND payload ->> 'kind' = 'backup'`,
      ),
    cure: attestIt,
  },
  {
    id: 'disaster-recovery-plan',
    make: (clinic) =>
      tamper(
        clinic,
        `UPDATE bemi.event_log SET at = now() - interval '91 days' WHERE payload ->> 'kind' = 'disaster-recovery-plan'`,
      ),
    cure: attestIt,
  },
];

/** Whose fault and cure another test shows on a real server. */
const shownElsewhere: Readonly<Record<string, string>> = {
  'source-connection': 'doctor.pg.test.ts',
  'audit-connection': 'doctor.pg.test.ts',
  'audit-schema': 'doctor.pg.test.ts',
  'context-share': 'doctor.pg.test.ts',
  accesses: 'accesses.pg.test.ts',
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

    for (const fault of faults) await tryFault(fault);

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
