import type { Entry, EntryPage } from '../../api/entry.ts';
import { type QueryMembers, queryText, request } from '../api/request.ts';
import { hearEntries, type StreamState } from './entry-stream.ts';

/** What the page knows of a log, and what is under way. */
export interface FeedState {
  /** Newest first. */
  readonly entries: readonly Entry[];
  /** Recorded meanwhile and not shown yet, newest first. */
  readonly arrived: readonly Entry[];
  /** `budget`: the search stopped after its time, and goes on when asked; `reached`: there is nothing older. */
  readonly older: 'loading' | 'more' | 'budget' | 'reached' | 'failed';
  readonly lookedBackTo: { readonly sequence: string; readonly at: string | null } | null;
  readonly error: Error | undefined;
  readonly live: StreamState | 'paused' | 'off';
}

export interface FeedOptions {
  readonly log: string;
  readonly filter: QueryMembers;
  /** Whether what is recorded from now on can be in it: not of a time that is over. */
  readonly isLive: boolean;
}

/** Entries of a log under one filter: pages towards older ones, and those that are recorded meanwhile. */
export interface EntryFeed {
  subscribe(listener: () => void): () => void;
  state(): FeedState;
  /** Reads on towards older entries, unless it is doing so. A search that stopped goes on until it finds something. */
  more(): void;
  /** Ends a search that goes on; what it found stays, and `more` goes on from there. */
  stopSearch(): void;
  /** Begins anew after a failure. */
  restart(): void;
  /** While held, what arrives waits until `show`, so that nothing moves under the reader's eyes. */
  hold(isHeld: boolean): void;
  show(): void;
  pause(isPaused: boolean): void;
  close(): void;
}

const pageSize = 100;
/** A page that is left open on a busy log: beyond these, the oldest go, and are read again when asked for. */
const mostEntries = 100_000;
/** So many wait at most; showing them then begins with the newest page. */
const mostArrived = 5_000;

const nothing: FeedState = {
  ...{ entries: [], arrived: [], older: 'loading', lookedBackTo: null, error: undefined, live: 'off' },
};

export function entryFeed({ log, filter, isLive }: FeedOptions): EntryFeed {
  const listeners = new Set<() => void>();
  const empty: FeedState = { ...nothing, live: isLive ? 'connecting' : 'off' };
  let state = empty;
  let aborter = new AbortController();
  let next: string | undefined;
  let position: string | undefined;
  let stopHearing: (() => void) | undefined;
  let isHeld = false;
  let hasContinued = false;

  const set = (change: Partial<FeedState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };

  /** @param isAsked - whether it goes on until it finds something. */
  async function load(isAsked = false): Promise<void> {
    const { signal } = aborter;
    set({ older: 'loading', error: undefined });
    let page: EntryPage;
    try {
      const query = queryText({ ...filter, values: 'text', limit: pageSize, before: next });
      page = await request<EntryPage>(`/logs/${encodeURIComponent(log)}/entries${query}`, signal);
    } catch (error) {
      if (!signal.aborted) set({ older: 'failed', error: error as Error });
      return;
    }
    if (signal.aborted) return;
    next = page.next ?? undefined;
    // A search by values stops early. Once it goes on by itself; how long it then takes is the reader's to decide.
    const goesOn = page.end === 'budget' && (!hasContinued || (isAsked && page.entries.length === 0));
    hasContinued ||= goesOn;
    set({
      entries: [...state.entries, ...page.entries],
      older: goesOn ? 'loading' : page.end === 'page-full' ? 'more' : page.end,
      lookedBackTo: page.end === 'budget' ? page.lookedBackTo : null,
    });
    if (position === undefined) {
      position = page.position;
      hear();
    }
    if (goesOn) await load(isAsked);
  }

  function hear(): void {
    if (!isLive || position === undefined || state.live === 'paused') return;
    stopHearing = hearEntries({
      ...{ log, filter, after: previous(position) },
      onState: (live) => set({ live }),
      onEntries: (entries) => {
        position = String(BigInt(entries.at(-1)!.sequence) + 1n);
        const arrived = [...entries.toReversed(), ...state.arrived];
        if (isHeld) set({ arrived: arrived.slice(0, mostArrived) });
        else put(arrived);
      },
    });
  }

  function put(arrived: readonly Entry[]): void {
    const entries = [...arrived, ...state.entries];
    if (entries.length <= mostEntries) {
      set({ entries, arrived: [] });
      return;
    }
    const kept = entries.slice(0, mostEntries);
    next = kept.at(-1)!.sequence;
    set({ entries: kept, arrived: [], older: 'more' });
  }

  function stop(): void {
    aborter.abort();
    stopHearing?.();
    stopHearing = undefined;
  }

  const feed: EntryFeed = {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    state: () => state,
    more() {
      if (state.older === 'budget') void load(true);
      else if (state.older === 'more' || state.older === 'failed') void load();
    },
    stopSearch() {
      aborter.abort();
      aborter = new AbortController();
      if (state.older === 'loading') set({ older: 'budget' });
    },
    restart() {
      stop();
      aborter = new AbortController();
      [next, position, hasContinued] = [undefined, undefined, false];
      state = { ...empty, live: state.live === 'paused' ? 'paused' : empty.live };
      void load();
    },
    hold(held) {
      isHeld = held;
      if (!held && state.arrived.length > 0) feed.show();
    },
    show() {
      if (state.arrived.length >= mostArrived) feed.restart();
      else put(state.arrived);
    },
    pause(isPaused) {
      if (isPaused) {
        stopHearing?.();
        stopHearing = undefined;
        set({ live: 'paused' });
      } else if (state.live === 'paused') {
        set({ live: 'connecting' });
        hear();
      }
    },
    close: stop,
  };
  void load();
  return feed;
}

function previous(sequence: string): string {
  const before = BigInt(sequence) - 1n;
  return before < 0n ? '0' : String(before);
}
