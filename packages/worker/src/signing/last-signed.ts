import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
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
    for (const line of text.split('\n').reverse()) {
      try {
        const checkpoint: unknown = JSON.parse(line);
        if (typeof checkpoint === 'string') return checkpoint;
      } catch {
        // Cut off in the middle, or the nothing behind the last line.
      }
    }
    throw new RefusalError(
      'checkpoint-broken',
      `${this.file} holds no checkpoint: what this worker signed last is not known.`,
      'Run bemi verify with every checkpoint that was published; when the log is whole, delete the file and start the worker again.',
    );
  }

  write(checkpoint: string): void {
    const line = `${JSON.stringify(checkpoint)}\n`;
    if (this.#descriptor === undefined || this.#length > longestFileBytes) {
      this.close();
      const begun = `${this.file}.tmp`;
      writeFileSync(begun, line, { flush: true });
      renameSync(begun, this.file);
      this.#descriptor = openSync(this.file, 'a');
      this.#length = line.length;
    } else this.#length += writeSync(this.#descriptor, line);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
