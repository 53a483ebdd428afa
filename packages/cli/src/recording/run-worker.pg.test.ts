import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createDatabase } from '@bemi-db/test-kit/database';
import { readIndexProgress } from '@bemi-db/trail/partitions';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

async function bothSides() {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const client = await source.connect();
  await client.query('CREATE TABLE t (id int PRIMARY KEY)');
  return {
    client,
    environment: {
      BEMI_DATABASE_URL: source.url,
      BEMI_DESTINATION_URL: audit.url,
      BEMI_REPLICATION_SLOT: `slot_${source.name}`,
      BEMI_PORT: '0',
    },
  };
}

/** The port in the line that says where health checks are answered. */
const healthPort = (log: string): string => /"port":(\d+),"msg":"Answering/.exec(log)?.[1] ?? '';

test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in order, with everything stored', async (signal) => {
  const { client, environment } = await bothSides();
  const folder = projectFolder();
  const published = { ...environment, BEMI_CHECKPOINT_URL: join(folder, 'elsewhere') };
  const worker = startBemi(['start'], published, folder);
  const log = await worker.untilPrinted('"msg":"Recording"');
  const ready = await fetch(`http://127.0.0.1:${healthPort(log)}/readyz`);
  expect(ready.status).toBe(200);
  await client.query('INSERT INTO t SELECT generate_series(1, 100)');
  const status = await runBemi(['status'], environment);
  expect(status.stdout).toContain('a worker is streaming');
  worker.child.kill(signal);
  const { code, stdout, stderr } = await worker.finished;
  expect(code).toBe(0);
  expect(stderr).toContain('makes the first admin');
  expect(stdout).toContain('"msg":"Stopped"');
  // The last checkpoint is published when it has ended: to its own directory, and to the one that is named.
  const { audit } = JSON.parse((await runBemi(['status', '--json'], published, folder)).stdout);
  expect(audit.proof).toMatchObject({
    size: Number(audit.log.entryCount),
    published: [
      { where: expect.stringContaining('.bemi/checkpoints'), size: audit.proof.size, isCurrent: true },
      { where: expect.stringContaining('elsewhere'), size: audit.proof.size, isCurrent: true },
    ],
  });
});

test('not ready while a side is away, with the reason', async () => {
  const { environment } = await bothSides();
  const worker = startBemi(['worker'], {
    ...environment,
    BEMI_DATABASE_URL: 'postgres://postgres:x@127.0.0.1:1/app',
  });
  const log = await worker.untilPrinted('"code":"unreachable"');
  const answer = await fetch(`http://127.0.0.1:${healthPort(log)}/readyz`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ state: 'waiting', code: 'unreachable' });
  expect((await fetch(`http://127.0.0.1:${healthPort(log)}/healthz`)).status).toBe(200);
});

test('what was drained is indexed for searches before it ends, unless that is left to the next worker', async () => {
  const { client, environment } = await bothSides();
  const folder = projectFolder();
  const drain = (...options: string[]) => runBemi(['worker', '--drain', ...options], environment, folder);
  await drain();
  await client.query('INSERT INTO t SELECT generate_series(1, 20000)');
  const trail = new pg.Client(environment.BEMI_DESTINATION_URL);
  await trail.connect();
  onTestFinished(() => trail.end());
  const progress = async () =>
    (await readIndexProgress(trail, new URL(environment.BEMI_DATABASE_URL).pathname.slice(1)))!;
  expect(await drain('--no-index')).toMatchObject({ code: 0 });
  const left = await progress();
  expect(left.end).toBeGreaterThanOrEqual(19 * 1_024);
  expect(left.indexed).toBeLessThan(left.end);

  const { code, stdout } = await drain();
  expect(code).toBe(0);
  const { indexed, end } = await progress();
  expect(indexed).toBe(end);
  expect(stdout).toContain(`"msg":"Indexed for searches"`);
  expect(await runBemi(['worker', '--no-index'], environment)).toMatchObject({ code: 2 });
});

test('a port in use', async () => {
  const { environment } = await bothSides();
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => {
    other.close();
  });
  await new Promise((resolve) => other.once('listening', resolve));
  const { port } = other.address() as { port: number };
  const { code, stderr } = await runBemi(['worker'], { ...environment, BEMI_PORT: String(port) });
  expect(stderr).toMatch(new RegExp(`Port ${port} of 127.0.0.1 is in use.*BEMI_PORT`, 's'));
  expect(code).toBe(2);
});

test('an embedded audit database: made, shared, found again', async () => {
  const { client, environment } = await bothSides();
  const { BEMI_DESTINATION_URL: _, ...source } = environment;
  const folder = projectFolder();
  await client.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES');
  const worker = startBemi(['worker', '--embedded'], source, folder);
  await worker.untilPrinted('"msg":"Recording"');
  await client.query('INSERT INTO t VALUES (1)');

  // While the worker runs it, and after it has ended.
  const following = startBemi(['log', '--follow', '--json'], source, folder);
  await following.untilPrinted('"operation":"INSERT"');
  following.child.kill('SIGTERM');
  expect((await following.finished).code).toBe(0);
  expect(worker.child.exitCode).toBe(null);
  worker.child.kill('SIGTERM');
  expect((await worker.finished).code).toBe(0);
  expect(existsSync(join(folder, '.bemi', 'postgres', 'postmaster.pid'))).toBe(false);

  const password = join(folder, '.bemi', 'postgres-password');
  expect(statSync(password).mode & 0o777).toBe(0o600);
  const log = await runBemi(['log'], source, folder);
  expect(log).toMatchObject({ code: 0, stdout: expect.stringContaining('created t 1') });
  await client.query('INSERT INTO t VALUES (2)');
  expect((await runBemi(['worker', '--drain', '--embedded'], source, folder)).code).toBe(0);
  const history = await runBemi(['history', 't', '2', '--embedded'], source, folder);
  expect(history.stdout).toContain('created t 2');
  expect(existsSync(join(folder, '.bemi', 'postgres', 'postmaster.pid'))).toBe(false);
});
