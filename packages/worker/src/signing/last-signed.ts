import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ProblemError } from '../problem.ts';
import { RefusalError } from '../refusal.ts';

/** The file is begun anew when it is this long; a checkpoint is some 250 bytes. */
const longestFileBytes = 256 * 1024;

/**
 * The worker's own memory of what it signed last for a log, beside its key and out of the audit database: what was cut or
 * restored there is noticed at the next start.
 *
 * It is written after each commit, before the slot is told: what the source may forget is remembered here. A line is
 * appended for each checkpoint, which takes some microseconds (to replace a file takes a millisecond here), and the last
 * whole line counts. Without fsync: a killed process loses nothing by that, and after a crash of the machine an older
 * line is a beginning of the log as well.
 */
export class LastSigned {
  readonly file: string;
  #descriptor: number | undefined;
  #length = 0;

  /** @param name - the log's; not its id, so that a log which was deleted and made anew is noticed too. */
  constructor(directory: string, name: string) {
    const ofLog = join(directory, encodeURIComponent(name));
    mkdirSync(ofLog, { recursive: true, mode: 0o700 });
    this.file = join(ofLog, 'last-signed');
  }

  /**
   * The checkpoint, or `undefined` where none was kept.
   *
   * @throws RefusalError where there is a file, and nothing in it that was written here.
   */
  read(): string | undefined {
    let text: string;
    try {
      text = readFileSync(this.file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    const last = signedCheckpoints(text).at(-1);
    if (last !== undefined || text === '') return last;
    throw new RefusalError(
      'checkpoint-broken',
      `${this.file} holds no checkpoint: what this worker signed last is not known.`,
      'Run bemi verify with every checkpoint that was published; when the log is whole, delete the file and start the worker again.',
    );
  }

  /** @throws ProblemError where that is not possible now: nothing may be confirmed that is not remembered. */
  write(checkpoint: string): void {
    try {
      this.#descriptor ??= this.#open();
      this.#length += writeSync(this.#descriptor, `${JSON.stringify(checkpoint)}\n`);
      if (this.#length > longestFileBytes) this.#begin(checkpoint);
    } catch (error) {
      throw new ProblemError(
        {
          code: 'state-directory',
          message: `${this.file} can't be written: ${error instanceof Error ? error.message : error}`,
          fix: 'Give the worker room and the right to write in its state directory (BEMI_STATE_DIR); it goes on by itself.',
          kind: 'retry',
        },
        error,
      );
    }
  }

  /** Goes on in the file that is there, whose last line may have been cut off. */
  #open(): number {
    const descriptor = openSync(this.file, 'a', 0o600);
    this.#length = fstatSync(descriptor).size;
    if (this.#length > 0) this.#length += writeSync(descriptor, '\n');
    return descriptor;
  }

  /** Puts a file with this line alone in the place of the one that has grown long. */
  #begin(checkpoint: string): void {
    const begun = `${this.file}.tmp`;
    writeFileSync(begun, `${JSON.stringify(checkpoint)}\n`, { flush: true, mode: 0o600 });
    renameSync(begun, this.file);
    this.close();
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** The checkpoints in such a file that are whole, oldest first. */
export function signedCheckpoints(text: string): string[] {
  const checkpoints: string[] = [];
  for (const line of text.split('\n')) {
    try {
      const checkpoint: unknown = JSON.parse(line);
      if (typeof checkpoint === 'string') checkpoints.push(checkpoint);
    } catch {
      // Cut off in the middle, or the nothing behind the last line.
    }
  }
  return checkpoints;
}
