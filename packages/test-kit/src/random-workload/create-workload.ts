import type pg from 'pg';
import { createWitness } from './witness.ts';
import { workloadSql, workloadTables } from './workload-tables.ts';

/** Makes the tables of the workload, its triggers, and the journal that the oracle compares with. Needs a superuser. */
export async function createWorkload(client: pg.ClientBase): Promise<void> {
  await client.query(workloadSql);
  await createWitness(client, workloadTables);
}

/** Publishes the tables, not the journal. Each partition by itself: PostgreSQL 12 publishes no partitioned tables. */
export async function publishWorkload(
  client: pg.ClientBase,
  publication = 'bemi_publication',
): Promise<void> {
  const names = workloadTables.map(({ name }) => `ONLY ${name}`).join(', ');
  await client.query(`CREATE PUBLICATION ${publication} FOR TABLE ${names}`);
}
