import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The worker's own memory of what it signed last for a log, beside its key and out of the audit database: what was cut or
 * restored there is noticed at the next start.
 *
 * It is written after each commit, before the slot is told: what the source may forget is remembered here. Without fsync:
 * a killed process loses nothing by that, and after a crash of the machine the slot or the published checkpoints tell.
 */
export class LastSigned {
  readonly #file: string;
  readonly #temporary: string;

  /** @param name - the log's; not its id, so that a log which was deleted and made anew is noticed too. */
  constructor(directory: string, name: string) {
    const ofLog = join(directory, encodeURIComponent(name));
    mkdirSync(ofLog, { recursive: true, mode: 0o700 });
    this.#file = join(ofLog, 'last-signed');
    this.#temporary = join(ofLog, 'last-signed.tmp');
  }

  get file(): string {
    return this.#file;
  }

  /** The checkpoint, or `undefined` where none was kept. Empty or broken after a crash of the machine. */
  read(): string | undefined {
    try {
      return readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Some tens of microseconds. */
  write(checkpoint: string): void {
    writeFileSync(this.#temporary, checkpoint);
    renameSync(this.#temporary, this.#file);
  }
}
