import { expect } from 'vitest';
import { guide000 } from '../../../worker/test/guides/guide-000.ts';
import { bad, changeSetting, type Fault, runSql } from './fault.ts';

const guideTrigger = guide000.readOnlyCredentials.slice(
  guide000.readOnlyCredentials.indexOf('-- Create a procedure'),
);

/** Of the source's slot, publication, tables, roles and settings. */
export const sourceFaults: readonly Fault[] = [
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
    make: (clinic) => changeSetting(clinic, 'max_slot_wal_keep_size', '1GB'),
  },
  {
    id: 'slot-idle-timeout',
    make: (clinic) => changeSetting(clinic, 'idle_replication_slot_timeout', '1d'),
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
];
