import type { Entry } from '../../api/entry.ts';
import { type QueryMembers, queryText } from '../api/request.ts';

export type StreamState = 'connecting' | 'open' | 'lost';

export interface EntryStreamOptions {
  readonly log: string;
  readonly filter: QueryMembers;
  /** Sequence after which it begins. */
  readonly after: string;
  /** Several at a time, oldest first, none twice and none left out. */
  readonly onEntries: (entries: readonly Entry[]) => void;
  readonly onState: (state: StreamState) => void;
}

/** What arrives within this time is told together: a busy log must not render the page for each entry. */
const gatherMs = 120;
const firstRetryMs = 1_000;
const longestRetryMs = 15_000;

/**
 * Hears of entries as they are recorded. It goes on by itself after a lost connection, where it was; a browser tries again
 * only while the server is reachable, so beyond that this does. Ends by the returned function.
 */
export function hearEntries(options: EntryStreamOptions): () => void {
  const { log, filter, onEntries, onState } = options;
  let after = options.after;
  let gathered: Entry[] = [];
  let gatherTimer: number | undefined;
  let retryTimer: number | undefined;
  let retryMs = firstRetryMs;
  let source: EventSource | undefined;

  const flush = (): void => {
    gatherTimer = undefined;
    const entries = gathered;
    gathered = [];
    if (entries.length > 0) onEntries(entries);
  };
  const connect = (): void => {
    source = new EventSource(
      `/api/v1/logs/${encodeURIComponent(log)}/stream${queryText({ ...filter, values: 'text', after })}`,
    );
    source.onopen = () => {
      retryMs = firstRetryMs;
      onState('open');
    };
    source.addEventListener('entry', ({ data, lastEventId }: MessageEvent<string>) => {
      if (!isBehind(after, lastEventId)) return;
      after = lastEventId;
      gathered.push(JSON.parse(data) as Entry);
      gatherTimer ??= window.setTimeout(flush, gatherMs);
    });
    source.addEventListener('position', ({ lastEventId }: MessageEvent<string>) => {
      if (isBehind(after, lastEventId)) after = lastEventId;
    });
    source.onerror = () => {
      onState('lost');
      if (source?.readyState !== EventSource.CLOSED) return;
      retryTimer = window.setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    };
  };
  onState('connecting');
  connect();
  return () => {
    source?.close();
    window.clearTimeout(gatherTimer);
    window.clearTimeout(retryTimer);
  };
}

function isBehind(after: string, sequence: string): boolean {
  return BigInt(after) < BigInt(sequence);
}
