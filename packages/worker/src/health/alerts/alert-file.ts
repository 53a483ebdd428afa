import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Alert } from './alert-state.ts';

/** Which alerts of a log fire, kept from one process to the next. */
export class AlertFile {
  readonly #directory: string;
  readonly #path: string;

  constructor(stateDirectory: string, logName: string) {
    this.#directory = stateDirectory;
    this.#path = join(stateDirectory, `alerts-${encodeURIComponent(logName)}.json`);
  }

  /** A file that can't be read is as good as none: what still is bad fires again. */
  read(): readonly Alert[] {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Alert[];
    } catch {
      return [];
    }
  }

  /** Without a place for it, alerts come all the same. */
  write(firing: readonly Alert[]): void {
    try {
      mkdirSync(this.#directory, { recursive: true });
      const partial = `${this.#path}.${process.pid}`;
      writeFileSync(partial, JSON.stringify(firing));
      renameSync(partial, this.#path);
    } catch {
      // Nothing is lost but that a restart tells again of what it told already.
    }
  }
}
