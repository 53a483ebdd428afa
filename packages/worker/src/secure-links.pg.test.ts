import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import { issueCertificate, makeAuthority, turnTlsOn } from '@bemi-db/test-kit/certificates';
import { createDatabase } from '@bemi-db/test-kit/database';
import { startOwnServer } from '@bemi-db/test-kit/own-server';
import { newStateDirectory } from '@bemi-db/test-kit/state-directory';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from './connections.ts';
import { createWorker, type Worker, type WorkerOptions } from './create-worker.ts';

const patience = { timeout: 60_000, interval: 50 };

function run(options: WorkerOptions): Worker {
  const worker = createWorker(options);
  const stop = new AbortController();
  const ended = worker.run({ signal: stop.signal });
  ended.catch(() => undefined);
  onTestFinished(async () => {
    stop.abort();
    await ended.catch(() => undefined);
  });
  return worker;
}

async function sqlAt(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

test('both links by TLS, with an own authority and client certificates, and nothing else', async () => {
  const [authority, other] = [await makeAuthority(), await makeAuthority('Another authority')];
  const server = await startOwnServer({ isNewCluster: true });
  onTestFinished(() => server.stop('immediate'));
  await sqlAt(server.url(), 'CREATE ROLE recorder SUPERUSER LOGIN');
  await sqlAt(server.url(), 'CREATE DATABASE app');
  await sqlAt(server.url(), 'CREATE DATABASE audit');
  await turnTlsOn(server.url(), await issueCertificate(authority, 'server', ['localhost']), authority, [
    'hostssl all recorder all cert',
    'hostssl replication recorder all cert',
    'host all postgres all scram-sha-256',
  ]);
  const folder = newStateDirectory();
  const client = await issueCertificate(authority, 'recorder');
  const files = {
    root: authority.certificate,
    other: other.certificate,
    crt: client.certificate,
    key: client.key,
  };
  const paths = Object.fromEntries(
    Object.entries(files).map(([name, text]) => {
      const path = join(folder, `client.${name}`);
      writeFileSync(path, text);
      chmodSync(path, 0o600);
      return [name, path];
    }),
  );
  const certificate = `sslcert=${paths['crt']}&sslkey=${paths['key']}`;
  const url = (database: string, parameters: string, host = 'localhost') =>
    `postgres://recorder@${host}:${server.port}/${database}?${parameters}`;

  const failureOf = async (parameters: string, host?: string): Promise<string> => {
    const parsed = parseConnectionString(url('app', parameters, host), 'BEMI_DATABASE_URL');
    const failure = await connect(parsed, 'test').then(
      async (open) => void (await open.close()),
      (error: Error) => error.message,
    );
    return failure ?? 'connected';
  };
  await expect
    .poll(() => failureOf(`sslmode=verify-full&sslrootcert=${paths['root']}&${certificate}`))
    .toBe('connected');
  expect(
    await failureOf(`sslmode=verify-full&sslrootcert=${paths['root']}&${certificate}`, '127.0.0.1'),
  ).toMatch(/altnames|IP/i);
  expect(await failureOf(`sslmode=verify-ca&sslrootcert=${paths['root']}&${certificate}`, '127.0.0.1')).toBe(
    'connected',
  );
  expect(await failureOf(`sslmode=verify-ca&sslrootcert=${paths['other']}&${certificate}`)).toMatch(
    /certificate/i,
  );
  expect(await failureOf(`sslmode=require&${certificate}`, '127.0.0.1')).toBe('connected');
  expect(await failureOf(`sslmode=require&sslrootcert=${paths['other']}&${certificate}`)).toMatch(
    /certificate/i,
  );
  expect(await failureOf('sslmode=require')).toMatch(/certificate/i);
  expect(await failureOf('sslmode=disable')).toMatch(/no pg_hba.conf entry|no encryption/);

  const full = `sslmode=verify-full&sslrootcert=${paths['root']}&${certificate}`;
  const worker = run({
    source: url('app', full),
    destination: url('audit', full),
    stateDirectory: newStateDirectory(),
  });
  await expect.poll(() => worker.status().state, patience).toBe('recording');
  await sqlAt(server.url('app'), 'CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)');
  await expect.poll(() => worker.status().changes, patience).toBe(1);
  const { rows } = await sqlAt(
    server.url(),
    `SELECT count(*)::integer AS all, count(*) FILTER (WHERE s.ssl AND s.client_dn IS NOT NULL)::integer AS encrypted
       FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.application_name LIKE 'bemi worker%'`,
  );
  expect(rows[0].all).toBe(5);
  expect(rows[0].encrypted).toBe(5);
});

/** A role whose password changes, and what connects as it. */
async function rotatingScene(secret: (url: string) => SecretConnection) {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const admin = await source.connect();
  const role = `rotated_${source.name}`;
  await admin.query(`CREATE ROLE ${role} LOGIN REPLICATION SUPERUSER PASSWORD 'first one'`);
  onTestFinished(async () => {
    await sqlAt(source.url, `DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
  await admin.query('CREATE TABLE t (id integer PRIMARY KEY)');
  const worker = run({
    source: secret(source.urlAs(role, 'first one')),
    destination: audit.url,
    slot: `${source.name}_slot`,
    stateDirectory: newStateDirectory(),
  });
  return { source, admin, role, worker };
}

async function expectRotation(
  { source, admin, role, worker }: Awaited<ReturnType<typeof rotatingScene>>,
  rotate: (password: string) => void,
): Promise<void> {
  await expect.poll(() => worker.status().state, patience).toBe('recording');
  await admin.query('INSERT INTO t VALUES (1)');
  await expect.poll(() => worker.status().changes, patience).toBe(1);
  await admin.query(`ALTER ROLE ${role} PASSWORD 'second, with @:/ in it'`);
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = $2`,
    [role, source.name],
  );
  await admin.query('INSERT INTO t VALUES (2)');
  await expect.poll(() => worker.status().problem?.code, patience).toBe('password');
  rotate('second, with @:/ in it');
  await expect.poll(() => worker.status().changes, patience).toBe(2);
  expect(worker.status().state).toBe('recording');
}

test('a password that is changed in its file is picked up: no restart, no gap', async () => {
  const file = join(newStateDirectory(), 'database-url');
  let scene: Awaited<ReturnType<typeof rotatingScene>> | undefined;
  scene = await rotatingScene((url) => {
    writeFileSync(file, `${url}\n`);
    return { url, urlFile: file };
  });
  await expectRotation(scene, (password) => writeFileSync(file, scene.source.urlAs(scene.role, password)));
});

test('a password that a command prints is asked for at each connection', async () => {
  const folder = newStateDirectory();
  const file = join(folder, 'token');
  writeFileSync(file, 'first one\n');
  const scene = await rotatingScene((url) => ({ url, passwordCommand: `cat ${file}` }));
  await expectRotation(scene, (password) => writeFileSync(file, `${password}\n`));
});

test('a command that fails, and a file that is gone: said, without what they printed, and tried again', async () => {
  const folder = newStateDirectory();
  const scene = await rotatingScene((url) => ({
    url,
    passwordCommand: `cat ${folder}/token || { echo secret-output >&2; exit 3; }`,
  }));
  await expect.poll(() => scene.worker.status().problem?.code, patience).toBe('password-source');
  const { message, fix } = scene.worker.status().problem!;
  expect(message).toBe(
    'The password for BEMI_DATABASE_URL is not to be had: its command ended with exit code 3',
  );
  expect(fix).toContain('Run it by hand');
  expect(JSON.stringify(scene.worker.status())).not.toContain('secret-output');
  writeFileSync(join(folder, 'token'), 'first one');
  await expect.poll(() => scene.worker.status().state, patience).toBe('recording');
});
