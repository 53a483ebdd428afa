import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { SeededRandom } from './seeded-random.ts';
import type { WorkloadStatement } from './workload-statement.ts';

/** COPY FROM: rows that share one record of the WAL; now and then the last one is wrong, and all of them are undone. */
export const copyStatements: readonly WorkloadStatement[] = [
  {
    name: 'copy favourites',
    weight: 3,
    run: (client, random) =>
      copy(client, 'shop.favourite (label, weight)', random.between(1, 60), (n) => [`copied ${n}`, n / 3]),
  },
  {
    name: 'copy measurements',
    weight: 3,
    run: (client, random) => {
      const from = 100 + random.below(800);
      return copy(client, 'shop.measurement (id, region, value)', random.between(1, 20), (n) => [
        from + n,
        ['eu', 'us', 'asia'][n % 3]!,
        isLast(random) ? 'no number' : n,
      ]);
    },
  },
  {
    name: 'copy events',
    weight: 2,
    run: (client, random) => copy(client, 'shop.event (what)', random.between(1, 300), (n) => [`event ${n}`]),
  },
];

const isLast = (random: SeededRandom) => random.chance(0.01);

function copy(
  client: pg.Client,
  target: string,
  rows: number,
  row: (number: number) => readonly (string | number)[],
): Promise<void> {
  const lines = Array.from({ length: rows }, (_, i) => `${row(i).join('\t')}\n`);
  return pipeline(Readable.from([lines.join('')]), client.query(copyFrom(`COPY ${target} FROM STDIN`)));
}
