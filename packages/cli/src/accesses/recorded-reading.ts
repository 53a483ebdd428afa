import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { beforeReaderIsGone } from '../output/print.ts';
import { type AccessDetails, type Looked, tellAccess } from './told-access.ts';

/** So many entries are held back until it is known whether there are more: what is few is recorded at once, with its count. */
const few = 200;
/** Behind a query that is under way, on a database that is busy. */
const lastWordsMs = 10_000;

/** Counts what is shown of a log. */
class Shown {
  #count = 0;
  #first: bigint | undefined;
  #last: bigint | undefined;

  add(sequence: string): void {
    const number = BigInt(sequence);
    this.#count++;
    if (this.#first === undefined || number < this.#first) this.#first = number;
    if (this.#last === undefined || number > this.#last) this.#last = number;
  }

  details(): Pick<AccessDetails, 'changes' | 'firstSequence' | 'lastSequence'> {
    return {
      changes: this.#count,
      ...(this.#first === undefined ? {} : { firstSequence: String(this.#first) }),
      ...(this.#last === undefined ? {} : { lastSequence: String(this.#last) }),
    };
  }
}

/**
 * What is read of a log, with a record of who read it: one access where it is few entries, told before the first is given
 * out. Else one when it begins, before anything is given out, and one when it ends, which says how much that was; also when
 * it is interrupted, or whoever reads the output goes away. What is ended by force has a beginning alone.
 */
export async function* recordedReading<T>(
  client: pg.ClientBase,
  looked: Looked,
  entries: AsyncIterable<T>,
  sequenceOf: (entry: T) => string,
): AsyncGenerator<T, void, void> {
  const began = new Date();
  const shown = new Shown();
  const iterator = entries[Symbol.asyncIterator]();
  const held: T[] = [];
  while (held.length < few) {
    const { done, value } = await iterator.next();
    if (done) {
      for (const entry of held) shown.add(sequenceOf(entry));
      await tellAccess(client, looked, { ...shown.details(), began, ended: new Date() });
      yield* held;
      return;
    }
    held.push(value);
  }
  const reading = await beginReading(client, looked, began);
  try {
    for (const entry of held) {
      reading.shown(sequenceOf(entry));
      yield entry;
    }
    held.length = 0;
    for (;;) {
      const next = await reading.during(() => iterator.next());
      if (next.done) break;
      reading.shown(sequenceOf(next.value));
      yield next.value;
    }
  } finally {
    await reading.end();
  }
}

/** A reading that goes on. */
export interface Reading {
  /** Before the entry is shown. */
  shown(sequence: string): void;
  /**
   * Something that uses the connection, in a transaction of its own: the end is told when it is over. Once that is being told
   * nothing begins any more: the program ends.
   */
  during<T>(work: () => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/** @param isEndedByUs - the caller ends it at Ctrl-C and SIGTERM by itself. */
export async function beginReading(
  client: pg.ClientBase,
  looked: Looked,
  began = new Date(),
  isEndedByUs = false,
): Promise<Reading> {
  const id = randomBytes(8).toString('hex');
  const shown = new Shown();
  await tellAccess(client, looked, { part: 'begin', id, began });
  let working: Promise<unknown> = Promise.resolve();
  let ended: Promise<void> | undefined;
  const tellEnd = async (): Promise<void> => {
    await working.catch(() => undefined);
    await tellAccess(client, looked, { part: 'end', id, ...shown.details(), began, ended: new Date() });
  };
  const end = (): Promise<void> => {
    ended ??= tellEnd();
    return ended;
  };
  const stopListening = [beforeReaderIsGone(end), ...(isEndedByUs ? [] : [beforeInterruption(end)])];
  return {
    shown: (sequence) => shown.add(sequence),
    during(work) {
      if (ended) return new Promise(() => undefined);
      const under = work();
      working = under;
      return under;
    },
    async end() {
      for (const stop of stopListening) stop();
      await end();
    },
  };
}

/** Ctrl-C and SIGTERM end the program once this is said; a second one ends it at once. */
function beforeInterruption(say: () => Promise<void>): () => void {
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const listener = (): void => {
      const over = (): void => process.exit(signal === 'SIGINT' ? 130 : 143);
      setTimeout(over, lastWordsMs);
      say().then(over, over);
    };
    process.once(signal, listener);
    return () => process.off(signal, listener);
  });
  return () => {
    for (const stop of listeners) stop();
  };
}
