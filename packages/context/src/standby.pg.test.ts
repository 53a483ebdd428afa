import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDisposableServer } from '@bemi-db/test-kit/disposable-server';
import pg from 'pg';
import { expect, it } from 'vitest';
import { outcomeOf } from '../test/outcome.ts';
import { SCHEMA, statements } from '../test/statements.ts';
import { runWithBemiContext } from './context.ts';
import { createPool } from './pg.ts';

it('on a hot standby, everything is as without the wrapper', async () => {
  const server = await startDisposableServer();
  try {
    const admin = new pg.Client(server.url());
    await admin.connect();
    await admin.query(SCHEMA);
    await admin.end();
    writeFileSync(join(server.dataDirectory, 'standby.signal'), '');
    await server.restart('fast', { hot_standby: 'on' });

    const plain = new pg.Pool({ connectionString: server.url(), max: 1 });
    const wrapped = createPool({ connectionString: server.url(), max: 1 });
    expect((await plain.query('SELECT pg_is_in_recovery() AS standby')).rows).toEqual([{ standby: true }]);
    for (const { examples } of statements) {
      for (const example of examples) {
        const sql = typeof example === 'string' ? example : example.sql;
        const both = [plain, wrapped].map(async (pool) => {
          const client = await pool.connect();
          const outcome = await runWithBemiContext({ userId: 'u1' }, () => outcomeOf(client, sql));
          await client.query('ROLLBACK');
          client.release();
          return outcome;
        });
        const [expected, outcome] = await Promise.all(both);
        expect(outcome, sql).toEqual(expected);
      }
    }
    await Promise.all([plain.end(), wrapped.end()]);
  } finally {
    await server.stop('immediate');
  }
});
