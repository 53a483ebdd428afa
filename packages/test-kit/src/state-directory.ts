import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * A state directory for one worker, gone with the test. Workers share that of the run unless their log has the name of
 * another one's.
 */
export function newStateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bemi-state-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
