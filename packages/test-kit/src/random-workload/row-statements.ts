import type { SeededRandom } from './seeded-random.ts';
import {
  jsonLiteral,
  numericLiteral,
  textLiteral,
  timestampLiteral,
  valuesRows,
  wideLiteral,
} from './sql-literals.ts';
import { plain, type WorkloadStatement } from './workload-statement.ts';

const customers = 200;
const orders = 400;
const documents = 80;

const customer = (random: SeededRandom) => random.between(1, customers);
const order = (random: SeededRandom) => random.between(1, orders);
const document = (random: SeededRandom) => random.between(1, documents);

function customerRow(random: SeededRandom): string[] {
  return [
    String(customer(random)),
    textLiteral(random),
    numericLiteral(random),
    random.pick(["'good'", "'so-so'", "'bad'", 'NULL']),
    random.chance(0.2) ? 'NULL' : `ROW(${textLiteral(random)}, ${random.below(99)})::shop.place`,
    random.pick(['NULL', "'{}'", '\'{a,NULL,"b c"}\'', "'[0:1]={x,y}'"]),
    timestampLiteral(random),
    jsonLiteral(random),
    jsonLiteral(random),
  ];
}

const customerColumns = 'id, name, score, mood, place, tags, seen, extra, raw';
const insertCustomers = (random: SeededRandom, rows: number) =>
  `INSERT INTO shop.customer (${customerColumns}) VALUES ${valuesRows(rows, () => customerRow(random))}`;

/** Rows that are inserted, changed and deleted, their keys changed, alone and many at once; foreign keys that cascade. */
export const rowStatements: readonly WorkloadStatement[] = [
  plain('insert customers', 6, (random) => insertCustomers(random, random.between(1, 3))),
  plain(
    'upsert customers',
    10,
    (random) =>
      `${insertCustomers(random, random.between(1, 2))} ON CONFLICT (id) DO UPDATE
         SET score = customer.score + 1, name = excluded.name WHERE customer.id % 5 <> ${random.below(6)}`,
  ),
  plain(
    'insert customers unless they exist',
    8,
    (random) => `${insertCustomers(random, random.between(1, 8))} ON CONFLICT DO NOTHING`,
  ),
  plain('update customers', 8, (random) => {
    const from = customer(random);
    return `UPDATE shop.customer SET name = ${textLiteral(random)}, extra = ${jsonLiteral(random)}
             WHERE id BETWEEN ${from} AND ${from + random.below(12)}`;
  }),
  plain(
    'update a customer to itself',
    2,
    (random) => `UPDATE shop.customer SET name = name WHERE id = ${customer(random)}`,
  ),
  plain(
    'change the key of a customer',
    5,
    (random) => `UPDATE shop.customer SET id = ${customer(random)} WHERE id = ${customer(random)}`,
  ),
  plain('delete a customer', 3, (random) => `DELETE FROM shop.customer WHERE id = ${customer(random)}`),
  plain(
    'insert orders',
    8,
    (
      random,
    ) => `INSERT INTO shop."Order" SELECT n, c.id, ${textLiteral(random)}, ${random.below(9_999)} / 7.0, current_date - n
        FROM generate_series(${order(random)}, ${order(random)} + ${random.below(9)}) n
        CROSS JOIN LATERAL (SELECT id FROM shop.customer WHERE id >= n % ${customers} ORDER BY id LIMIT 1) c
      ON CONFLICT DO NOTHING`,
  ),
  plain('update orders', 5, (random) => {
    const from = order(random);
    return `UPDATE shop."Order" SET amount = amount + 1, note = ${textLiteral(random)}
             WHERE id BETWEEN ${from} AND ${from + random.below(20)}`;
  }),
  plain(
    'change the keys of orders',
    3,
    (random) =>
      `UPDATE shop."Order" SET id = id + ${orders} WHERE id BETWEEN ${order(random)} AND ${order(random)} AND id % 9 = 0`,
  ),
  plain('delete orders', 2, (random) => `DELETE FROM shop."Order" WHERE id % ${random.between(30, 60)} = 1`),
  plain(
    'insert items',
    7,
    (random) => `INSERT INTO shop.item SELECT o.id, line, line * 2, o.id / 3.0
        FROM shop."Order" o CROSS JOIN generate_series(${random.below(3)}, ${random.between(1, 5)}) line
       WHERE o.id BETWEEN ${order(random)} - 10 AND ${order(random)} ON CONFLICT DO NOTHING`,
  ),
  plain(
    'use items up',
    5,
    (random) => `UPDATE shop.item SET quantity = quantity - 1
       WHERE order_id BETWEEN ${order(random)} - 5 AND ${order(random)} AND quantity > 0`,
  ),
  plain(
    'change the keys of items',
    3,
    (random) =>
      `UPDATE shop.item SET line = line + 10, price = 'Infinity' WHERE order_id = ${order(random)} AND line < 30`,
  ),
  plain(
    'insert favourites',
    4,
    (random) => `INSERT INTO shop.favourite SELECT id, ${textLiteral(random)}, id / 7.0 FROM shop.customer
       WHERE id % 20 = ${random.below(20)}`,
  ),
  plain(
    'update favourites',
    3,
    (random) => `UPDATE shop.favourite SET weight = weight + 1 WHERE customer_id % 25 = ${random.below(25)}`,
  ),
  plain(
    'delete favourites',
    3,
    () =>
      'DELETE FROM shop.favourite WHERE ctid IN (SELECT ctid FROM shop.favourite LIMIT 60 FOR UPDATE SKIP LOCKED)',
  ),
  plain(
    'delete notes',
    5,
    () => 'DELETE FROM shop.note WHERE ctid IN (SELECT ctid FROM shop.note LIMIT 150 FOR UPDATE SKIP LOCKED)',
  ),
  plain(
    'move notes into favourites',
    2,
    () => `WITH moved AS (DELETE FROM shop.note WHERE ctid IN (SELECT ctid FROM shop.note LIMIT 5 FOR UPDATE SKIP LOCKED) RETURNING *)
       INSERT INTO shop.favourite SELECT NULL, what, revision FROM moved`,
  ),
  plain(
    'write documents',
    4,
    (random) => `INSERT INTO shop.document (id, title, body, appendix) VALUES
       (${document(random)}, ${textLiteral(random)}, ${wideLiteral(random)}, ${wideLiteral(random)}) ON CONFLICT DO NOTHING`,
  ),
  plain(
    'retitle documents',
    4,
    (random) => `UPDATE shop.document SET title = ${textLiteral(random)} WHERE id % 20 = ${random.below(20)}`,
  ),
  plain(
    'retitle a document or write it',
    3,
    (
      random,
    ) => `INSERT INTO shop.document (id, title, body) VALUES (${document(random)}, ${textLiteral(random)}, ${wideLiteral(random)})
       ON CONFLICT (id) DO UPDATE SET title = excluded.title`,
  ),
  plain(
    'rewrite a document',
    3,
    (random) => `UPDATE shop.document SET body = ${wideLiteral(random)} WHERE id = ${document(random)}`,
  ),
  plain(
    'change the key of a document',
    2,
    (random) => `UPDATE shop.document SET id = ${document(random)} WHERE id = ${document(random)}`,
  ),
  plain('delete a document', 1, (random) => `DELETE FROM shop.document WHERE id = ${document(random)}`),
  plain(
    'attach',
    3,
    (
      random,
    ) => `INSERT INTO shop.attachment VALUES (${document(random)}, ${textLiteral(random)}, ${wideLiteral(random)})
       ON CONFLICT (id) DO UPDATE SET tag = excluded.tag`,
  ),
  plain(
    'tag attachments',
    4,
    (random) => `UPDATE shop.attachment SET tag = ${textLiteral(random)} WHERE id % 20 = ${random.below(20)}`,
  ),
  // Several megabytes: more than the worker writes at once.
  plain(
    'attach large files',
    1,
    (
      random,
    ) => `INSERT INTO shop.attachment SELECT id, 'large', (SELECT string_agg(md5(id * n || '${random.below(1e9)}'), '')
         FROM generate_series(1, 4000) n) FROM generate_series(1000, 1000 + ${random.below(50)}) id
       ON CONFLICT (id) DO UPDATE SET payload = 'small'`,
  ),
  plain('detach', 2, (random) => `DELETE FROM shop.attachment WHERE id = ${document(random)}`),
  plain(
    'count',
    4,
    (random) => `INSERT INTO shop.counter VALUES (${random.below(40)}, 'c${random.below(40)}', 1)
       ON CONFLICT (code) DO UPDATE SET count = counter.count + 1`,
  ),
  plain(
    'change the code of a counter',
    3,
    (random) => `UPDATE shop.counter SET code = 'c${random.below(40)}' WHERE code = 'c${random.below(40)}'`,
  ),
  plain(
    'change the key of a counter',
    2,
    (random) => `UPDATE shop.counter SET id = ${random.below(80)} WHERE id = ${random.below(80)}`,
  ),
  plain('delete a counter', 1, (random) => `DELETE FROM shop.counter WHERE code = 'c${random.below(40)}'`),
  plain(
    'tell events',
    4,
    (random) =>
      `INSERT INTO shop.event (what) SELECT ${textLiteral(random)} FROM generate_series(1, ${random.between(1, 6)})`,
  ),
];
