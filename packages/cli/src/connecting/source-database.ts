import {
  type ParsedConnection,
  parseConnectionString,
  type SecretConnection,
} from '@bemi-db/source/connection-string';
import { connect } from '@bemi-db/worker/connections';
import type pg from 'pg';
import { explained } from './explained.ts';

export interface SourceDatabase {
  readonly client: pg.Client;
  readonly connection: ParsedConnection;
}

/**
 * Connects to the source database, works, and closes.
 *
 * @param setWith - what the URL was set with, for messages.
 * @throws ProblemError when it can't be reached.
 */
export async function withSourceDatabase<T>(
  url: string | SecretConnection,
  setWith: string,
  work: (database: SourceDatabase) => Promise<T>,
): Promise<T> {
  const connection = parseConnectionString(url, setWith);
  const attempt = { database: 'source', target: connection.target } as const;
  const open = await explained({ ...attempt, phase: 'connect' }, () => connect(connection, 'command'));
  try {
    return await explained({ ...attempt, phase: 'inspect' }, () => work({ client: open.client, connection }));
  } finally {
    await open.close();
  }
}
