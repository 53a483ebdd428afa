import { plain, type WorkloadStatement } from './workload-statement.ts';

/** Statements that fail after they have changed something, and blocks that are subtransactions of their own. */
export const failingStatements: readonly WorkloadStatement[] = [
  plain(
    'fail at the last of several rows',
    3,
    (
      random,
    ) => `INSERT INTO shop.event SELECT CASE WHEN n = 9 THEN NULL ELSE 1000000000 + ${random.below(1e8)} + n END, 'doomed'
       FROM generate_series(1, 9) n`,
  ),
  plain(
    'fail in an UPDATE of several rows',
    2,
    () => 'UPDATE shop.item SET quantity = quantity - line WHERE order_id % 3 = 0',
  ),
  plain('divide by zero', 1, (random) => `UPDATE shop.customer SET score = id / (id - ${random.below(200)})`),
  plain('update without an identity', 1, () => `UPDATE shop.event SET what = 'never'`),
  plain('truncate what is referred to', 1, () => 'TRUNCATE shop.batch'),
  plain(
    'catch an error',
    4,
    (random) => `DO $$ BEGIN
         INSERT INTO shop.team VALUES (1000 + ${random.below(50)}, 'kept');
         BEGIN
           UPDATE shop.team SET name = 'lost' WHERE id >= 1000;
           INSERT INTO shop.team SELECT 1000 + n, 'lost' FROM generate_series(50, 40 + ${random.below(15)}, -1) n;
           PERFORM 1 / ${random.below(3)};
         EXCEPTION WHEN division_by_zero OR unique_violation THEN
           DELETE FROM shop.team WHERE id = 1000 + ${random.below(50)};
         END;
       EXCEPTION WHEN unique_violation THEN
         UPDATE shop.team SET name = 'caught' WHERE id = 1000 + ${random.below(50)};
       END $$`,
  ),
  // More subtransactions than a backend announces one by one (PGPROC_MAX_CACHED_SUBXIDS is 64).
  plain(
    'many subtransactions',
    1,
    (random) => `DO $$ BEGIN
         FOR n IN 1..${random.between(70, 100)} LOOP
           BEGIN
             INSERT INTO shop.event (what) VALUES (n);
             IF n % 3 = 0 THEN RAISE division_by_zero; END IF;
           EXCEPTION WHEN division_by_zero THEN NULL;
           END;
         END LOOP;
       END $$`,
  ),
];
