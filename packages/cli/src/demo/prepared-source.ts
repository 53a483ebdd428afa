import { applyPlan } from '@bemi-db/source/apply-plan';
import { inspect } from '@bemi-db/source/inspect';
import { plan } from '@bemi-db/source/plan';
import type { Wanted } from '@bemi-db/source/source-snapshot';
import { withSourceDatabase } from '../connecting/source-database.ts';
import type { DemoCluster } from './demo-cluster.ts';

/** Does what `bemi setup --role bemi_replication` does, and lets an ordinary role change rows. */
export async function prepareSource({ adminUrl, directUrl, recorder }: DemoCluster): Promise<void> {
  const wanted = {
    slot: 'bemi_slot',
    publication: 'bemi_publication',
    tables: 'all',
    role: { name: recorder.name, password: recorder.password },
  } as const satisfies Wanted;
  await withSourceDatabase(adminUrl, 'bemi demo', async ({ client }) => {
    await applyPlan(client, plan(await inspect(client, wanted), wanted));
    const role = new URL(directUrl).username;
    await client.query(
      `GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
  });
}
