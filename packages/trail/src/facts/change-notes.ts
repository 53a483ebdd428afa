import type { Authenticity, BeforeKind, Operation } from '@bemi-db/proof/record';
import { harmless } from './harmless-text.ts';

/** Of a change, what is missing from it or wrong with it. */
export interface ChangeState {
  readonly operation: Operation;
  readonly beforeKind: BeforeKind;
  /** Whether the columns that an UPDATE changed are known. */
  readonly isChangeKnown: boolean;
  readonly rowQuarantine: string | undefined;
  readonly erased: boolean;
  readonly authenticity: Authenticity | undefined;
  readonly contextQuarantine: string | undefined;
  readonly contextErased: boolean;
  readonly actorErased: boolean;
}

/** Why a context is not to be believed. One without a signature claims nothing. */
const doubts: { readonly [Each in Authenticity]?: string } = {
  forged: 'its context is forged: it is not what the application signed',
  replayed: 'its context is replayed: another transaction had the same message',
  stale: 'its context is stale: it was signed long before or after the commit',
};

/** What is missing from the change, or wrong with it, and why; nothing for most. */
export function changeNotes(change: ChangeState): string[] {
  const notes: string[] = [];
  if (change.erased) {
    notes.push('the row was erased, its key too');
  } else if (change.rowQuarantine !== undefined) {
    notes.push(`the row is in quarantine: ${harmless(change.rowQuarantine)}`);
  } else if (change.operation === 'UPDATE' && !change.isChangeKnown) {
    notes.push('what it was before is not known: the table has no REPLICA IDENTITY FULL');
  } else if (change.operation === 'DELETE' && change.beforeKind === 'key') {
    notes.push('only its key is known: the table has no REPLICA IDENTITY FULL');
  }
  notes.push(...contextNotes(change));
  if (change.actorErased) notes.push('its database user was erased');
  return notes;
}

/** The same of what was said of a change or of DDL. */
export function contextNotes(
  said: Pick<ChangeState, 'authenticity' | 'contextErased'> & {
    readonly contextQuarantine?: string | undefined;
  },
): string[] {
  if (said.contextErased) return ['its context was erased'];
  if (said.contextQuarantine !== undefined)
    return [`its context is in quarantine: ${harmless(said.contextQuarantine)}`];
  const doubt = said.authenticity === undefined ? undefined : doubts[said.authenticity];
  return doubt === undefined ? [] : [doubt];
}

/** What is known of who wrote a context. */
export const authenticityMeanings: { readonly [Each in Authenticity]: string } = {
  authentic: 'The application signed it with a key of its own.',
  unsigned: 'It has no signature: the application says so, and any database role could have.',
  forged: 'It is not what the application signed. Don’t believe it.',
  replayed: 'Another transaction had the same signed message: it was copied.',
  stale: 'It was signed long before or after the commit.',
};
