import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { type PgBench, pgBench } from '../test/pg-bench.ts';
import { runWithBemiContext } from './context.ts';
import { createPool } from './pg.ts';

const installed = spawnSync('pgbouncer', ['--version']).status === 0;

it.skipIf(!installed)(
  `through PgBouncer in transaction mode, contexts stay with their writes${installed ? '' : ' (not run: there is no pgbouncer on the PATH)'}`,
  async () => {
    const bench = await pgBench();
    const url = await startPgBouncer(bench);
    const pool = createPool({ connectionString: url, max: 8 });
    onTestFinished(() => pool.end());
    const ids = Array.from({ length: 120 }, (_, id) => id);
    await Promise.all(
      ids.map((id) =>
        runWithBemiContext({ request: id }, async () => {
          if (id % 4 === 0) await pool.query('INSERT INTO t VALUES ($1)', [id]);
          else if (id % 4 === 1) await pool.query(`INSERT INTO t VALUES (${id})`);
          else if (id % 4 === 2) {
            const failed = pool.query('INSERT INTO t VALUES ($1, NULL, -1)', [id]);
            await expect(failed).rejects.toMatchObject({ code: '23514' });
            await pool.query('INSERT INTO t VALUES ($1)', [id]);
          } else {
            const client = await pool.connect();
            await client.query('BEGIN');
            await client.query('SAVEPOINT s');
            await client.query('INSERT INTO t VALUES ($1)', [-id]);
            await client.query('ROLLBACK TO s');
            await client.query('INSERT INTO t VALUES ($1)', [id]);
            await client.query('COMMIT');
            client.release();
          }
        }),
      ),
    );
    // A prepared statement of the one connection to the server would be missing on the other.
    expect((await pool.query('TABLE pg_prepared_statements')).rows).toEqual([]);
    expect(new Set(await bench.wal.take())).toEqual(
      new Set(ids.map((id) => [{ request: id }, `INSERT ${id}`])),
    );
  },
);

/** Eight clients share two connections to the server. */
async function startPgBouncer({ database }: PgBench): Promise<string> {
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
