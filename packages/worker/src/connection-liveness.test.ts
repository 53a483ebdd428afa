import { expect, test } from 'vitest';
import {
  type BackendActivity,
  type BackendSighting,
  decideLiveness,
  livenessTimings,
  sightingOf,
} from './connection-liveness.ts';

const hours = 3_600_000;
const decide = (silentMs: number, sighting: BackendSighting | undefined) =>
  decideLiveness(silentMs, sighting, livenessTimings);

test('an answer that is not overdue is waited for, and nobody is asked', () => {
  expect(decide(14_999, undefined)).toBe('wait');
  expect(decide(15_000, undefined)).toBe('ask');
});

test('a server that works is never cut off, however long', () => {
  expect(decide(24 * hours, 'working')).toBe('ask');
  expect(decide(24 * hours, 'unknown')).toBe('ask');
  expect(decide(24 * hours, undefined)).toBe('ask');
});

test.each<[BackendSighting, number]>([
  ['idle', 30_000],
  ['gone', 30_000],
  ['unreachable', 30_000],
  ['transferring', 120_000],
])('a server end that is %s is dead after %d ms', (sighting, deadAfterMs) => {
  expect(decide(deadAfterMs - 1, sighting)).toBe('ask');
  expect(decide(deadAfterMs, sighting)).toBe('dead');
});

const activity = (state: string, wait: string | undefined): BackendActivity => ({
  state,
  waitEventType: wait?.split(':')[0] ?? null,
  waitEvent: wait?.split(':')[1] ?? null,
});

test.each([
  ['idle', activity('idle', 'Client:ClientRead')],
  ['idle', activity('idle in transaction', 'Client:ClientRead')],
  ['idle', activity('active', 'Client:WalSenderWaitForWal')], // PostgreSQL 17 and later
  ['idle', activity('active', 'Client:WalSenderWaitForWAL')],
  ['transferring', activity('active', 'Client:ClientRead')],
  ['transferring', activity('active', 'Client:WalSenderWriteData')],
  ['working', activity('active', 'Lock:relation')],
  ['working', activity('active', 'IPC:SyncRep')],
  ['working', activity('active', undefined)],
  ['gone', undefined],
] as const)('%s is what %j means', (sighting, row) => {
  expect(sightingOf(row)).toBe(sighting);
});
