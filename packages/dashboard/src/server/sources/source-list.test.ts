import type { SeenWorker } from '@bemi-db/trail/health/read-health';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import { expect, test } from 'vitest';
import { sourceList } from './source-list.ts';
import { noSourceServices } from './source-services.ts';

const log: SourceSummary = {
  ...{ log: 1, name: 'clinic', database: 'app', slot: 's', publication: 'p', completeFromLsn: '0/1' },
  ...{
    recordingSince: '',
    firstCommitAt: undefined,
    confirmedLsn: '0/1',
    gaps: 0,
    skips: 0,
    entryCount: '0',
  },
  ...{ lastEntryAt: undefined, lastCommitAt: undefined, quarantinedRows: '0', quarantinedContexts: '0' },
};

function worker(state: SeenWorker['state'], secondsSinceSeen: number): SeenWorker {
  return {
    ...{ log: 'clinic', instance: state, host: 'one', pid: 1, version: null, state, problem: null },
    ...{ accessState: null, accessProblem: null, startedAt: '', stateSince: '', seenAt: '' },
    ...{ lagBytes: null, lagSeconds: null, retainedBytes: null, safeBytes: null, databaseBytes: null },
    secondsSinceSeen,
  };
}

test('what another process records is recorded, whoever waits behind it was seen last', () => {
  const stateOf = (...workers: SeenWorker[]) =>
    sourceList(noSourceServices, { added: [], logs: [log], workers })[0]?.state;
  expect(stateOf(worker('standby', 1), worker('recording', 50))).toBe('recording');
  expect(stateOf(worker('standby', 1), worker('recording', 900))).toBe('unknown');
  expect(stateOf(worker('refused', 1))).toBe('refused');
  expect(stateOf()).toBe('unknown');
});
