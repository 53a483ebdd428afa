import type { ParsedConnection } from '@bemi-db/source/connection-string';
import pg from 'pg';

const connectTimeoutMs = 10_000;

/** An open connection that can be dropped at once, whatever it is doing. */
export interface OpenConnection {
  readonly client: pg.Client;
  /** Rejects when the connection is lost while nobody waits for an answer on it. Never resolves. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

/** The session's own settings rule, not those of the server, the database or the role. */
const outputSettings = {
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  quote_all_identifiers: 'off',
  // Types such as regclass print by it.
  search_path: '"$user", public',
};

const noTimeouts = {
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  // PostgreSQL 14+ and 17+: set where they exist.
  idle_session_timeout: '0',
  transaction_timeout: '0',
};

/** What is confirmed to the slot must survive a crash of the audit database. */
const durability = { synchronous_commit: 'on' };

/** A connection for SQL, on either database. */
export async function connect(target: ParsedConnection, purpose: string): Promise<OpenConnection> {
  const open = await openClient({ ...target.config, application_name: `bemi ${purpose}` });
  return prepared(open, async () => {
    await takeBytesAsTheyAre(open.client);
    await setAll(open.client, { ...outputSettings, ...noTimeouts, ...durability });
  });
}

/** A connection that can stream from a slot. It understands replication commands and simple SQL, no parameters. */
export async function connectReplication(target: ParsedConnection): Promise<OpenConnection> {
  const config: pg.ClientConfig & { replication: 'database' } = {
    ...target.config,
    application_name: 'bemi worker',
    replication: 'database',
  };
  const open = await openClient(config);
  return prepared(open, async () => {
    await takeBytesAsTheyAre(open.client);
    for (const [name, value] of Object.entries(outputSettings)) {
      await open.client.query(`SELECT set_config('${name}', ${pg.escapeLiteral(value)}, false)`);
    }
  });
}

async function openClient(config: pg.ClientConfig): Promise<OpenConnection> {
  const client = new pg.Client({
    ...config,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
  });
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject);
    client.once('end', () => reject(new Error('The connection was closed')));
  });
  lost.catch(() => undefined); // it is looked at only while recording
  try {
    await client.connect();
  } catch (error) {
    client.connection.stream.destroy();
    throw error;
  }
  return {
    client,
    lost,
    async close() {
      const ended = client.end().catch(() => undefined);
      const timer = setTimeout(() => client.connection.stream.destroy(), closeTimeoutMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

const closeTimeoutMs = 1_000;

/** The connection once it is set up; where that fails nobody else would close it. */
async function prepared(open: OpenConnection, setUp: () => Promise<void>): Promise<OpenConnection> {
  try {
    await setUp();
    return open;
  } catch (error) {
    await open.close();
    throw error;
  }
}

/**
 * A database without an encoding may hold text that is no UTF-8. A server that is to send UTF-8 fails at the first
 * such value (22021), and a stream fails there for ever.
 */
async function takeBytesAsTheyAre(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('SHOW server_encoding');
  if (rows[0]?.server_encoding === 'SQL_ASCII') await client.query(`SET client_encoding = 'SQL_ASCII'`);
}

async function setAll(client: pg.Client, settings: Readonly<Record<string, string>>): Promise<void> {
  await client.query(
    `SELECT set_config(wanted.name, wanted.value, false)
       FROM unnest($1::text[], $2::text[]) AS wanted(name, value)
       JOIN pg_settings s ON lower(s.name) = lower(wanted.name)`,
    [Object.keys(settings), Object.values(settings)],
  );
}
