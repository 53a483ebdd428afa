import { expect } from 'vitest';
import {
  attestIt,
  bad,
  type Fault,
  restartWorker,
  runCommand,
  setVariables,
  tamper,
  write,
} from './fault.ts';

const minute = 60_000;

/** Of the audit database, and of what is to be done and said about it. */
export const auditFaults: readonly Fault[] = [
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
export const alterations: readonly Fault[] = [
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
