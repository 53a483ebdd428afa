import pg from 'pg';

/** Queries of accounts: `bemi_accounts` and nothing else. */
export interface AccountsDatabase {
  readonly pool: pg.Pool;
  /** Several statements that happen together or not at all. */
  transaction<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const mostConnections = 5;

/** @param config - as the role of accounts. */
export function openAccountsDatabase(config: pg.ClientConfig): AccountsDatabase {
  const pool = new pg.Pool({
    ...config,
    application_name: 'bemi accounts',
    max: mostConnections,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 10_000,
    keepAlive: true,
  });
  // Of connections that nobody uses: the next one who wants one gets another.
  pool.on('error', () => undefined);
  return {
    pool,
    async transaction(work) {
      const client = await pool.connect();
      let failure: unknown;
      try {
        await client.query('BEGIN');
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        failure = error;
        await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      } finally {
        // What failed by the connection is not used again; an error of SQL, or of ours, leaves it whole.
        client.release(failure !== undefined && isOfConnection(failure) ? true : undefined);
      }
    },
    close: () => pool.end(),
  };
}

function isOfConnection(error: unknown): boolean {
  return (
    !(error instanceof pg.DatabaseError) && error instanceof Error && 'code' in error && 'syscall' in error
  );
}
