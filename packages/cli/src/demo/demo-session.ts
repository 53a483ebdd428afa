import { type Interruption, listenForInterruption } from './interruption.ts';
import { createProgress, type Progress } from './progress.ts';
import { createTeardown, type Teardown } from './teardown.ts';

/** What every part of a demo has at hand. */
export interface DemoSession {
  /** Aborted when the demo shall end. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly teardown: Teardown;
}

/**
 * Runs a demo, and undoes all that it did: at its end, when it fails, and when a signal ends it, also while it starts.
 *
 * @returns how it ended: `undefined`, or with the exit code for the signal that ended it.
 */
export async function inDemoSession(
  work: (session: DemoSession) => Promise<void>,
): Promise<number | undefined> {
  withoutOthersSettings();
  const interruption = listenForInterruption();
  const progress = createProgress(process.stderr);
  const teardown = createTeardown();
  try {
    await untilInterrupted(interruption, () => work({ signal: interruption.signal, progress, teardown }));
  } finally {
    if (!teardown.isEmpty) {
      await progress.step('Stopping', teardown.run, () => 'Everything is stopped and deleted.');
    }
    interruption.stopListening();
  }
  return interruption.exitCode;
}

/** After a signal, whatever fails fails because of it. */
async function untilInterrupted(interruption: Interruption, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await interruption.settled();
    if (!interruption.signal.aborted) throw error;
  }
}

/** PGSSLMODE, PGOPTIONS and the like are meant for other servers than the demo's. */
export function withoutOthersSettings(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name];
}
