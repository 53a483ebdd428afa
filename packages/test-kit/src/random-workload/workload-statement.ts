import type pg from 'pg';
import type { SeededRandom } from './seeded-random.ts';

/** Something that a client does within a transaction, or as one of its own. It may fail: that is part of the workload. */
export interface WorkloadStatement {
  readonly name: string;
  readonly weight: number;
  /** As in `server_version_num`; servers before it don't know the statement. */
  readonly minimumVersion?: number;
  run(client: pg.Client, random: SeededRandom): Promise<unknown>;
}

/** A statement that is only its SQL. */
export function plain(
  name: string,
  weight: number,
  sql: (random: SeededRandom) => string,
  minimumVersion = 0,
): WorkloadStatement {
  return { name, weight, minimumVersion, run: (client, random) => client.query(sql(random)) };
}
