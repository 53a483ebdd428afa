import { withContextModule } from '@bemi-db/context/sequelize';
import { DataTypes, Sequelize, type Transaction } from 'sequelize';
import type { Adapter, ItemWrites, OpenTransaction } from '../client-under-test.ts';

function itemWrites(sequelize: Sequelize, transaction: Transaction | null): ItemWrites {
  const { item: model } = sequelize.models;
  if (model === undefined) throw new Error('The model is not defined.');
  return {
    create: (item) => model.create({ ...item }, { transaction }),
    createMany: (items) =>
      model.bulkCreate(
        items.map((item) => ({ ...item })),
        { transaction },
      ),
    update: (id, quantity) => model.update({ quantity }, { where: { id }, transaction }),
    delete: (id) => model.destroy({ where: { id }, transaction }),
    upsert: (item) => model.upsert({ ...item }, { transaction }),
    read: (id) => model.findByPk(id, { transaction }),
    raw: (sql) => sequelize.query(sql, { transaction }),
  };
}

function opened(sequelize: Sequelize, transaction: Transaction): OpenTransaction {
  return {
    ...itemWrites(sequelize, transaction),
    nested: (work) => sequelize.transaction({ transaction }, (inner) => work(opened(sequelize, inner))),
  };
}

export const sequelizeAdapter: Adapter = {
  async connect(url) {
    const sequelize = new Sequelize(url, withContextModule({ logging: false }));
    sequelize.define(
      'item',
      {
        id: { type: DataTypes.INTEGER, primaryKey: true },
        name: { type: DataTypes.TEXT, unique: true },
        quantity: { type: DataTypes.INTEGER },
      },
      { freezeTableName: true, timestamps: false },
    );
    return {
      ...itemWrites(sequelize, null),
      transaction: (work) => sequelize.transaction((transaction) => work(opened(sequelize, transaction))),
      batch: { notOffered: 'Sequelize has no batches' },
      close: () => sequelize.close(),
    };
  },
};
