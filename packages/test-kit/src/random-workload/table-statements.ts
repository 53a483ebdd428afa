import type { SeededRandom } from './seeded-random.ts';
import { numericLiteral, textLiteral, timestampLiteral, valuesRows } from './sql-literals.ts';
import { plain, type WorkloadStatement } from './workload-statement.ts';

const region = (random: SeededRandom) => random.pick(["'eu'", "'us'", "'asia'", "'oceania'"]);
const measurement = (random: SeededRandom) => random.between(0, 99);
const measurementRow = (random: SeededRandom) => [
  measurement(random),
  region(random),
  numericLiteral(random),
  timestampLiteral(random),
  textLiteral(random),
];

/** Partitions and the rows that move between them, MERGE, deferred constraints, TRUNCATE. */
export const tableStatements: readonly WorkloadStatement[] = [
  plain(
    'measure',
    8,
    (
      random,
    ) => `INSERT INTO shop.measurement VALUES ${valuesRows(random.between(1, 5), () => measurementRow(random))}
       ON CONFLICT DO NOTHING`,
  ),
  plain(
    'measure again',
    4,
    (random) => `INSERT INTO shop.measurement VALUES (${measurementRow(random).join(', ')})
       ON CONFLICT (region, id) DO UPDATE SET value = excluded.value, detail = measurement.detail`,
  ),
  plain(
    'correct measurements',
    4,
    (random) => `UPDATE shop.measurement SET value = value + 0.50 WHERE id % 15 = ${random.below(15)}`,
  ),
  plain(
    'move measurements to another region',
    5,
    (random) =>
      `UPDATE shop.measurement SET region = ${region(random)} WHERE id % 30 = ${random.below(30)} AND region = ${region(random)}`,
  ),
  plain(
    'move a measurement to another range',
    3,
    (random) =>
      `UPDATE shop.measurement SET id = ${measurement(random)} WHERE id = ${measurement(random)} AND region = 'eu'`,
  ),
  plain(
    'delete measurements',
    2,
    (random) => `DELETE FROM shop.measurement WHERE id % 40 = ${random.below(40)}`,
  ),
  plain(
    'write to a partition itself',
    2,
    (
      random,
    ) => `INSERT INTO "Parts"."US" (id, region, detail) VALUES (${measurement(random)}, 'us', ${textLiteral(random)})
       ON CONFLICT DO NOTHING`,
  ),
  plain(
    'merge customers',
    6,
    (
      random,
    ) => `MERGE INTO shop.customer c USING (SELECT n * 7 % 200 + 1 AS id FROM generate_series(${random.below(100)}, ${random.between(50, 110)}) n) s
       ON c.id = s.id
       WHEN MATCHED AND s.id % 9 = 0 THEN DELETE
       WHEN MATCHED AND s.id % 2 = 0 THEN UPDATE SET name = ${textLiteral(random)}
       WHEN NOT MATCHED AND s.id % 3 = 0 THEN INSERT (id, name) VALUES (s.id, 'merged')
       WHEN MATCHED THEN DO NOTHING`,
    150_000,
  ),
  plain(
    'merge measurements',
    5,
    (
      random,
    ) => `MERGE INTO shop.measurement m USING (SELECT n AS id FROM generate_series(${measurement(random)}, ${measurement(random)}) n) s
       ON m.id = s.id AND m.region = ${region(random)}
       WHEN MATCHED AND s.id % 4 = 0 THEN DELETE
       WHEN MATCHED AND s.id % 4 = 1 THEN UPDATE SET region = 'pole' || s.id % 2
       WHEN MATCHED THEN UPDATE SET value = m.value + 1
       WHEN NOT MATCHED AND s.id % 8 = 1 THEN INSERT (id, region, value) VALUES (s.id, ${region(random)}, 1)`,
    150_000,
  ),
  plain(
    'seat guests',
    3,
    (
      random,
    ) => `INSERT INTO shop.seat SELECT n, ${textLiteral(random)} FROM generate_series(${random.below(40)}, ${random.below(40)}) n
       WHERE NOT EXISTS (SELECT FROM shop.seat WHERE id = n)`,
  ),
  plain('exchange two seats', 4, (random) => {
    const [one, other] = [random.below(40), random.below(40)];
    return `UPDATE shop.seat SET id = ${one} + ${other} - id WHERE id IN (${one}, ${other})`;
  }),
  // Two rows may share a key until the commit, which then fails.
  plain('move up', 2, (random) => `UPDATE shop.seat SET id = id - 1 WHERE id > ${random.below(40)}`),
  plain('clear seats', 1, (random) => `DELETE FROM shop.seat WHERE id < 0 OR id % 10 = ${random.below(10)}`),
  plain('a member before his team', 4, (random) => {
    const team = random.below(30);
    return `INSERT INTO shop.member VALUES (${random.below(200)}, ${team}, ${textLiteral(random)}) ON CONFLICT (id) DO UPDATE SET team_id = ${team};
      INSERT INTO shop.team VALUES (${team}, ${textLiteral(random)}) ON CONFLICT DO NOTHING`;
  }),
  // The commit fails where there is no such team.
  plain(
    'a member of any team',
    2,
    (random) =>
      `INSERT INTO shop.member VALUES (${random.below(200)}, ${random.below(60)}) ON CONFLICT DO NOTHING`,
  ),
  plain('dissolve a team', 2, (random) => `DELETE FROM shop.team WHERE id = ${random.below(30)}`),
  plain('check constraints now', 1, () => 'SET CONSTRAINTS ALL IMMEDIATE'),
  plain('start batches', 4, (random) => {
    const batch = random.below(1_000_000);
    return `INSERT INTO shop.batch SELECT n, ${textLiteral(random)} FROM generate_series(${batch}, ${batch + random.below(4)}) n ON CONFLICT DO NOTHING;
      INSERT INTO shop.batch_row SELECT b.id, line, 'x' FROM shop.batch b CROSS JOIN generate_series(1, 3) line
       WHERE b.id >= ${batch} ON CONFLICT DO NOTHING;
      INSERT INTO shop.batch_log SELECT batch_id, line, ${textLiteral(random)} FROM shop.batch_row WHERE batch_id >= ${batch} LIMIT 5`;
  }),
  plain('truncate with all that refers to it', 1, (random) =>
    random.chance(0.5) ? 'TRUNCATE shop.batch CASCADE' : 'TRUNCATE shop.batch_row RESTART IDENTITY CASCADE',
  ),
  plain(
    'truncate several tables',
    1,
    (random) =>
      `TRUNCATE ${random.pick(['shop.note, shop.event', 'shop.seat, shop.attachment, shop.note', 'shop.batch_log, shop.favourite RESTART IDENTITY'])}`,
  ),
  plain(
    'truncate partitions',
    1,
    (random) =>
      `TRUNCATE ${random.pick(['shop.measurement', '"Parts"."US"', '"Parts".europe', '"Parts".europe_low, shop.event'])}`,
  ),
];
