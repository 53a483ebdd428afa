import { rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { newFolder } from './disposable-folder.ts';

/**
 * A state directory for one worker, gone with the test. Workers share that of the run unless their log has the name of
 * another one's.
 */
export function newStateDirectory(): string {
  const directory = newFolder('state');
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
