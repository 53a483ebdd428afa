import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { effort } from '@bemi-db/test-kit/effort';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import { expect, test } from 'vitest';
import type { SoakResult } from './run-soak.ts';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const minutes = 60_000;

async function soak(...args: string[]): Promise<{ code: number | null; result: SoakResult }> {
  const child = spawn(process.execPath, [program, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, result: JSON.parse(printed) };
}

test(
  'clients, faults and oracles together: no difference',
  async () => {
    const { code, result } = await soak('--minutes', `${effort(0.3, 5)}`, '--seed', `${testSeed()}`);
    expect(result.difference, `seed ${result.seed}`).toBeUndefined();
    expect(code).toBe(0);
    expect(result.transactions).toBeGreaterThan(10);
    expect(Object.keys(result.faults).length).toBeGreaterThan(1);
  },
  15 * minutes,
);

test(
  'a slot that is told before anything is durable is found out: changes are lost',
  async () => {
    const { code, result } = await soak('--minutes', '3', '--seed', `${testSeed()}`, '--broken');
    expect(result.difference).toMatch(/slot-ahead|missing|lost|no such/i);
    expect(code).toBe(1);
  },
  15 * minutes,
);
