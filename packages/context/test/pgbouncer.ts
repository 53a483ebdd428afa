import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { onTestFinished } from 'vitest';

export const hasPgBouncer = spawnSync('pgbouncer', ['--version']).status === 0;

/** For the name of a test that is skipped without it. */
export const whyNot = hasPgBouncer ? '' : ' (not run: there is no pgbouncer on the PATH)';

/**
 * In transaction mode, with two connections to the server for all its clients.
 *
 * @returns the URL of the database through it.
 */
export async function startPgBouncer(database: TestDatabase): Promise<string> {
  const { hostname, port, username, password } = new URL(database.url);
  const directory = mkdtempSync(join(tmpdir(), 'bemi-pgbouncer-'));
  chmodSync(directory, 0o755);
  const listen = await freePort();
  writeFileSync(
    join(directory, 'pgbouncer.ini'),
    `[databases]\n${database.name} = host=${hostname} port=${port} user=${username} password=${password}\n` +
      `[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${listen}\nauth_type = any\npool_mode = transaction\n` +
      `default_pool_size = 2\nunix_socket_dir =\n`,
  );
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const bouncer = spawn('pgbouncer', ['-q', ...user, join(directory, 'pgbouncer.ini')], { stdio: 'ignore' });
  onTestFinished(() => stop(bouncer, directory));
  const url = `postgres://${username}@127.0.0.1:${listen}/${database.name}`;
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client(url);
    const error = await client.connect().then(
      () => client.end(),
      (reason: unknown) => reason,
    );
    if (error === undefined) return url;
    if (attempt === 100 || bouncer.exitCode !== null) throw error;
    await delay(50);
  }
}

async function stop(bouncer: ChildProcess, directory: string): Promise<void> {
  const ended = once(bouncer, 'exit');
  if (bouncer.exitCode === null && bouncer.kill('SIGKILL')) await ended;
  rmSync(directory, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
