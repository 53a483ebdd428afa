import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bankTables, createBank, fillBank } from '@bemi-db/test-kit/bank-workload';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import {
  countChanges,
  firstDifference,
  replayLog,
  sourceContent,
  verifyLogStructure,
} from '@bemi-db/test-kit/log-oracle';
import { type StoredLogReport, verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { expect } from 'vitest';
import { createWorker, type WorkerOptions } from '../src/create-worker.ts';
import { LastSigned, signedCheckpoints } from '../src/signing/last-signed.ts';

/** A bank that was recorded, on whatever servers. */
export interface RecordedBank {
  /** Names the log. */
  readonly source: { readonly name: string };
  readonly sourceSql: pg.Client;
  readonly auditSql: pg.Client;
  /** What `createWorker` wants. */
  readonly targets: WorkerOptions;
}

export interface AuditedBank extends RecordedBank {
  readonly source: TestDatabase;
  readonly audit: TestDatabase;
  readonly slot: string;
  /** What `createWorker` wants. */
  readonly targets: { readonly source: string; readonly destination: string; readonly slot: string };
}

/** A bank whose changes are recorded from its first row on, and an audit database for them. */
export async function createAuditedBank(): Promise<AuditedBank> {
  const source = await createDatabase();
  const audit = await createDatabase();
  const sourceSql = await source.connect();
  const auditSql = await audit.connect();
  const slot = `${source.name}_slot`;
  await createBank(sourceSql);
  await sourceSql.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  await sourceSql.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  await fillBank(sourceSql);
  await sourceSql.query(`SET TimeZone = 'UTC'`);
  return {
    source,
    audit,
    sourceSql,
    auditSql,
    slot,
    targets: { source: source.url, destination: audit.url, slot },
  };
}

/**
 * Records what is left, then holds the log against the source: structure, counts, and every table rebuilt; and verifies
 * it against what the worker signed.
 */
export async function expectWholeLog(bank: RecordedBank, counts?: Record<string, number>): Promise<void> {
  await createWorker(bank.targets).run({ drain: true });
  await verifyLogStructure(bank.auditSql);
  if (counts) expect(await countChanges(bank.auditSql)).toEqual(sorted(counts));
  const difference = firstDifference(
    await replayLog(bank.auditSql),
    await sourceContent(bank.sourceSql, bankTables),
  );
  expect(difference).toBeUndefined();
  const report = await verifyBank(bank);
  expect(report.findings).toEqual([]);
  expect(report.provenSize).toBe(report.size);
}

/**
 * Verifies the stored log with every checkpoint that its workers signed and saw committed, from their own memory and from
 * where they published, which the audit database can't change. Two that contradict each other could not both be
 * beginnings of it.
 */
export async function verifyBank(bank: Pick<RecordedBank, 'source' | 'auditSql'>): Promise<StoredLogReport> {
  const stateDirectory = process.env['BEMI_STATE_DIR']!;
  const { file } = new LastSigned(stateDirectory, bank.source.name);
  const { rows } = await bank.auditSql.query<{ log_id: string }>(
    'SELECT log_id FROM bemi.logs WHERE log = 0',
  );
  const checkpoints = [
    ...signedCheckpoints(readFileSync(file, 'utf8')),
    ...published(join(stateDirectory, 'checkpoints', rows[0]!.log_id)),
  ];
  return verifyStoredLog({ client: bank.auditSql, log: 0, keys: [], checkpoints });
}

/** The published checkpoints of every generation of a log, the last ones and those that stay. */
function published(folder: string): string[] {
  const generations = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const files = generations.flatMap((generation) => {
    const kept = join(generation, 'checkpoints');
    const old = existsSync(kept) ? readdirSync(kept).map((name) => join(kept, name)) : [];
    return [join(generation, 'checkpoint'), ...old];
  });
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
}

function sorted(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
