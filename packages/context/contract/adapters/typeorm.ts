import { withContextDriver } from '@bemi-db/context/typeorm';
import { DataSource, type EntityManager, EntitySchema } from 'typeorm';
import type { Adapter, Item, ItemWrites, OpenTransaction } from '../client-under-test.ts';

const entity = new EntitySchema<Item>({
  name: 'item',
  columns: {
    id: { type: 'integer', primary: true },
    name: { type: 'text', unique: true },
    quantity: { type: 'integer' },
  },
});

function itemWrites(manager: EntityManager): ItemWrites {
  return {
    create: (item) => manager.insert(entity, item),
    createMany: (items) => manager.insert(entity, [...items]),
    update: (id, quantity) => manager.update(entity, { id }, { quantity }),
    delete: (id) => manager.delete(entity, { id }),
    upsert: (item) => manager.upsert(entity, item, ['id']),
    read: (id) => manager.findOneBy(entity, { id }),
    raw: (sql) => manager.query(sql),
  };
}

function opened(manager: EntityManager): OpenTransaction {
  return { ...itemWrites(manager), nested: (work) => manager.transaction((inner) => work(opened(inner))) };
}

export const typeOrmAdapter: Adapter = {
  async connect(url) {
    const dataSource = new DataSource(withContextDriver({ type: 'postgres', url, entities: [entity] }));
    const { manager } = await dataSource.initialize();
    return {
      ...itemWrites(manager),
      transaction: (work) => manager.transaction((transaction) => work(opened(transaction))),
      batch: (items) => manager.save(entity, [...items], { chunk: 1 }),
      close: () => dataSource.destroy(),
    };
  },
};
