import { actorFacts } from '@bemi-db/trail/facts/actor-facts';
import { contextFacts } from '@bemi-db/trail/facts/context-facts';
import type { ChangeEntry } from '../../api/entry.ts';

/** What a change says of who did it, from where and why. */
export interface EntryFacts {
  readonly who: string;
  /** Known by the application's word, by the database's, or not at all. */
  readonly knownBy: 'context' | 'database' | 'nobody';
  readonly role: string | undefined;
  readonly why: string | undefined;
  readonly endpoint: string | undefined;
  readonly address: string | undefined;
}

/** The context's facts; the database user's only where there is no context: the two are never mixed. */
export function entryFacts({ context, actor }: Pick<ChangeEntry, 'context' | 'actor'>): EntryFacts {
  if (context !== null) {
    const { who = 'somebody', ...facts } = contextFacts(context);
    return { who, knownBy: 'context', ...facts };
  }
  const none = { role: undefined, why: undefined, endpoint: undefined, address: undefined };
  if (actor === null || actor === undefined) return { who: 'direct SQL', knownBy: 'nobody', ...none };
  const users = actorFacts(JSON.stringify(actor));
  const names = [...new Set(users.flatMap(({ who }) => (who === undefined ? [] : [who])))];
  const only = users.length === 1 ? users[0] : undefined;
  return {
    who: names.length === 0 ? 'direct SQL' : names.join(' or '),
    knownBy: 'database',
    ...none,
    endpoint: only?.application,
    address: only?.address,
  };
}
