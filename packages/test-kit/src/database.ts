import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';

export interface TestDatabase {
  readonly name: string;
  /** Connection URL as the superuser. */
  readonly url: string;
  /** The same database as another role. */
  urlAs(role: string, password: string): string;
  /** A connected client, closed when the test ends. */
  connect(): Promise<pg.Client>;
}

/**
 * A fresh database on the shared server, dropped with its replication slots when the test ends. The test
 * fails if a connection to it is still open then: somebody forgot to close one.
 *
 * @param template - name of the database to copy. Default `template0`: empty.
 */
export async function createDatabase(template = 'template0'): Promise<TestDatabase> {
  const serverUrl = sharedServerUrl();
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asSuperuser(serverUrl, (admin) =>
    admin.query(`CREATE DATABASE ${name} TEMPLATE ${pg.escapeIdentifier(template)}`),
  );
  const url = databaseUrl(serverUrl, name);
  const clients: pg.Client[] = [];

  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await asSuperuser(serverUrl, async (admin) => {
      const leaked = await leakedConnections(admin, name);
      await dropSlots(admin, name);
      await dropDatabase(admin, name);
      if (leaked.length > 0) throw new Error(`Connections left open to ${name}: ${leaked.join('; ')}`);
    });
  });

  return {
    name,
    url,
    urlAs(role, password) {
      const other = new URL(url);
      other.username = encodeURIComponent(role);
      other.password = encodeURIComponent(password);
      return other.href;
    },
    async connect() {
      const client = new pg.Client(url);
      await client.connect();
      clients.push(client);
      return client;
    },
  };
}

/** The server that all tests of a run share, as its superuser. */
export function sharedServerUrl(): string {
  return inject('postgresUrl');
}

/** A URL of the same server and role for another database. */
export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.href;
}

async function asSuperuser<T>(serverUrl: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client(serverUrl);
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** What is still connected after a moment for backends whose client has just closed. */
async function leakedConnections(admin: pg.Client, database: string): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const { rows } = await admin.query<{ who: string }>(
      `SELECT format('%s %s (%s)', backend_type, application_name, left(query, 80)) AS who
         FROM pg_stat_activity WHERE datname = $1 AND backend_type IN ('client backend', 'walsender')`,
      [database],
    );
    if (rows.length === 0 || attempt === 40) return rows.map((row) => row.who);
    await admin.query('SELECT pg_sleep(0.05)');
  }
}

/** By force, which PostgreSQL 12 has no word for yet: a server process that ends must not fail the test. */
async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  const { rows } = await admin.query(
    `SELECT current_setting('server_version_num')::integer >= 130000 AS "canForce"`,
  );
  if (rows[0].canForce) {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    return;
  }
  await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name]);
  await admin.query(`DROP DATABASE IF EXISTS ${name}`); // it waits 5 s for the others to go
}

async function dropSlots(admin: pg.Client, database: string): Promise<void> {
  await admin.query(
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active`,
    [database],
  );
  for (let attempt = 0; ; attempt++) {
    try {
      await admin.query(
        `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1`,
        [database],
      );
      return;
    } catch (error) {
      // 55006 object_in_use: the walsender has not noticed yet that its client is gone.
      if (!(error instanceof pg.DatabaseError) || error.code !== '55006' || attempt === 100) throw error;
      await admin.query('SELECT pg_sleep(0.05)');
    }
  }
}
