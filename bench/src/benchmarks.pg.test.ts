import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { ContextResult } from './context.ts';
import type { DrainResult } from './drain.ts';
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
    ...[program, 'context', '--transactions', '160', '--rounds', '1', '--json'],
  ]);
  const { inserts, walBytesOfNothing } = JSON.parse(stdout) as ContextResult;
  for (const cost of inserts) expect(cost.roundTripsPerWrite, cost.contestant).toBe(1);
  const [plain, message] = inserts;
  expect(message!.walBytesPerWrite).toBeGreaterThan(plain!.walBytesPerWrite + 100);
  expect(walBytesOfNothing.message).toBeGreaterThan(walBytesOfNothing.plain + 100);
});
