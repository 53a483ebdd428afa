import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ContextCost } from './context.ts';
import type { DrainResult } from './drain.ts';
import type { LiveResult } from './live.ts';
import type { OverheadResult } from './overhead.ts';
import type { QueriesResult } from './queries.ts';
import type { VerifyResult } from './verify.ts';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

test('the drain benchmark runs in its short form, checks what was recorded, and compares', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    ...[program, 'drain', '--transactions', '500', '--rounds', '1', '--json'],
  ]);
  const result = JSON.parse(stdout) as DrainResult;
  expect(result.changes).toBe(1_100);
  expect(result.ratio.median).toBeCloseTo(result.worker.median / result.subscription.median);
  expect(result.workerPeakRssBytes).toBeGreaterThan(0);
  expect(result.proofRatio.median).toBeCloseTo(result.worker.median / result.withoutProofs.median);
  expect(stderr).toContain('round 1: subscription');
});

test('the verify benchmark runs in its short form, and compares', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[program, 'verify', '--transactions', '500', '--rounds', '1', '--json'],
  ]);
  const result = JSON.parse(stdout) as VerifyResult;
  expect(result.entries).toBeGreaterThan(2_100);
  expect(result.ratio.median).toBeCloseTo(result.verify.median / result.copy.median);
});

test('the context benchmark runs in its short form: no round trip is added, and a message costs WAL', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[program, 'context', '--writes', '160', '--rounds', '1', '--json'],
  ]);
  const costs = JSON.parse(stdout) as ContextCost[];
  for (const cost of costs) expect(cost.roundTripsPerWrite, cost.contestant).toBe(1);
  const bytes = (of: Pick<ContextCost, 'contestant' | 'write'>) =>
    costs.find((cost) => cost.contestant === of.contestant && cost.write === of.write)!.walBytesPerWrite;
  const inserted = (contestant: ContextCost['contestant']) => bytes({ contestant, write: 'insert' });
  expect(inserted('message')).toBeGreaterThan(inserted('plain') + 100);
  expect(inserted('signed')).toBeGreaterThan(inserted('message') + 100);
  // Where no row is written, no message is.
  for (const contestant of ['plain', 'message', 'signed'] as const)
    expect(bytes({ contestant, write: 'nothing' }), contestant).toBeLessThan(100);
});

test('the overhead benchmark runs in its short form: FULL and contexts cost WAL', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[program, 'overhead', '--writes', '200', '--rounds', '1', '--json'],
  ]);
  const result = JSON.parse(stdout) as OverheadResult;
  for (const { kind, walBytes, walBytesWithout } of result.costs)
    expect(walBytes, kind).toBeGreaterThan(walBytesWithout + 100);
  expect(result.walRatio.median).toBeGreaterThan(1);
  expect(result.networkBytesPerChange).toBeGreaterThan(100);
});

test('the queries benchmark runs in its short form: every search finds what is there', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[program, 'queries', '--changes', '2000,4000', '--rounds', '1', '--json'],
  ]);
  const { fills, queries } = JSON.parse(stdout) as QueriesResult;
  expect(fills.map(({ changes }) => changes)).toEqual([2000, 4000]);
  const found = (ending: string) =>
    queries.filter(({ name }) => name.endsWith(ending)).flatMap(({ times }) => times);
  for (const { found: count } of found(', none')) expect(count).toBe(0);
  expect(queries.find(({ name }) => name === 'context, common')?.times.map(({ found }) => found)).toEqual([
    50, 50,
  ]);
});

test('the live benchmark runs in its short form: a page is told of what is recorded already', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    program,
    'live',
    '--writes',
    '3',
    '--json',
  ]);
  const { recordedMs, streamedMs } = JSON.parse(stdout) as LiveResult;
  expect(recordedMs.least).toBeGreaterThan(0);
  expect(streamedMs.median).toBeGreaterThan(recordedMs.median);
});
