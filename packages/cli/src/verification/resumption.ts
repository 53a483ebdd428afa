import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { usageError } from '../cli-error.ts';
import { invocation } from '../output/invocation.ts';
import { printNote } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { type Progress, readProgress, type Subject } from './kept-progress.ts';
import type { Evidence } from './verification.ts';

/** Where progress is kept, and whether to go on from it. */
export interface ResumptionFlags {
  readonly resume?: true;
  readonly progress?: string;
  readonly saveEvery?: string;
}

/**
 * The progress to go on from, where that was asked for. What else is there is said: nothing is gone on from, or written
 * over, in silence.
 *
 * @throws CliError where it was asked for and can't be
 */
export function progressToResume(
  file: string,
  subject: Subject,
  flags: ResumptionFlags,
): Progress | undefined {
  const kept = readProgress(file, subject);
  const resume = flags.resume === true;
  switch (kept.state) {
    case 'none':
      if (resume) printNote('There is no interrupted verification to go on with: this one begins anew.\n');
      return undefined;
    case 'usable': {
      if (resume) return kept.progress;
      const at = countText(kept.progress.paused.at);
      printNote(
        `A verification was interrupted at entry ${at}: ${invocation()} verify --resume goes on from there. This one begins anew.\n`,
      );
      return undefined;
    }
    case 'other':
    case 'unusable':
      // A file that was named by mistake is not written over.
      if (resume || (kept.state === 'other' && flags.progress !== undefined))
        throw usageError(
          `The verification in ${file} can't be gone on with: ${kept.reason}`,
          resume
            ? 'Leave --resume out: it then begins anew.'
            : 'Name a file of its own, or one that is not there yet.',
        );
      printNote(`What is kept in ${file} is of no use: ${kept.reason}. This verification begins anew.\n`);
      return undefined;
  }
}

/**
 * What a verification that goes on is held against: the checkpoints that were known when it began, and those that cover
 * more than what has been read. Others come too late, and are counted.
 */
export function evidenceToResume(evidence: Evidence, { checkpoints, paused }: Progress): Evidence {
  const known = new Set(checkpoints.map(({ text }) => text));
  const added = evidence.checkpoints.filter(({ text }) => !known.has(text));
  const later = added.filter(({ checkpoint }) => checkpoint.size > paused.at);
  return {
    ...evidence,
    checkpoints: [
      ...checkpoints.map(({ where, text }) => ({ where, text, checkpoint: parseCheckpoint(text) })),
      ...later,
    ],
    lateCheckpoints: added.length - later.length,
  };
}

/** `--save-every SECONDS`, in milliseconds. */
export function saveIntervalMs(asked: string | undefined): number {
  if (asked === undefined) return 5_000;
  if (/^\d{1,5}$/.test(asked)) return Number(asked) * 1_000;
  throw usageError(
    `--save-every ${JSON.stringify(asked)} is not a number of seconds`,
    'Give 0 (after every 65,536 entries) to 99999.',
  );
}

/** Does it once when the process is asked to end, which it does then. */
export function whenInterrupted(work: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = (signal: NodeJS.Signals): void => {
    stop();
    work();
    process.kill(process.pid, signal);
  };
  const stop = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return stop;
}
