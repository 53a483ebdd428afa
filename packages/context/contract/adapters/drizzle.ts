import { wrapDrizzle } from '@bemi-db/context/drizzle';
import { wrapPostgres } from '@bemi-db/context/postgres';
import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, type PgDatabase, type PgQueryResultHKT, pgTable, text } from 'drizzle-orm/pg-core';
import { drizzle as drizzleOnPostgres } from 'drizzle-orm/postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import type { Adapter, ItemWrites, OpenTransaction } from '../client-under-test.ts';

const table = pgTable('item', {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
  quantity: integer().notNull(),
});

type Database = Pick<
  PgDatabase<PgQueryResultHKT>,
  'insert' | 'update' | 'delete' | 'select' | 'execute' | 'transaction'
>;

function itemWrites(db: Database): ItemWrites {
  return {
    create: (item) => db.insert(table).values(item),
    createMany: (items) => db.insert(table).values([...items]),
    update: (id, quantity) => db.update(table).set({ quantity }).where(eq(table.id, id)),
    delete: (id) => db.delete(table).where(eq(table.id, id)).returning(),
    upsert: (item) =>
      db
        .insert(table)
        .values(item)
        .onConflictDoUpdate({ target: table.id, set: { quantity: item.quantity } }),
    read: (id) => db.select().from(table).where(eq(table.id, id)),
    raw: (text) => db.execute(sql.raw(text)),
  };
}

function opened(db: Database): OpenTransaction {
  return { ...itemWrites(db), nested: (work) => db.transaction((inner) => work(opened(inner))) };
}

export const drizzleAdapter: Adapter = {
  async connect(url) {
    const pool = new pg.Pool({ connectionString: url });
    const db = wrapDrizzle(drizzle({ client: pool }));
    return {
      ...itemWrites(db),
      transaction: (work) => db.transaction((transaction) => work(opened(transaction))),
      batch: { notOffered: 'Drizzle has no batches on `pg`' },
      close: () => pool.end(),
    };
  },
};

export const drizzleOnPostgresAdapter: Adapter = {
  async connect(url) {
    const client = wrapPostgres(postgres)(url);
    const db = drizzleOnPostgres({ client });
    return {
      ...itemWrites(db),
      transaction: (work) => db.transaction((transaction) => work(opened(transaction))),
      batch: { notOffered: 'Drizzle has no batches on postgres.js' },
      close: () => client.end(),
    };
  },
};
