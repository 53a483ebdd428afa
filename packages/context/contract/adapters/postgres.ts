import { wrapPostgres } from '@bemi-db/context/postgres';
import postgres from 'postgres';
import type { Adapter, ItemWrites, OpenTransaction } from '../client-under-test.ts';

function itemWrites(sql: postgres.ISql): ItemWrites {
  return {
    create: (item) => sql`INSERT INTO item ${sql({ ...item })}`,
    createMany: (items) => sql`INSERT INTO item ${sql([...items], 'id', 'name', 'quantity')}`,
    update: (id, quantity) => sql`UPDATE item SET ${sql({ quantity })} WHERE id = ${id}`,
    delete: (id) => sql`DELETE FROM item WHERE id = ${id} RETURNING *`,
    upsert: (item) =>
      sql`INSERT INTO item ${sql({ ...item })} ON CONFLICT (id) DO UPDATE SET quantity = excluded.quantity`,
    read: (id) => sql`SELECT * FROM item WHERE id = ${id}`,
    raw: (text) => sql.unsafe(text),
  };
}

function opened(sql: postgres.TransactionSql): OpenTransaction {
  return { ...itemWrites(sql), nested: (work) => sql.savepoint((inner) => work(opened(inner))) };
}

export const postgresAdapter: Adapter = {
  async connect(url) {
    const sql = wrapPostgres(postgres)(url);
    return {
      ...itemWrites(sql),
      transaction: (work) => sql.begin((transaction) => work(opened(transaction))),
      // The queries that are returned are sent one after the other, without waiting.
      batch: (items) =>
        sql.begin((transaction) =>
          items.map((item) => transaction`INSERT INTO item ${transaction({ ...item })}`),
        ),
      close: () => sql.end(),
    };
  },
};
