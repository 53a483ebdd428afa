import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '@bemi-db/trail/query/change';
import { searchChanges } from '@bemi-db/trail/query/search-changes';
import type { Recording } from './start-recording.ts';

const pageSize = 200;
/** Soon enough to seem at once. */
const pollMs = 100;

/** Every change of the log, oldest first, and then each as it is recorded, until the signal. */
export async function* recordedChanges(
  { reader, log }: Pick<Recording, 'reader' | 'log'>,
  signal: AbortSignal,
): AsyncGenerator<Change, void, void> {
  let after = '-1';
  while (!signal.aborted) {
    const { changes, next } = await searchChanges(reader, {
      ...{ log, filter: { after }, order: 'oldest-first', limit: pageSize },
    });
    yield* changes;
    after = next ?? changes.at(-1)?.sequence ?? after;
    if (next === undefined) await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
}
