import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Drains one slot, in a process of its own so that memory can be told apart. Prints its peak resident memory in bytes. */
const [source, destination, slot, variant] = process.argv.slice(2);
if (!source || !destination || !slot) throw new Error('Usage: drain-worker SOURCE_URL DESTINATION_URL SLOT');
if (variant === 'without-proofs') await import('./without-proofs.ts');
const { createWorker } = await import('@bemi-db/worker');
const stateDirectory = mkdtempSync(join(tmpdir(), 'bemi-bench-'));
try {
  await createWorker({ source, destination, slot, stateDirectory }).run({ drain: true });
} finally {
  rmSync(stateDirectory, { recursive: true });
}
process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
