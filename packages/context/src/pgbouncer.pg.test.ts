import { expect, it, onTestFinished } from 'vitest';
import { pgBench } from '../test/pg-bench.ts';
import { hasPgBouncer, startPgBouncer, whyNot } from '../test/pgbouncer.ts';
import { runWithBemiContext } from './context.ts';
import { createPool } from './pg.ts';

it.skipIf(!hasPgBouncer)(
  `through PgBouncer in transaction mode, contexts stay with their writes${whyNot}`,
  async () => {
    const bench = await pgBench();
    const url = await startPgBouncer(bench.database);
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
