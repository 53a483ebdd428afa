import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { tableText } from '@bemi-db/trail/facts/key-text';
import type { Entry } from '../../api/entry.ts';
import { type EntryFacts, entryFacts } from '../entries/entry-facts.ts';
import type { Grouping } from './logs-address.ts';

/** Entries that belong together, of those that are loaded. */
export interface EntryGroup {
  readonly key: string;
  /** `anna`, `request 7f3a`, `/patients/42` … */
  readonly title: string;
  /** Newest first. */
  readonly entries: readonly Entry[];
}

/** A line of the list. */
export type ListRow =
  | { readonly kind: 'entry'; readonly key: string; readonly entry: Entry; readonly isInGroup: boolean }
  | { readonly kind: 'group'; readonly key: string; readonly group: EntryGroup; readonly isOpen: boolean };

/** The lines of a list without groups. */
export function plainRows(entries: readonly Entry[]): ListRow[] {
  return entries.map((entry) => ({ kind: 'entry', key: entry.sequence, entry, isInGroup: false }));
}

/** The lines of a list in groups, that with the newest entry first; those that are open with their entries below. */
export function groupedRows(entries: readonly Entry[], by: Grouping, open: ReadonlySet<string>): ListRow[] {
  return entryGroups(entries, by).flatMap((group): ListRow[] => {
    const isOpen = open.has(group.key);
    return [
      { kind: 'group', key: group.key, group, isOpen },
      ...(isOpen
        ? group.entries.map(
            (entry) => ({ kind: 'entry', key: entry.sequence, entry, isInGroup: true }) as const,
          )
        : []),
    ];
  });
}

export function entryGroups(entries: readonly Entry[], by: Grouping): EntryGroup[] {
  const groups = new Map<string, { key: string; title: string; entries: Entry[] }>();
  for (const entry of entries) {
    const { key, title } = groupOf(entry, by);
    const group = groups.get(key);
    if (group) group.entries.push(entry);
    else groups.set(key, { key, title, entries: [entry] });
  }
  return [...groups.values()];
}

function groupOf(entry: Entry, by: Grouping): { readonly key: string; readonly title: string } {
  const facts = entryFacts(entry);
  switch (by) {
    case 'transaction':
      // Of DDL whose transaction retention has dropped, the next best: the source uses its ids again, never in the same
      // microsecond.
      return {
        key: `t ${entry.transaction ?? `${entry.transactionId} ${entry.timestamp}`}`,
        title: facts.who,
      };
    case 'request':
      return requestOf(facts);
    case 'actor':
      return { key: `a ${facts.who}`, title: facts.who };
  }
}

function requestOf({ request, endpoint, knownBy }: EntryFacts): {
  readonly key: string;
  readonly title: string;
} {
  if (request !== undefined)
    return {
      key: `r ${request}`,
      title:
        endpoint === undefined
          ? `request ${harmless(request)}`
          : `${endpoint} (request ${harmless(request)})`,
    };
  if (endpoint !== undefined && knownBy === 'context') return { key: `e ${endpoint}`, title: endpoint };
  return { key: 'n', title: 'without a request' };
}

/** `3 Patient updated, 1 Visit created`: what the entries of a group did, the most frequent first. */
export function groupSummary(entries: readonly Entry[]): string {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const what = entry.kind === 'change' ? `${tableText(entry)} ${verbs[entry.operation]}` : 'DDL';
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const named = sorted.slice(0, 3).map(([what, count]) => `${count.toLocaleString()} ${what}`);
  return `${named.join(', ')}${sorted.length > 3 ? ` and ${sorted.length - 3} more` : ''}`;
}

const verbs = { INSERT: 'created', UPDATE: 'updated', DELETE: 'deleted', TRUNCATE: 'truncated' } as const;
