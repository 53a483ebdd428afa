import { useEffect, useState, useSyncExternalStore } from 'react';
import { type EntryFeed, entryFeed, type FeedOptions, type FeedState } from './entry-feed.ts';

/** A feed of its own for as long as log and filter stay the same. */
export function useEntryFeed(options: FeedOptions | undefined): {
  readonly feed: EntryFeed | undefined;
  readonly state: FeedState | undefined;
} {
  const [feed, setFeed] = useState<EntryFeed>();
  const key = options && JSON.stringify(options);
  useEffect(() => {
    if (key === undefined) return undefined;
    const made = entryFeed(JSON.parse(key) as FeedOptions);
    setFeed(made);
    return () => {
      made.close();
      setFeed(undefined);
    };
  }, [key]);
  const state = useSyncExternalStore(
    (listener) => feed?.subscribe(listener) ?? (() => undefined),
    () => feed?.state(),
  );
  return { feed, state };
}
