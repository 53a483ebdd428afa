import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { NonceMemory } from './nonce-memory.ts';

const minute = 60_000;

test('says of each nonce whether it was there, by the minute of its message', () => {
  const memory = new NonceMemory();
  const expected = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const nonce = randomBytes(16).toString('base64url');
    const timeMs = (i % 7) * minute + (i % minute);
    expect(memory.add(nonce, timeMs)).toBe(true);
    expected.set(nonce, timeMs);
  }
  for (const [nonce, timeMs] of expected) {
    expect(memory.has(nonce, timeMs)).toBe(true);
    expect(memory.add(nonce, timeMs)).toBe(false);
    expect(memory.has(randomBytes(16).toString('base64url'), timeMs)).toBe(false);
  }
  expect(memory.size).toBe(20_000);
});

test('a nonce of nothing but zeros is one like any other', () => {
  const memory = new NonceMemory();
  const zeros = Buffer.alloc(16).toString('base64url');
  expect(memory.has(zeros, 0)).toBe(false);
  expect(memory.add(zeros, 0)).toBe(true);
  expect(memory.add(zeros, 0)).toBe(false);
});

test('forgets whole minutes, and says up to where', () => {
  const memory = new NonceMemory();
  expect(memory.forgottenBeforeMs).toBe(Number.NEGATIVE_INFINITY);
  const nonce = (n: number) => Buffer.alloc(16, n).toString('base64url');
  for (let n = 1; n <= 5; n++) memory.add(nonce(n), n * minute + 1);
  memory.forgetBefore(3 * minute + 30_000);
  expect(memory.forgottenBeforeMs).toBe(3 * minute);
  expect([1, 2, 3, 4, 5].map((n) => memory.has(nonce(n), n * minute + 1))).toEqual([
    false,
    false,
    true,
    true,
    true,
  ]);
  memory.forgetBefore(minute);
  expect(memory.forgottenBeforeMs).toBe(3 * minute);
  expect(memory.size).toBe(3);
});

test('holds no more than it may: the oldest minute goes first', () => {
  const memory = new NonceMemory(100);
  for (let i = 0; i < 1_000; i++)
    memory.add(randomBytes(16).toString('base64url'), Math.floor(i / 50) * minute);
  expect(memory.size).toBeLessThanOrEqual(100);
  expect(memory.size).toBeGreaterThanOrEqual(50);
  expect(memory.forgottenBeforeMs).toBe(18 * minute);
});
