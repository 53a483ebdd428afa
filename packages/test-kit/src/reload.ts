import pg from 'pg';
import { expect } from 'vitest';

/**
 * Lets a server read its configuration again, and returns when each of its processes has been told. A signal is all
 * that `pg_reload_conf` waits for: a checkpoint that is asked for right behind it may still go by what held before.
 *
 * @param reload - asks for it. Default: `pg_reload_conf()`.
 */
export async function reloadSettings(url: string, reload?: () => Promise<unknown>): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ now: string }>('SELECT clock_timestamp()::text AS now');
    await (reload ? reload() : client.query('SELECT pg_reload_conf()'));
    const isReloaded = async () =>
      (await client.query('SELECT WHERE pg_conf_load_time() > $1::timestamptz', [rows[0]!.now])).rowCount;
    await expect.poll(isReloaded, { timeout: 20_000, interval: 10 }).toBe(1);
    // The postmaster tells its processes one after the other, and answers whoever connects, be it by a refusal, when it has told all.
    const next = new pg.Client(url);
    await next.connect().then(
      () => next.end(),
      () => undefined,
    );
  } finally {
    await client.end();
  }
}
