import { once } from 'node:events';

/** Writes to stdout and waits where the reader is slower: a long log doesn't pile up in memory. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Notes that are not what was asked for: kept apart from what a pipe carries on. */
export function printNote(text: string): void {
  process.stderr.write(text);
}

/** Behind a query that is under way, on a database that is busy. */
const lastWordsMs = 10_000;
let hasGone = false;
const lastWords = new Set<() => Promise<void>>();

/** Something is to be done when the reader of the output has gone, before the program ends. Returns how to forget it. */
export function beforeReaderIsGone(work: () => Promise<void>): () => void {
  lastWords.add(work);
  return () => {
    lastWords.delete(work);
  };
}

/** Whether whoever read the output has gone: that what is printed fails is no failure then. */
export function readerIsGone(): boolean {
  return hasGone;
}

/** The reader of a pipe has gone (`bemi log | head`): nothing is left to be printed, and it is no failure. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (hasGone) return; // each line that was under way fails
      hasGone = true;
      const code = process.exitCode ?? 0;
      const over = (): void => process.exit(code);
      if (lastWords.size === 0) over();
      setTimeout(over, lastWordsMs);
      void Promise.allSettled([...lastWords].map((work) => work())).then(over);
    });
  }
}
