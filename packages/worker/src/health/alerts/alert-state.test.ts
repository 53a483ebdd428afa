import { describe, expect, test } from 'vitest';
import { newCounters, snapshotOf } from '../../worker-status.ts';
import type { SourceReading } from '../readings.ts';
import { type AlertRule, alertRules, defaultLimits, type HealthFacts, type Verdict } from './alert-rules.ts';
import { AlertStates } from './alert-state.ts';

const rule: AlertRule = {
  id: 'tried',
  severity: 'warning',
  fireAfterMs: 60_000,
  clearAfterMs: 30_000,
  judge: () => undefined,
  fix: 'Put it right',
};

/** Judges at these seconds, and says what changed when. */
function changes(
  states: AlertStates,
  verdicts: readonly (readonly [number, Verdict | undefined])[],
): string[] {
  return verdicts.flatMap(([seconds, verdict]) => {
    const judged = verdict && { verdict, evidence: verdict };
    const alert = states.judge(rule, judged, { nowMs: seconds * 1000, now: new Date(seconds * 1000) });
    return alert ? [`${seconds} ${alert.state}`] : [];
  });
}

describe('hysteresis', () => {
  test('fires when it has been bad for long enough, once, and is over when it has been good for long enough', () => {
    const states = new AlertStates();
    expect(
      changes(states, [
        [0, 'bad'],
        [59, 'bad'],
        [60, 'bad'],
        [90, 'bad'],
        [100, 'good'],
        [120, 'between'],
        [121, 'good'],
        [150, 'good'],
        [151, 'good'],
        [200, 'good'],
      ]),
    ).toEqual(['60 firing', '151 cleared']);
    expect(states.firing).toEqual([]);
  });

  test('moments do not count, nor does what can not be told', () => {
    const states = new AlertStates();
    expect(
      changes(states, [
        [0, 'bad'],
        [30, 'good'],
        [40, 'bad'],
        [80, undefined],
        [90, 'bad'],
        [149, 'bad'],
      ]),
    ).toEqual([]);
    expect(changes(states, [[150, 'bad']])).toEqual(['150 firing']);
    expect(changes(states, [[1_000, undefined]])).toEqual([]);
    expect(states.firing).toMatchObject([{ id: 'tried', since: '1970-01-01T00:02:30.000Z' }]);
  });

  test('what fired when the process ended goes on firing, and its end is told', () => {
    const before = new AlertStates();
    changes(before, [
      [0, 'bad'],
      [60, 'bad'],
    ]);
    const after = new AlertStates(before.firing);
    expect(
      changes(after, [
        [100, 'bad'],
        [200, 'bad'],
        [300, 'good'],
        [330, 'good'],
      ]),
    ).toEqual(['330 cleared']);
  });
});

const GB = 1024 ** 3;
const healthySlot = {
  isActive: true,
  confirmedLsn: 0n,
  lagBytes: 0,
  retainedBytes: 0,
  walStatus: 'reserved',
  safeBytes: undefined,
};
const source: SourceReading = { atMs: 0, walLsn: 0n, slot: healthySlot, keepLimitBytes: undefined };
const healthy: HealthFacts = {
  worker: { ...snapshotOf(newCounters()), state: 'recording' },
  source,
  audit: {
    atMs: 0,
    databaseBytes: 1,
    entries: 1,
    quarantinedRows: 0,
    quarantinedContexts: 0,
    checkpointAgeSeconds: 60,
  },
  lagSeconds: 0,
  retainedGrowthPerSecond: 0,
  secondsUntilLimit: undefined,
  newQuarantined: 0,
};
const problem = { code: 'unreachable', message: 'No server', fix: '', kind: 'retry' } as const;

test.each<[string, Partial<HealthFacts>, readonly string[], readonly string[]]>([
  ['all is well', {}, [], []],
  ['waiting', { worker: { ...healthy.worker, state: 'waiting', problem } }, ['not-recording'], []],
  [
    'refused',
    { worker: { ...healthy.worker, state: 'stopped', problem: { ...problem, kind: 'refuse' } } },
    ['not-recording', 'refused'],
    [],
  ],
  ['no slot', { source: { ...source, slot: undefined } }, ['slot-lost'], []],
  [
    'no slot yet',
    { source: { ...source, slot: undefined }, audit: { ...healthy.audit!, entries: 0 } },
    [],
    [],
  ],
  ['slot lost', { source: { ...source, slot: { ...healthySlot, walStatus: 'lost' } } }, ['slot-lost'], []],
  ['lag', { source: { ...source, slot: { ...healthySlot, lagBytes: 102_400 } } }, ['lag'], []],
  ['less lag', { source: { ...source, slot: { ...healthySlot, lagBytes: 90_000 } } }, [], ['lag']],
  ['WAL', { source: { ...source, slot: { ...healthySlot, retainedBytes: 10 * GB } } }, ['retained-wal'], []],
  [
    'limit near',
    { source: { ...source, keepLimitBytes: 20 * GB }, secondsUntilLimit: 3_600 },
    ['slot-limit-near'],
    [],
  ],
  ['limit far', { source: { ...source, keepLimitBytes: 20 * GB }, secondsUntilLimit: 3_601 }, [], []],
  ['checkpoint', { audit: { ...healthy.audit!, checkpointAgeSeconds: 7_200 } }, ['checkpoint-old'], []],
  ['quarantine', { newQuarantined: 1 }, ['quarantine'], []],
  ['coverage', { worker: { ...healthy.worker, coverageLosses: ['a', 'b'] } }, ['coverage-lost'], []],
  ['source away', { source: undefined, lagSeconds: undefined }, [], []],
])('%s', (_name, facts, bad, between) => {
  const judged = alertRules.map(
    ({ id, judge }) => [id, judge({ ...healthy, ...facts }, defaultLimits)] as const,
  );
  const those = (verdict: Verdict) =>
    judged.filter(([, each]) => each?.verdict === verdict).map(([id]) => id);
  expect(those('bad')).toEqual(bad);
  expect(those('between')).toEqual(between);
});
