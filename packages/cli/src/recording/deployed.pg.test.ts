import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { effort } from '@bemi-db/test-kit/effort';
import { startOwnServer } from '@bemi-db/test-kit/own-server';
import { typeSql } from '@bemi-db/test-kit/type-sql';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { guide004 } from '../../../worker/test/guides/guide-004.ts';
import { projectFolder, startBemi } from '../../test/run-bemi.ts';

const read = (path: string): string =>
  readFileSync(new URL(`../../../../deploy/${path}`, import.meta.url), 'utf8');
const patience = { timeout: 60_000, interval: 100 };

interface Compose {
  readonly services: Record<
    string,
    { readonly environment: Record<string, string>; readonly command?: string[]; readonly volumes: string[] }
  >;
}

/** What the image sets, and what it runs. */
function image() {
  const text = read('docker/Dockerfile').replaceAll('\\\n', ' ');
  const last = text.slice(text.lastIndexOf('FROM '));
  const environment = Object.fromEntries(
    [...last.matchAll(/^ENV (.*)$/gm)].flatMap(([, pairs]) =>
      [...pairs!.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name!, value!]),
    ),
  );
  const list = (instruction: string): string[] =>
    JSON.parse(new RegExp(`^${instruction} +(?:.*CMD +)?(\\[.*\\])$`, 'm').exec(last)![1]!);
  return {
    environment,
    entrypoint: list('ENTRYPOINT'),
    command: list('CMD'),
    healthcheck: list('HEALTHCHECK'),
    last,
  };
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

test("the image's entrypoint with the guide's environment, before its audit database is there", async () => {
  const { services } = parse(read('compose/bemi-worker-compose.yml')) as Compose;
  const { environment, entrypoint, command, healthcheck } = image();
  expect(entrypoint).toEqual(['bemi']);
  expect(environment).toMatchObject({
    BEMI_HOST: '0.0.0.0',
    BEMI_PORT: '4000',
    BEMI_STATE_DIR: '/var/lib/bemi',
  });

  const source = await startOwnServer({ settings: guide004.settings });
  const audit = await startOwnServer({ isNewCluster: true });
  onTestFinished(async () => {
    await Promise.all([source.stop('immediate'), audit.stop('immediate')]);
  });
  await sqlAt(source.url(), 'CREATE DATABASE holi_protocol');
  await sqlAt(source.url('holi_protocol'), 'CREATE TABLE "Patient" (id integer PRIMARY KEY)');
  await typeSql(source.url('holi_protocol'), guide004.step2);
  await typeSql(source.url('holi_protocol'), guide004.step4);
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = services['bemi-db']!.environment;
  await sqlAt(audit.url(), `CREATE ROLE ${POSTGRES_USER} LOGIN SUPERUSER PASSWORD '${POSTGRES_PASSWORD}'`);
  await sqlAt(audit.url(), `CREATE DATABASE ${POSTGRES_DB} OWNER ${POSTGRES_USER}`);
  await audit.stop('fast');
  await sqlAt(source.url('holi_protocol'), 'INSERT INTO "Patient" VALUES (1)');

  // What a container has of its own: names of hosts, the volume, the port.
  const inContainer = (text: string): string =>
    text
      .replace('@postgres:5432/', `@127.0.0.1:${source.port}/`)
      .replace('@bemi-db:5432/', `@127.0.0.1:${audit.port}/`);
  const folder = projectFolder();
  const worker = startBemi(
    command,
    {
      ...environment,
      ...Object.fromEntries(
        Object.entries(services['bemi-worker']!.environment).map(([name, value]) => [
          name,
          inContainer(value),
        ]),
      ),
      BEMI_STATE_DIR: folder,
      BEMI_PORT: '0',
    },
    folder,
  );
  const log = await worker.untilPrinted('"msg":"Answering');
  const port = /"port":(\d+),"msg":"Answering/.exec(log)?.[1];
  const answer = async (path: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  await worker.untilPrinted('"code":"unreachable"');
  await delay(effort(2_000, 20_000));
  expect(await answer('/readyz')).toBe(503);
  expect(await answer('/healthz')).toBe(200);
  const [node, flag, program] = healthcheck;
  expect([node, flag]).toEqual(['node', '-e']);
  expect(program).toContain(`http://127.0.0.1:${environment['BEMI_PORT']}/healthz`);

  await audit.start();
  await expect.poll(() => answer('/readyz'), patience).toBe(200);
  await sqlAt(source.url('holi_protocol'), 'INSERT INTO "Patient" VALUES (2)');
  await expect
    .poll(async () => {
      const { rows } = await sqlAt(
        audit.url(POSTGRES_DB),
        'SELECT after->>$$id$$ AS id FROM changes ORDER BY changes.id',
      );
      return rows.map(({ id }) => id);
    }, patience)
    .toEqual(['1', '2']);
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(0);
});

test("the compose files have the guide's services and settings, and keep what must be kept", () => {
  const application = parse(read('compose/docker-compose.yml')) as Compose;
  for (const [name, value] of Object.entries(guide004.settings)) {
    expect(application.services['postgres']!.command).toContain(`${name}=${value}`);
  }
  const { services } = parse(read('compose/bemi-worker-compose.yml')) as Compose;
  expect(Object.keys(services)).toEqual(['bemi-worker', 'bemi-db']);
  expect(services['bemi-worker']!.environment).toEqual({
    BEMI_DATABASE_URL:
      'postgres://bemi_replication:secure_random_password_here@postgres:5432/holi_protocol?replication=database',
    BEMI_DESTINATION_URL: 'postgres://bemi_audit:audit_password@bemi-db:5432/bemi_audit',
    BEMI_REPLICATION_SLOT: 'bemi_slot',
    BEMI_PUBLICATION: 'bemi_publication',
    BEMI_LOG_LEVEL: 'info',
  });
  expect(services['bemi-worker']!.volumes).toEqual([`bemi_state:${image().environment['BEMI_STATE_DIR']}`]);
  expect(image().last).toContain('USER node');
});

test('the unit gives the settings that there are, and leaves to a person what no server can cure', () => {
  const unit = read('systemd/bemi-worker.service');
  expect(unit).toMatch(/^ExecStart=\/usr\/bin\/env bemi start$/m);
  expect(unit).toMatch(/^RestartPreventExitStatus=2$/m);
  expect(unit).toMatch(/^Environment=BEMI_STATE_DIR=\/var\/lib\/bemi$/m);
  expect(unit).toMatch(/^StateDirectory=bemi$/m);
});
