import type { Access } from '@bemi-db/trail/access/access';
import { recordAccess } from '@bemi-db/trail/access/record-access';
import pg from 'pg';

/** Reads the audit database, and has it recorded who read. Each piece of work has a connection of its own. */
export interface AuditReader {
  /**
   * In one read-only transaction.
   *
   * @param work - sees one state of the database.
   * @param timeoutMs - of each statement. Default 10,000.
   */
  read<T>(work: (client: pg.ClientBase) => Promise<T>, timeoutMs?: number): Promise<T>;
  /** On a connection in no transaction: for the few things that the pages change. They have themselves recorded. */
  write<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  /**
   * Asks for an entry of the log of accesses. What it is an access to is shown only once this has resolved.
   *
   * @throws AccessNotRecordedError
   */
  record(access: Access): Promise<void>;
  close(): Promise<void>;
}

const mostConnections = 8;
const defaultTimeoutMs = 10_000;
const deadlockRetries = 2;
const sqlStateDeadlock = '40P01';

/** @param config - of the audit database, as a role that may read the trail. */
export function createAuditReader(config: pg.ClientConfig): AuditReader {
  const pool = new pg.Pool({
    ...config,
    application_name: 'bemi dashboard',
    max: mostConnections,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  // Of connections that nobody uses: the next one who wants one gets another.
  pool.on('error', () => undefined);
  return {
    async read(work, timeoutMs = defaultTimeoutMs) {
      for (let left = deadlockRetries; ; left--) {
        try {
          return await readOnce(pool, work, timeoutMs);
        } catch (error) {
          if (left === 0 || !isDeadlock(error)) throw error;
        }
      }
    },
    write: (work) => worked(pool, work),
    async record(access) {
      await worked(pool, (client) => recordAccess(client, access));
    },
    close: () => pool.end(),
  };
}

/** A connection on which something failed is not used again. */
async function worked<T>(pool: pg.Pool, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let isWhole = false;
  try {
    const result = await work(client);
    isWhole = true;
    return result;
  } finally {
    client.release(!isWhole);
  }
}

async function readOnce<T>(
  pool: pg.Pool,
  work: (client: pg.ClientBase) => Promise<T>,
  timeoutMs: number,
): Promise<T> {
  const client = await pool.connect();
  let failure: unknown;
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await client.query(
      `SELECT set_config('statement_timeout', $1, true), set_config('TimeZone', 'UTC', true)`,
      [String(timeoutMs)],
    );
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    failure = error;
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    // What failed by the connection is not used again; an error of SQL leaves it whole.
    client.release(failure !== undefined && !(failure instanceof pg.DatabaseError) ? true : undefined);
  }
}

/** Retention and migrations lock several tables at once: whoever reads them in another order may be in their way. */
function isDeadlock(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === sqlStateDeadlock;
}
