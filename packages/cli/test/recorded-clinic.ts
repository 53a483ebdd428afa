import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { createWorker } from '@bemi-db/worker';
import type pg from 'pg';
import { projectFolder } from './run-bemi.ts';

/** A clinic with a recorded log, and a project folder whose `.bemi` is the worker's state directory. */
export interface RecordedClinic {
  readonly folder: string;
  readonly source: TestDatabase;
  readonly sourceSql: pg.Client;
  /** As a superuser of the audit database whom its triggers don't stop: its owner, or whoever stole that right. */
  readonly auditSql: pg.Client;
  readonly environment: Record<string, string>;
  readonly stateDirectory: string;
  drain(): Promise<void>;
}

/**
 * @param patients - how many are created, each with a context and an update.
 * @param retentionDays - how long the log says that it is kept.
 */
export async function recordedClinic(patients = 100, retentionDays = 2192): Promise<RecordedClinic> {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const slot = `slot_${source.name}`;
  const sourceSql = await source.connect();
  await sourceSql.query(
    `CREATE TABLE "Patient" (id int PRIMARY KEY, name text); ALTER TABLE "Patient" REPLICA IDENTITY FULL`,
  );
  const folder = projectFolder();
  const stateDirectory = `${folder}/.bemi`;
  const drain = () =>
    createWorker({ source: source.url, destination: audit.url, slot, stateDirectory, retentionDays }).run({
      drain: true,
    });
  await drain();
  for (let n = 1; n <= patients; n++) {
    await sourceSql.query(
      `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"secret-user-${n}"}');
       INSERT INTO "Patient" VALUES (${n}, 'Secret Name ${n}'); COMMIT;
       UPDATE "Patient" SET name = 'Secret Other Name ${n}' WHERE id = ${n}`,
    );
  }
  await drain();
  const auditSql = await audit.connect();
  await auditSql.query('SET session_replication_role = replica');
  return {
    ...{ folder, source, sourceSql, auditSql, stateDirectory, drain },
    environment: {
      BEMI_DATABASE_URL: source.url,
      BEMI_DESTINATION_URL: audit.url,
      BEMI_REPLICATION_SLOT: slot,
      BEMI_PORT: '0',
    },
  };
}
