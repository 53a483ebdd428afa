import { changeNotes, contextNotes } from '@bemi-db/trail/facts/change-notes';
import { ddlFacts } from '@bemi-db/trail/facts/ddl-facts';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { Entry } from '../../api/entry.ts';
import { entryFacts } from '../entries/entry-facts.ts';

/** How an event of a record's life is said. Every text is harmless. */
export interface EventWords {
  readonly who: string;
  readonly role: string | undefined;
  readonly verb: string;
  /** Which colour of meaning it has. */
  readonly tone: 'created' | 'updated' | 'deleted' | 'ddl';
  /** Why, from where. */
  readonly aside: string;
  readonly notes: readonly string[];
}

const changes = {
  INSERT: { verb: 'created it', tone: 'created' },
  UPDATE: { verb: 'updated it', tone: 'updated' },
  DELETE: { verb: 'deleted it', tone: 'deleted' },
  TRUNCATE: { verb: 'truncated its table', tone: 'deleted' },
} as const;

export function eventWords(entry: Entry): EventWords {
  if (entry.kind === 'ddl') return ddlWords(entry);
  const { who, role, why, endpoint, address } = entryFacts(entry);
  return {
    ...changes[entry.operation],
    who: harmless(who),
    role: role === undefined ? undefined : harmless(role),
    aside: joined([why, endpoint, address]),
    notes: changeNotes({
      ...entry,
      isChangeKnown: entry.changed !== null,
      rowQuarantine: entry.quarantined ?? undefined,
      contextQuarantine: entry.contextQuarantined ?? undefined,
      authenticity: entry.authenticity ?? undefined,
    }),
  };
}

function ddlWords(entry: Extract<Entry, { kind: 'ddl' }>): EventWords {
  const facts = entry.message === null || entry.erased ? undefined : ddlFacts(entry.message);
  const said = entry.context === null ? undefined : entryFacts(entry as never);
  const notes = contextNotes({
    authenticity: entry.authenticity ?? undefined,
    contextErased: entry.contextErased,
  });
  return {
    who: said && said.who !== 'somebody' ? harmless(said.who) : (facts?.user ?? 'somebody'),
    role: said?.role === undefined ? undefined : harmless(said.role),
    verb: facts
      ? `${facts.verb} ${facts.objects.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`
      : 'changed its table',
    tone: 'ddl',
    aside: joined([said?.why, facts?.statement?.trim().replaceAll(/\s+/g, ' '), facts?.application]),
    notes: [...(facts?.notes ?? []), ...notes],
  };
}

function joined(facts: readonly (string | undefined)[]): string {
  return facts.flatMap((fact) => (fact === undefined ? [] : [harmless(fact)])).join(' · ');
}
