import { applyPlan } from '@bemi-db/source/apply-plan';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import { planDdl } from '@bemi-db/source/ddl/plan-ddl';
import { databaseUrl, type TestDatabase } from '@bemi-db/test-kit/database';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { createWorkload, publishWorkload } from '@bemi-db/test-kit/random-workload/create-workload';
import { ReplayOracle, type ReplayReport } from '@bemi-db/test-kit/replay-oracle/replay-oracle';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { createWorker } from '../src/create-worker.ts';
import { verifyBank } from './audited-bank.ts';

/** The random workload's tables in a source, with a slot, and an audit database. */
export interface RecordedWorkload {
  readonly source: Pick<TestDatabase, 'name' | 'url'>;
  readonly audit: TestDatabase;
  readonly sourceSql: pg.Client;
  readonly auditSql: pg.Client;
  /** What `createWorker` wants. */
  readonly targets: { readonly source: string; readonly destination: string; readonly slot: string };
}

/** Makes them. What the workload writes is for a worker to record. */
export async function createRecordedWorkload(
  source: Pick<TestDatabase, 'name' | 'url' | 'connect'>,
  audit: TestDatabase,
): Promise<RecordedWorkload> {
  const sourceSql = await source.connect();
  await createWorkload(sourceSql);
  // Its DDL is told as well, and must not change what is recorded otherwise.
  await applyPlan(sourceSql, planDdl(await inspectDdl(sourceSql), { identity: 'unchanged' }));
  await publishWorkload(sourceSql);
  const slot = `${source.name}_slot`;
  await sourceSql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  return {
    source,
    audit,
    sourceSql,
    auditSql: await audit.connect(),
    targets: { source: source.url, destination: audit.url, slot },
  };
}

/** A database on another server, which the test stops by itself. */
export async function databaseOn(
  serverUrl: string,
  name: string,
): Promise<Pick<TestDatabase, 'name' | 'url' | 'connect'>> {
  const admin = new pg.Client(serverUrl);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  await admin.end();
  const url = databaseUrl(serverUrl, name);
  return {
    name,
    url,
    async connect() {
      const client = new pg.Client(url);
      client.on('error', () => undefined); // the server may go before it
      await client.connect();
      onTestFinished(() => client.end().catch(() => undefined));
      return client;
    },
  };
}

/**
 * Records what is left, then holds the log against the source: structure, every transaction, every table; and verifies it
 * against what the worker signed.
 *
 * @param seed - of the workload, to be named when something differs.
 */
export async function expectFaithfulLog(workload: RecordedWorkload, seed: number): Promise<ReplayReport> {
  await createWorker(workload.targets).run({ drain: true });
  await verifyLogStructure(workload.auditSql);
  const report = await new ReplayOracle().compare(workload.sourceSql, workload.auditSql);
  expect(report.difference, `seed ${seed}`).toBeUndefined();
  const { findings, provenSize, size } = await verifyBank(workload);
  expect(findings).toEqual([]);
  expect(provenSize).toBe(size);
  return report;
}
