import { once } from 'node:events';

/** Writes to stdout and waits where the reader is slower: a long log doesn't pile up in memory. */
export async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Notes that are not what was asked for: kept apart from what a pipe carries on. */
export function printNote(text: string): void {
  process.stderr.write(text);
}

/** The reader of a pipe has gone (`bemi log | head`): nothing is left to do, and it is no failure. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
}
