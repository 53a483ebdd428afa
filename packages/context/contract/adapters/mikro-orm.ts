import { withContextClient } from '@bemi-db/context/mikro-orm';
import { type EntityManager, EntitySchema, MikroORM } from '@mikro-orm/postgresql';
import type { Adapter, Item, ItemWrites, OpenTransaction } from '../client-under-test.ts';

const entity = new EntitySchema<Item>({
  name: 'item',
  properties: {
    id: { type: 'integer', primary: true },
    name: { type: 'text', unique: true },
    quantity: { type: 'integer' },
  },
});

/** @param em - as an application does it: a unit of work where there is one, else a query. */
function itemWrites(fork: () => EntityManager): ItemWrites {
  return {
    async create(item) {
      const em = fork();
      em.create(entity, item);
      await em.flush();
    },
    createMany: (items) => fork().insertMany(entity, [...items]),
    update: (id, quantity) => fork().nativeUpdate(entity, { id }, { quantity }),
    async delete(id) {
      const em = fork();
      em.remove(await em.findOneOrFail(entity, { id }));
      await em.flush();
    },
    upsert: (item) => fork().upsert(entity, item),
    read: (id) => fork().findOne(entity, { id }),
    raw: (sql) => fork().execute(sql),
  };
}

function opened(em: EntityManager): OpenTransaction {
  return {
    ...itemWrites(() => em),
    nested: (work) => em.transactional((inner) => work(opened(inner))),
  };
}

export const mikroOrmAdapter: Adapter = {
  async connect(url) {
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: [entity],
      useBatchInserts: false, // so that a flush is several statements
      driverOptions: withContextClient(),
    });
    return {
      ...itemWrites(() => orm.em.fork()),
      transaction: (work) => orm.em.fork().transactional((em) => work(opened(em))),
      async batch(items) {
        const em = orm.em.fork();
        for (const item of items) em.create(entity, item);
        await em.flush();
      },
      close: () => orm.close(),
    };
  },
};
