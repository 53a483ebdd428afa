import pg from 'pg';
import { type Backend, startedAtSql } from './connection-watch.ts';
import type { OpenConnection } from './connections.ts';

const sqlStateInsufficientPrivilege = '42501';

/**
 * Sessions of ours that a server may still keep though we have given them up. One that is half open holds the log's
 * lock, or the slot, until the server notices by itself, which a proxy in between can put off for ever. So the next
 * session ends them first; whatever they were doing is then committed or not.
 */
export class AbandonedBackends {
  readonly #backends = { source: [] as Backend[], audit: [] as Backend[] };

  /** Closes a connection, and remembers it unless the server has closed it too. */
  async close(side: 'source' | 'audit', connection: OpenConnection): Promise<void> {
    if (!(await connection.close())) this.#backends[side].push(connection.backend);
  }

  /** Ends what is left on a server. Only our own: a process number is used again by somebody else. */
  async end(side: 'source' | 'audit', client: pg.ClientBase): Promise<void> {
    const backends = this.#backends[side];
    if (backends.length === 0) return;
    try {
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE (pid, ${startedAtSql}) IN (SELECT * FROM unnest($1::integer[], $2::text[]))`,
        [backends.map(({ pid }) => pid), backends.map(({ startedAt }) => startedAt)],
      );
    } catch (error) {
      // The role was changed meanwhile: then the server has to notice by itself.
      if (!(error instanceof pg.DatabaseError) || error.code !== sqlStateInsufficientPrivilege) throw error;
    }
    backends.length = 0;
  }
}
