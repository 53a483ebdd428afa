import type { PostgresServer } from '@bemi-db/embedded-postgres';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import { reloadSettings } from '@bemi-db/test-kit/reload';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyPlan } from './apply-plan.ts';
import { check } from './check.ts';
import type { Finding } from './finding.ts';
import { inspect } from './inspect.ts';
import { plan } from './plan.ts';
import type { Wanted } from './source-snapshot.ts';

// What only a server of one's own can show: settings that need a restart, WAL that is removed, RDS's roles.
const wanted: Wanted = { slot: 'bemi_slot', publication: 'bemi_publication', tables: 'all' };
let server: PostgresServer;

beforeAll(async () => {
  server = await startDisposableServer();
});
afterAll(() => server.stop('immediate'));

async function connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(server.url());
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const failures = async (client: pg.Client): Promise<readonly Finding[]> =>
  check(await inspect(client, wanted), wanted).filter((finding) => finding.verdict === 'failure');

test('a server that cannot replicate: its SQL and a restart cure it', async () => {
  await connected(async (client) => {
    await client.query('ALTER SYSTEM SET max_replication_slots = 0');
    await client.query('ALTER SYSTEM SET max_wal_senders = 0');
  });
  await server.restart();
  const found = await connected(failures);
  expect(found.map((finding) => finding.id)).toEqual([
    ...['wal-level', 'free-slots', 'free-wal-senders'],
    ...['publication', 'slot'],
  ]);
  expect(found[0]?.sql).toEqual(["ALTER SYSTEM SET wal_level = 'logical';"]);
  for (const word of ['Docker compose', 'brew services restart postgresql@18', 'rds.logical_replication']) {
    expect(found[0]?.fix).toContain(word);
  }

  await connected(async (client) => {
    for (const statement of found.slice(0, 3).flatMap((finding) => finding.sql))
      await client.query(statement);
  });
  await server.restart();
  await connected(async (client) => {
    expect((await failures(client)).map((finding) => finding.id)).toEqual(['publication', 'slot']);
    await applyPlan(client, plan(await inspect(client, wanted), wanted));
    expect(await failures(client)).toEqual([]);
  });
});

test('a slot whose WAL the server removed', async () => {
  await connected(async (client) => {
    await client.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    await reloadSettings(server.url());
    for (let segment = 0; segment < 4; segment++) {
      await client.query("SELECT pg_logical_emit_message(false, 'test', ''), pg_switch_wal()");
    }
    await client.query('CHECKPOINT');
    const [lost, ...others] = await failures(client);
    expect(lost).toMatchObject({ id: 'slot-health', evidence: 'invalidated by the server: wal_removed' });
    expect(others).toEqual([]);
    // The plan never replaces a slot by itself.
    expect(plan(await inspect(client, wanted), wanted)).toEqual([]);
    for (const statement of lost?.sql ?? []) await client.query(statement);
    expect(await failures(client)).toEqual([]);
  });
});

test('on AWS RDS, its own roles and parameters take the place of attributes and ALTER SYSTEM', async () => {
  await connected(async (client) => {
    await client.query('CREATE ROLE rds_superuser; CREATE ROLE rds_replication');
    const withRole: Wanted = { ...wanted, role: { name: 'bemi', password: 'secret' } };
    const look = () => inspect(client, { ...wanted, role: { name: 'bemi' } });
    const snapshot = await look();
    expect(snapshot.server.provider).toBe('aws-rds');
    const steps = plan(snapshot, withRole);
    expect(steps.map((step) => step.sql)).toEqual([
      `CREATE ROLE "bemi" WITH LOGIN PASSWORD 'secret';`,
      `GRANT rds_replication TO "bemi";`,
      `GRANT USAGE ON SCHEMA "public" TO "bemi";`,
      `ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "public" GRANT SELECT ON TABLES TO "bemi";`,
    ]);
    await applyPlan(client, steps);
    expect(plan(await look(), withRole)).toEqual([]);

    const replica = { ...snapshot, server: { ...snapshot.server, walLevel: 'replica' } };
    const walLevel = check(replica, wanted).find((finding) => finding.id === 'wal-level');
    expect(walLevel).toMatchObject({ verdict: 'failure', sql: [] });
    expect(walLevel?.fix).toContain('ParameterName=rds.logical_replication,ParameterValue=1');
  });
});
