import { createPool } from '@bemi-db/context/pg';
import type pg from 'pg';
import type { Adapter, Item, ItemWrites, OpenTransaction } from '../client-under-test.ts';

function itemWrites(sql: pg.Pool | pg.ClientBase): ItemWrites {
  const insert = 'INSERT INTO item (id, name, quantity)';
  const values = ({ id, name, quantity }: Item) => [id, name, quantity];
  return {
    create: (item) => sql.query(`${insert} VALUES ($1, $2, $3)`, values(item)),
    createMany: (items) =>
      sql.query(`${insert} SELECT * FROM json_to_recordset($1) AS item (id int, name text, quantity int)`, [
        JSON.stringify(items),
      ]),
    update: (id, quantity) => sql.query('UPDATE item SET quantity = $2 WHERE id = $1', [id, quantity]),
    delete: (id) => sql.query({ name: 'delete item', text: 'DELETE FROM item WHERE id = $1', values: [id] }),
    upsert: (item) =>
      sql.query(
        `${insert} VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity`,
        values(item),
      ),
    read: (id) => sql.query('SELECT * FROM item WHERE id = $1', [id]),
    raw: (text) => sql.query(text),
  };
}

async function inTransaction(
  pool: pg.Pool,
  work: (transaction: OpenTransaction) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const nested = { notOffered: '`pg` has no nested transactions; see savepoint by SQL' };
    await work({ ...itemWrites(client), nested });
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

export const pgAdapter: Adapter = {
  async connect(url) {
    const pool = createPool({ connectionString: url });
    return {
      ...itemWrites(pool),
      transaction: (work) => inTransaction(pool, work),
      // Several statements in one text are one transaction.
      batch: (items) =>
        pool.query(
          items
            .map(({ id, name, quantity }) => `INSERT INTO item VALUES (${id}, '${name}', ${quantity})`)
            .join('; '),
        ),
      close: () => pool.end(),
    };
  },
};
