import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { wrapClient } from '../src/pg.ts';
import { type DecodedWal, decodeWal } from './decoded-wal.ts';

export const ALICE = { userId: 'alice' };
export const BOB = { userId: 'bob' };

export interface PgBench {
  readonly database: TestDatabase;
  /** Carries contexts. */
  readonly client: pg.Client;
  readonly wal: DecodedWal;
}

/** A database with a table `t (id, v, n)`, where n must not be negative. */
export async function pgBench(): Promise<PgBench> {
  const database = await createDatabase();
  const client = wrapClient(await database.connect());
  await client.query('CREATE TABLE t (id int PRIMARY KEY, v text, n int CHECK (n >= 0))');
  return { database, client, wal: await decodeWal(database) };
}

/** The database's error that some work must fail with. */
export async function failure(work: Promise<unknown>): Promise<pg.DatabaseError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof pg.DatabaseError)) throw new Error('It did not fail, or not in the database.');
  return error;
}

/** Whether the version of `pg` that is tested is so new. */
export function hasPipelineMode(): boolean {
  return 'pipeline' in new pg.Client();
}
