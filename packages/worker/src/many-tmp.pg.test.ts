import { createDatabase } from '@bemi-db/test-kit/database';
import { coverageDigest } from '@bemi-db/trail/coverage/coverage-document';
import { coveragePayloads } from '@bemi-db/trail/coverage/coverage-entries';
import { test } from 'vitest';
import { inspectCoverage } from './coverage/inspect-coverage.ts';
test('x', async () => {
  const d = await createDatabase();
  const c = await d.connect();
  for (let k = 0; k < 20; k++)
    await c.query(`DO $$ BEGIN FOR i IN 1..500 LOOP EXECUTE format('CREATE TABLE t${k}_%s (id int PRIMARY KEY, a text, b text, c int, d int, e timestamptz, f numeric, g text)', i); END LOOP; END $$`);
  await c.query('CREATE PUBLICATION bemi_publication FOR ALL TABLES; ANALYZE pg_class; ANALYZE pg_attribute; ANALYZE pg_index');
  for (let i = 0; i < 3; i++) {
    const t = performance.now();
    const cov = await inspectCoverage(c, { publication: 'bemi_publication', rules: undefined });
    const t1 = performance.now();
    coverageDigest(cov);
    const t2 = performance.now();
    const p = coveragePayloads(undefined, cov);
    console.log(cov.tables.size, 'inspect', t1 - t, 'digest', t2 - t1, 'payloads', p.length, JSON.stringify(p).length, 'unchanged', (() => { const a = performance.now(); coveragePayloads(cov, cov); return performance.now() - a; })());
  }
}, 300000);
