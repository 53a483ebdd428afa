import { parseLsn } from '@bemi-db/replication/lsn';
import { describe, expect, test } from 'vitest';
import { lastRecordEnd } from './drain-target.ts';
import { type IdleFacts, shouldConfirmIdle } from './idle-confirm.ts';
import { retryDelayMs } from './retry-delay.ts';
import { statusIntervalMs } from './status-interval.ts';
import { parseTimelineHistory, switchLsn } from './timeline-history.ts';

describe('retryDelayMs', () => {
  test('doubles from a quarter of a second to half a minute', () => {
    expect([1, 2, 3, 4, 8, 9, 1000].map((attempt) => retryDelayMs(attempt, 1))).toEqual([
      250, 500, 1000, 2000, 30_000, 30_000, 30_000,
    ]);
  });

  test('jitter takes away at most half', () => {
    expect(retryDelayMs(1, 0)).toBe(125);
    expect(retryDelayMs(20, 0.5)).toBe(22_500);
  });
});

describe('statusIntervalMs', () => {
  test('three times within wal_sender_timeout, and at least every ten seconds', () => {
    expect(statusIntervalMs(60_000, 60_000, false)).toBe(10_000);
    expect(statusIntervalMs(9_000, 60_000, false)).toBe(3_000);
    expect(statusIntervalMs(0, 60_000, false)).toBe(10_000);
    expect(statusIntervalMs(60_000, 60_000, true)).toBe(250);
  });

  test('often enough that a server that is alive has answered before it is doubted', () => {
    expect(statusIntervalMs(0, 15_000, false)).toBe(5_000);
  });
});

describe('shouldConfirmIdle', () => {
  const facts: IdleFacts = {
    safeLsn: parseLsn('1/0'),
    confirmedLsn: parseLsn('0/0'),
    sinceLastCommitMs: 10_000,
    isSameCluster: false,
    isDraining: false,
  };

  test('only when WAL has moved, and not more often than every ten seconds', () => {
    expect(shouldConfirmIdle(facts)).toBe(true);
    expect(shouldConfirmIdle({ ...facts, sinceLastCommitMs: 9_999 })).toBe(false);
    expect(shouldConfirmIdle({ ...facts, safeLsn: facts.confirmedLsn })).toBe(false);
  });

  test('on a shared server only for more WAL than such a commit writes itself', () => {
    expect(shouldConfirmIdle({ ...facts, isSameCluster: true })).toBe(true);
    expect(shouldConfirmIdle({ ...facts, isSameCluster: true, safeLsn: parseLsn('0/FFFF') })).toBe(false);
  });

  test('at once for somebody who waits', () => {
    expect(
      shouldConfirmIdle({
        ...facts,
        isSameCluster: true,
        isDraining: true,
        safeLsn: parseLsn('0/1'),
        sinceLastCommitMs: 0,
      }),
    ).toBe(true);
  });
});

describe('lastRecordEnd', () => {
  test('an insert position behind a page header means the end of the page before', () => {
    expect(lastRecordEnd(parseLsn('0/2018'), 8192)).toBe(parseLsn('0/2000'));
    expect(lastRecordEnd(parseLsn('0/1000028'), 8192)).toBe(parseLsn('0/1000000'));
    expect(lastRecordEnd(parseLsn('0/2020'), 8192)).toBe(parseLsn('0/2020'));
    expect(lastRecordEnd(parseLsn('0/3FF0'), 8192)).toBe(parseLsn('0/3FF0'));
  });
});

describe('parseTimelineHistory', () => {
  const file = '1\t0/5000000\tno recovery target specified\n\n2\t0/7000060\tbefore 2000-01-01\n';

  test('reads each switch', () => {
    expect(parseTimelineHistory(file)).toEqual([
      { timeline: 1, lsn: parseLsn('0/5000000') },
      { timeline: 2, lsn: parseLsn('0/7000060') },
    ]);
    expect(switchLsn(parseTimelineHistory(file), 2)).toBe(parseLsn('0/7000060'));
    expect(switchLsn(parseTimelineHistory(file), 3)).toBeUndefined();
  });
});
