import { actorFacts } from '@bemi-db/trail/facts/actor-facts';
import { changeNotes, contextNotes } from '@bemi-db/trail/facts/change-notes';
import { contextFacts } from '@bemi-db/trail/facts/context-facts';
import { type DdlFacts, ddlFacts } from '@bemi-db/trail/facts/ddl-facts';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { ChangeEntry, DdlEntry, Entry } from '../../api/entry.ts';

/** What an entry says of who did it, from where and why. Every text is harmless: it can't hide or turn what is around it. */
export interface EntryFacts {
  /** `anna`, `direct SQL by alice`, `somebody` … */
  readonly who: string;
  /** Known by the application's word, by the database's, or not at all. */
  readonly knownBy: 'context' | 'database' | 'nobody';
  /** By which all of their entries are found. Not harmless: as it was recorded. */
  readonly actor: string | undefined;
  readonly role: string | undefined;
  readonly why: string | undefined;
  readonly endpoint: string | undefined;
  readonly address: string | undefined;
  /** As it was recorded. */
  readonly request: string | undefined;
  /** What is missing or wrong, and why. */
  readonly notes: readonly string[];
}

const known = new WeakMap<Entry, EntryFacts>();

/** The context's facts; the database user's only where there is no context: the two are never mixed. */
export function entryFacts(entry: Entry): EntryFacts {
  let facts = known.get(entry);
  if (!facts) {
    facts = entry.kind === 'change' ? changeFacts(entry) : ddlEntryFacts(entry);
    known.set(entry, facts);
  }
  return facts;
}

/** What DDL did, in words; `undefined` where that is not known. */
export function ddlOf({ message, erased }: DdlEntry): DdlFacts | undefined {
  return message === null || erased ? undefined : ddlFacts(message);
}

function changeFacts(entry: ChangeEntry): EntryFacts {
  const notes = changeNotes({
    ...entry,
    isChangeKnown: entry.changed !== null,
    rowQuarantine: entry.quarantined ?? undefined,
    contextQuarantine: entry.contextQuarantined ?? undefined,
    authenticity: entry.authenticity ?? undefined,
  });
  if (entry.context !== null) return { ...ofContext(entry.context), notes };
  return { ...ofDatabaseUser(entry), notes };
}

function ofContext(context: string): Omit<EntryFacts, 'notes'> {
  const { who, role, why, endpoint, address, request } = contextFacts(context);
  return {
    ...{ who: who === undefined ? 'somebody' : harmless(who), knownBy: 'context', actor: who, request },
    ...{ role: shown(role), why: shown(why), endpoint: shown(endpoint), address: shown(address) },
  };
}

function ofDatabaseUser(entry: ChangeEntry): Omit<EntryFacts, 'notes'> {
  const users =
    entry.actor === null || entry.actor === undefined ? [] : actorFacts(JSON.stringify(entry.actor));
  const names = [...new Set(users.flatMap(({ who }) => (who === undefined ? [] : [who])))];
  const isUnknown = entry.contextQuarantined !== null || entry.contextErased;
  const only = users.length === 1 ? users[0] : undefined;
  return {
    who:
      names.length > 0
        ? `direct SQL by ${harmless(names.join(' or '))}`
        : isUnknown
          ? 'somebody'
          : 'direct SQL (without context)',
    knownBy: names.length > 0 ? 'database' : 'nobody',
    actor: names[0]?.split(' as ')[0],
    ...{ role: undefined, why: undefined, request: undefined },
    endpoint: shown(only?.application),
    address: shown(only?.address),
  };
}

function ddlEntryFacts(entry: DdlEntry): EntryFacts {
  const ddl = ddlOf(entry);
  const notes = [
    ...(entry.erased ? ['what was said of it was erased'] : []),
    ...(entry.refused === null ? [] : [`a message about DDL can’t be read: ${harmless(entry.refused)}`]),
    ...(ddl?.notes ?? []),
    ...(ddl?.isStatementWithheld ? ['the statement was left out: it may hold a password'] : []),
    ...contextNotes({ authenticity: entry.authenticity ?? undefined, contextErased: entry.contextErased }),
  ];
  const said = entry.context === null ? undefined : ofContext(entry.context);
  const isSaid = said?.actor !== undefined;
  return {
    who: isSaid ? said.who : (ddl?.user ?? 'somebody'),
    knownBy: isSaid ? 'context' : ddl?.user === undefined ? 'nobody' : 'database',
    actor: said?.actor ?? ddl?.user?.split(' as ')[0],
    role: said?.role,
    why: said?.why,
    endpoint: said?.endpoint ?? ddl?.application,
    address: said?.address ?? ddl?.address,
    request: said?.request,
    notes,
  };
}

function shown(text: string | undefined): string | undefined {
  return text === undefined ? undefined : harmless(text);
}
