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

const bulkRows = 8_000;

/** As when a connection breaks: the step has failed, or it has succeeded and nobody gets to know. */
class InjectedFailure extends Error {
  readonly code = 'ECONNRESET';
}

test.each(failpoints)('a failure at %s, three times under load, loses and doubles nothing', async (name) => {
  const bank = await createAuditedBank();
  let hits = 0;
  // Opening only happens again after a failure; elsewhere there shall be something to lose first.
  const failures = name.startsWith('open') ? [1, 2, 3] : [2, 3, 5];
  const worker = createWorker({
    ...bank.targets,
    bufferSize: 50,
    failpoint: (reached) => {
      if (reached !== name) return;
      hits++;
      if (failures.includes(hits)) throw new InjectedFailure(name);
    },
  });
  const stop = new AbortController();
  const running = worker.run({ signal: stop.signal });
  // One transaction that is too large for one unit, so that parts of 4 MiB are written too.
  await bank.sourceSql.query(
    `INSERT INTO bulk (text) SELECT repeat('x', 2500) FROM generate_series(1, ${bulkRows})`,
  );
  const load = runBank(bank.source.url, 3, AbortSignal.timeout(2_000), 10);
  const { counts } = await load;
  counts['public.bulk INSERT'] = (counts['public.bulk INSERT'] ?? 0) + bulkRows;
  await expect.poll(() => hits, { timeout: 30_000 }).toBeGreaterThan(failures.at(-1)!);
  stop.abort();
  await running;
  await expectWholeLog(bank, counts);
});
