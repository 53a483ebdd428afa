import { parseLsn } from '@bemi-db/replication/lsn';
import type { SlotSnapshot } from '@bemi-db/source/source-snapshot';
import type { SourceState } from '@bemi-db/trail/sources';
import { expect, test } from 'vitest';
import type { RefusalCode } from './refusal.ts';
import { decideStart, type SourceFacts } from './start-decision.ts';

const recorded: SourceState = {
  log: 0,
  logId: '00112233445566778899aabbccddeeff',
  systemIdentifier: '7000000000000000001',
  database: 'clinic',
  slot: 'bemi_slot',
  publication: 'bemi_publication',
  generation: 1,
  timeline: 1,
  completeFromLsn: '0/100',
  lastFinalLsn: '0/4F0',
  confirmedLsn: '0/500',
  resumedLsn: '0/0',
  previousFinalLsn: '0/0',
  coveredLsn: '0/500',
  nextSequence: 10,
};

const slot: SlotSnapshot = {
  name: 'bemi_slot',
  plugin: 'pgoutput',
  database: 'clinic',
  isTemporary: false,
  activePid: undefined,
  restartLsn: '0/400',
  confirmedFlushLsn: '0/500',
  walStatus: 'reserved',
  safeWalBytes: undefined,
  invalidationReason: undefined,
  isFailover: undefined,
};

const source: SourceFacts = {
  systemIdentifier: '7000000000000000001',
  timeline: 1,
  database: 'clinic',
  walLsn: parseLsn('0/900'),
  slotName: 'bemi_slot',
  slot,
  timelineHistory: [],
};

test('the slot at the position of the log, or behind it: goes on', () => {
  expect(decideStart(recorded, source)).toEqual({ lineage: undefined });
  expect(
    decideStart(recorded, { ...source, slot: { ...slot, confirmedFlushLsn: '0/300' } }).lineage,
  ).toBeUndefined();
});

test('a promoted standby that left the timeline at or after the position is the same history', () => {
  const promoted = { ...source, timeline: 2, timelineHistory: [{ timeline: 1, lsn: parseLsn('0/500') }] };
  expect(decideStart(recorded, promoted).lineage).toEqual({
    fromTimeline: 1,
    toTimeline: 2,
    switchLsn: '0/500',
  });
});

const refusals: [string, RefusalCode, Partial<SourceFacts>][] = [
  ['another cluster', 'other-cluster', { systemIdentifier: '7000000000000000002' }],
  ['another database', 'other-database', { database: 'other' }],
  ['no slot', 'slot-missing', { slot: undefined }],
  ['a lost slot', 'slot-lost', { slot: { ...slot, walStatus: 'lost' } }],
  ['an invalidated slot', 'slot-lost', { slot: { ...slot, invalidationReason: 'wal_removed' } }],
  ['a slot one byte ahead', 'slot-ahead', { slot: { ...slot, confirmedFlushLsn: '0/501' } }],
  ['a server whose WAL ends before the position', 'source-behind', { walLsn: parseLsn('0/4FF') }],
  [
    'a timeline that was left before the position',
    'other-timeline',
    { timeline: 2, timelineHistory: [{ timeline: 1, lsn: parseLsn('0/4FF') }] },
  ],
  [
    'a timeline that never was this one',
    'other-timeline',
    { timeline: 3, timelineHistory: [{ timeline: 2, lsn: parseLsn('0/800') }] },
  ],
];

test.each(refusals)('%s is refused as %s, with what to do', (_what, code, facts) => {
  expect(() => decideStart(recorded, { ...source, ...facts })).toThrow(
    expect.objectContaining({ code, fix: expect.stringMatching(/\w/) }),
  );
});
