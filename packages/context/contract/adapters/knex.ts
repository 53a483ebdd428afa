import { wrapKnex } from '@bemi-db/context/knex';
import knex, { type Knex } from 'knex';
import type { Adapter, Item, ItemWrites, OpenTransaction } from '../client-under-test.ts';

function itemWrites(db: Knex): ItemWrites {
  const items = () => db<Item>('item');
  return {
    create: (item) => items().insert(item),
    createMany: (many) => items().insert([...many]),
    update: (id, quantity) => items().where({ id }).update({ quantity }),
    delete: (id) => items().where({ id }).delete(),
    upsert: (item) => items().insert(item).onConflict('id').merge(['quantity']),
    read: (id) => items().where({ id }).first(),
    raw: (sql) => db.raw(sql),
  };
}

function opened(transaction: Knex.Transaction): OpenTransaction {
  return {
    ...itemWrites(transaction),
    nested: (work) => transaction.transaction((inner) => work(opened(inner))),
  };
}

export const knexAdapter: Adapter = {
  async connect(url) {
    const db = wrapKnex(knex({ client: 'pg', connection: url }));
    return {
      ...itemWrites(db),
      transaction: (work) => db.transaction((transaction) => work(opened(transaction))),
      batch: (items) => db.batchInsert('item', [...items], 1),
      close: () => db.destroy(),
    };
  },
};
