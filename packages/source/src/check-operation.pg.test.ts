import { createDatabase } from '@bemi-db/test-kit/database';
import { serverMajor } from '@bemi-db/test-kit/server-major';
import { expect, test } from 'vitest';
import { asTestRole, makeTestRole } from '../test/test-role.ts';
import { checkOperation } from './check-operation.ts';
import { checkPrivileges } from './check-privileges.ts';
import { inspect } from './inspect.ts';
import { inspectLink, inspectOperation } from './inspect-operation.ts';

// The server is shared: others write.
const limits = { healthyLagBytes: 10 * 1024 ** 3, retainedWalBytes: 10 * 1024 ** 3 };

// The faults and their cures: cli/src/doctor/doctor-checks.pg.test.ts. Here, what each version and role can see.
const where = { host: 'db', port: 5432, database: 'app', setting: 'BEMI_DATABASE_URL' };

test('every version tells, to a role that may only connect; what it lacks is not known', async () => {
  const database = await createDatabase();
  const admin = await database.connect();
  const role = await makeTestRole(database, admin, 'LOGIN');
  await admin.query('CREATE TABLE "Patient" (id int PRIMARY KEY)');
  const slot = `slot_${database.name}`;
  await admin.query(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  const found = await asTestRole(database, role, async (client) => {
    expect(await inspectLink(client)).toEqual({ isEncrypted: false, version: undefined });
    const snapshot = await inspect(client, { slot, publication: 'bemi_publication' });
    const operation = await inspectOperation(client, slot);
    expect(operation.workerLink).toBeUndefined();
    return checkOperation(snapshot, operation, limits, where);
  });
  const verdicts = Object.fromEntries(found.map(({ id, verdict }) => [id, verdict]));
  expect(verdicts).toMatchObject({
    ...{ 'max-replication-slots': 'ok', 'max-wal-senders': 'ok', 'least-privilege': 'ok', lag: 'ok' },
    ...{ 'retained-wal': 'ok', 'slot-limit': serverMajor() < 13 ? 'unknown' : 'warning' },
  });
  expect('slot-idle-timeout' in verdicts).toBe(serverMajor() >= 18);
});

test('what a role may do beyond its needs is counted, however many tables there are', async () => {
  const database = await createDatabase();
  const admin = await database.connect();
  const role = await makeTestRole(database, admin, 'LOGIN CREATEDB');
  await admin.query(`
    DO $$ BEGIN FOR n IN 1..300 LOOP EXECUTE format('CREATE TABLE t%s (id int)', n); END LOOP; END $$;
    GRANT INSERT ON ALL TABLES IN SCHEMA public TO ${role}; CREATE TABLE own (id int); ALTER TABLE own OWNER TO ${role}`);
  const look = () => asTestRole(database, role, (client) => inspectOperation(client, 'none'));
  const { excess } = await look();
  expect(excess).toMatchObject({ attributes: ['CREATEDB'], ownsDatabase: false, powerfulRoles: [] });
  expect(excess.ownedTables).toEqual([{ schema: 'public', name: 'own' }]);
  expect(excess.writableTables).toHaveLength(300);

  // What setup writes is for the source of the environment, and not for one that was added.
  const advice = (setting: string) => checkPrivileges(role, excess, { ...where, setting }).fix;
  expect(advice('BEMI_DATABASE_URL')).toMatch(/worker\.env.*@db:5432\/app$/s);
  expect(advice('the connection string of clinic')).toMatch(/^(?!.*worker\.env).*--dry-run$/s);

  await admin.query(`ALTER ROLE ${role} NOCREATEDB; ALTER TABLE own OWNER TO CURRENT_USER`);
  const findings = await asTestRole(database, role, async (client) =>
    checkOperation(
      await inspect(client, { slot: 'none', publication: 'none' }),
      await inspectOperation(client, 'none'),
      limits,
      where,
    ),
  );
  const finding = findings.find(({ id }) => id === 'least-privilege')!;
  expect(finding.evidence).toMatch(/^may write to public\.t1, .* and 290 more$/);
  expect(finding.sql).toEqual([
    `REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA "public" FROM "${role}";`,
  ]);
});
