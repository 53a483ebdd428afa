import type { ParsedConnection } from '@bemi-db/source/connection-string';
import pg from 'pg';
import { type LivenessTimings, livenessTimings } from './connection-liveness.ts';
import { type Backend, ConnectionWatch, startedAtSql } from './connection-watch.ts';

/** An open connection that can be dropped at once, whatever it is doing. Where the server is silent, it drops itself. */
export interface OpenConnection {
  readonly client: pg.Client;
  /** The server's end of it. */
  readonly backend: Backend;
  /** Rejects when the connection is lost while nobody waits for an answer on it. Never resolves. */
  readonly lost: Promise<never>;
  /** Resolves with whether the server has ended its side too; else its session, and its locks, may live on. */
  close(): Promise<boolean>;
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

/** A server must notice within a minute that our machine is gone: it holds the log's lock for us until then. */
const serverKeepalives = {
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '4',
  tcp_user_timeout: '30000',
};

/** A connection for SQL, on either database. */
export function connect(
  target: ParsedConnection,
  purpose: string,
  liveness: LivenessTimings = livenessTimings,
): Promise<OpenConnection> {
  return openClient(
    { ...target.config, application_name: `bemi ${purpose}` },
    target,
    liveness,
    async (client) => {
      await takeBytesAsTheyAre(client);
      await setAll(client, { ...outputSettings, ...noTimeouts, ...durability, ...serverKeepalives });
    },
  );
}

/** A connection that can stream from a slot. It understands replication commands and simple SQL, no parameters. */
export function connectReplication(
  target: ParsedConnection,
  liveness: LivenessTimings = livenessTimings,
): Promise<OpenConnection> {
  const config = {
    ...target.config,
    application_name: 'bemi worker',
    replication: 'database' as const,
  };
  return openClient(config, target, liveness, async (client) => {
    await takeBytesAsTheyAre(client);
    for (const [name, value] of Object.entries(outputSettings)) {
      await client.query(`SELECT set_config('${name}', ${pg.escapeLiteral(value)}, false)`);
    }
  });
}

/** Connects and sets up; where that fails nobody else would close it. */
async function openClient(
  config: pg.ClientConfig & { readonly replication?: 'database' },
  target: ParsedConnection,
  liveness: LivenessTimings,
  setUp: (client: pg.Client) => Promise<void>,
): Promise<OpenConnection> {
  const client = new pg.Client({
    ...config,
    connectionTimeoutMillis: liveness.connectTimeoutMs,
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
  const watch = new ConnectionWatch(client, target, liveness, { isStream: config.replication !== undefined });
  const close = async (): Promise<boolean> => {
    watch.stop();
    const { stream } = client.connection;
    let isEnded = stream.readableEnded;
    stream.once('end', () => {
      isEnded = true;
    });
    const ended = client.end().catch(() => undefined);
    const timer = setTimeout(() => stream.destroy(), closeTimeoutMs);
    await ended;
    clearTimeout(timer);
    return isEnded;
  };
  try {
    const backend = await readBackend(client);
    watch.know(backend);
    await setUp(client);
    return { client, backend, lost, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const closeTimeoutMs = 1_000;

/** Asked by SQL: what the connection itself was told is a pooler's, where there is one. */
async function readBackend(client: pg.Client): Promise<Backend> {
  const { rows } = await client.query<Backend>(
    `SELECT pid, ${startedAtSql} AS "startedAt" FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
  );
  if (!rows[0]) throw new Error('pg_stat_activity does not show this connection');
  return { pid: Number(rows[0].pid), startedAt: rows[0].startedAt };
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
