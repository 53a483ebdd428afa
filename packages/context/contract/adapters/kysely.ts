import { withContextPool } from '@bemi-db/context/kysely';
import { wrapPostgres } from '@bemi-db/context/postgres';
import { type ControlledTransaction, type Dialect, Kysely, PostgresDialect, sql } from 'kysely';
import { PostgresJSDialect } from 'kysely-postgres-js';
import pg from 'pg';
import postgres from 'postgres';
import type { Adapter, Item, ItemWrites, OpenTransaction } from '../client-under-test.ts';

interface Tables {
  item: Item;
}

function itemWrites(db: Kysely<Tables>): ItemWrites {
  return {
    create: (item) => db.insertInto('item').values(item).execute(),
    createMany: (items) => db.insertInto('item').values(items).execute(),
    update: (id, quantity) => db.updateTable('item').set({ quantity }).where('id', '=', id).execute(),
    delete: (id) => db.deleteFrom('item').where('id', '=', id).returningAll().execute(),
    upsert: (item) =>
      db
        .insertInto('item')
        .values(item)
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ quantity: item.quantity }))
        .execute(),
    read: (id) => db.selectFrom('item').selectAll().where('id', '=', id).execute(),
    raw: (text) => sql.raw(text).execute(db),
  };
}

function opened(transaction: ControlledTransaction<Tables, string[]>): OpenTransaction {
  return {
    ...itemWrites(transaction),
    async nested(work) {
      const inner = await transaction.savepoint('nested').execute();
      try {
        await work(opened(inner as ControlledTransaction<Tables, string[]>));
        await inner.releaseSavepoint('nested').execute();
      } catch (error) {
        await inner.rollbackToSavepoint('nested').execute();
        throw error;
      }
    },
  };
}

/** One with a callback, as most applications do it. */
function inCallback(
  db: Kysely<Tables>,
  work: (transaction: OpenTransaction) => Promise<void>,
): Promise<void> {
  const nested = { notOffered: 'Kysely has savepoints in controlled transactions only' };
  return db.transaction().execute((transaction) => work({ ...itemWrites(transaction), nested }));
}

async function inControlled(
  db: Kysely<Tables>,
  work: (transaction: OpenTransaction) => Promise<void>,
): Promise<void> {
  const transaction = await db.startTransaction().execute();
  try {
    await work(opened(transaction as ControlledTransaction<Tables, string[]>));
    await transaction.commit().execute();
  } catch (error) {
    await transaction.rollback().execute();
    throw error;
  }
}

const onPg = (url: string): Dialect => {
  const pool = new pg.Pool({ connectionString: url });
  return new PostgresDialect(withContextPool({ pool }));
};
const onPostgres = (url: string): Dialect => new PostgresJSDialect({ postgres: wrapPostgres(postgres)(url) });

const withTransactions = (begin: typeof inCallback, dialect: (url: string) => Dialect): Adapter => ({
  async connect(url) {
    const db = new Kysely<Tables>({ dialect: dialect(url) });
    return {
      ...itemWrites(db),
      transaction: (work) => begin(db, work),
      batch: { notOffered: 'Kysely has no batches' },
      close: () => db.destroy(),
    };
  },
});

export const kyselyAdapter = withTransactions(inCallback, onPg);
export const controlledKyselyAdapter = withTransactions(inControlled, onPg);
export const kyselyOnPostgresAdapter = withTransactions(inControlled, onPostgres);
