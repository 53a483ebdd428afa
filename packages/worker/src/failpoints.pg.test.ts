import { runBank } from '@bemi-db/test-kit/bank-workload';
import { expect, test } from 'vitest';
import { createAuditedBank, expectWholeLog } from '../test/audited-bank.ts';
import { createWorker } from './create-worker.ts';
import type { Failpoint } from './failpoints.ts';

const failpoints: Failpoint[] = [
  'open:before',
  'open:after',
  'look-up:before',
  'look-up:after',
  'append:before',
  'append:after',
  'commit:before',
  'commit:after',
  'confirm:before',
  'confirm:after',
];

/** As when a connection breaks: the step has failed, or it has succeeded and nobody gets to know. */
class InjectedFailure extends Error {
  readonly code = 'ECONNRESET';
}

test.each(failpoints)('a failure at %s, three times under load, loses and doubles nothing', async (name) => {
  const bank = await createAuditedBank();
  let hits = 0;
  const worker = createWorker({
    ...bank.targets,
    bufferSize: 50,
    failpoint: (reached) => {
      if (reached !== name) return;
      hits++;
      // Not the first time, so that there is something to lose.
      if (hits === 2 || hits === 3 || hits === 5) throw new InjectedFailure(name);
    },
  });
  const stop = new AbortController();
  const running = worker.run({ signal: stop.signal });
  // One transaction that is too large for one unit, so that parts are written too.
  await bank.sourceSql.query(
    `INSERT INTO bulk (text) SELECT repeat('x', 200) FROM generate_series(1, 60000) n`,
  );
  const load = runBank(bank.source.url, 3, AbortSignal.timeout(2_000), 10);
  const { counts } = await load;
  await bank.sourceSql.query('ALTER TABLE account ADD COLUMN note text');
  await bank.sourceSql.query(`UPDATE account SET note = 'added' WHERE id <= 10`);
  counts['public.bulk INSERT'] = (counts['public.bulk INSERT'] ?? 0) + 60_000;
  counts['public.account UPDATE'] = (counts['public.account UPDATE'] ?? 0) + 10;
  await expect.poll(() => hits, { timeout: 30_000 }).toBeGreaterThanOrEqual(name.startsWith('open') ? 4 : 3);
  stop.abort();
  await running;
  await expectWholeLog(bank, counts);
});
