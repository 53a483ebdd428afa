import type { AccessKind } from '../access/access.ts';
import type { RecordedAccess } from '../access/recorded-access.ts';
import { harmless } from './harmless-text.ts';

/** An access in words, for a sentence: who, what of it, what was asked for, how much was shown, by what. All harmless. */
export interface AccessFacts {
  readonly who: string;
  /** `viewed`, `began to watch`. */
  readonly verb: string;
  /** `Patient 42 in app`, `entry 4,711 of app`, `app`; empty where there is none. */
  readonly object: string;
  /** Behind the object: ` for Patient, UPDATE, by context.userId, since …`, or `, by text`; empty where all of it was asked for. */
  readonly asked: string;
  /** `12 entries, from 4,000 to 4,711`; `undefined` where that says nothing. */
  readonly shown: string | undefined;
  /** `bemi log`, `dashboard`. */
  readonly place: string | undefined;
  /** `bemi_reader from 10.0.0.3` */
  readonly role: string | undefined;
}

export interface AccessWriting {
  /** Makes a piece short enough. Default: as it is. */
  readonly cut?: (text: string) => string;
  /** A moment for people. */
  readonly moment: (iso: string) => string;
}

const verbs: Readonly<Record<AccessKind, string>> = {
  search: 'searched',
  view: 'viewed',
  export: 'exported',
  live: 'watched',
  'sign-in': 'signed in',
  'sign-out': 'signed out',
  'sign-in-failed': 'failed to sign in',
  account: 'changed the account',
  key: 'changed the key',
  source: 'changed the data source',
};
/** Of what takes long, the beginning is told by a verb of its own. */
const beginnings: Readonly<Partial<Record<string, string>>> = {
  search: 'began to search',
  view: 'began to view',
  export: 'began to export',
  live: 'began to watch',
};
const shownFilters = 5;

/** Whoever may read the trail may ask for an entry, and says what he likes: nothing of it can drive a terminal. */
export function accessFacts(
  access: RecordedAccess,
  { cut = (text) => text, moment }: AccessWriting,
): AccessFacts {
  const piece = (text: string): string => cut(harmless(text));
  const { by, via, command, role, connectedFrom } = access;
  const place = via === 'cli' ? 'bemi' : via;
  return {
    who: piece(by.email ?? by.id ?? by.name ?? 'somebody'),
    verb: verbOf(access),
    object: objectOf(access, piece),
    asked: askedFor(access, piece, moment),
    shown: shownText(access),
    place: place === undefined ? undefined : piece(command === undefined ? place : `${place} ${command}`),
    role:
      role === undefined
        ? undefined
        : piece(connectedFrom === undefined ? role : `${role} from ${connectedFrom}`),
  };
}

function verbOf({ what, part }: RecordedAccess): string {
  if (what === undefined) return 'looked at';
  return (part === 'begin' ? beginnings[what] : undefined) ?? verbs[what] ?? harmless(what);
}

function objectOf(
  { what, log, tables = [], key, sequence, subject, action }: RecordedAccess,
  piece: (text: string) => string,
): string {
  if (subject !== undefined) return `${piece(subject)}${action === undefined ? '' : `: ${piece(action)}`}`;
  if (action !== undefined) return piece(action);
  const name = log === undefined ? '' : piece(log);
  if (sequence !== undefined) return `entry ${countText(sequence)} of ${name}`;
  if (what === 'view' && tables.length === 1) {
    const record = `${tableText(tables[0]!)}${key === undefined ? '' : ` ${piece(keyText(key))}`}`;
    return name === '' ? record : `${record} in ${name}`;
  }
  return name;
}

function askedFor(
  access: RecordedAccess,
  piece: (text: string) => string,
  moment: (iso: string) => string,
): string {
  const { what, tables = [], key, operations = [], filters = [], since, until } = access;
  const isNamed = what === 'view' && tables.length === 1;
  const things = [
    ...(isNamed ? [] : tables.map(tableText)),
    ...(isNamed || key === undefined ? [] : [`key ${piece(keyText(key))}`]),
    ...operations.map(piece),
  ];
  const limits = [
    ...filters.slice(0, shownFilters).map((name) => `by ${piece(name)}`),
    ...(filters.length > shownFilters ? [`and ${filters.length - shownFilters} more`] : []),
    ...(since === undefined ? [] : [`since ${moment(since)}`]),
    ...(until === undefined ? [] : [`until ${moment(until)}`]),
  ];
  const text = [...things, ...limits].join(', ');
  if (text === '') return '';
  return things.length > 0 ? ` for ${text}` : `, ${text}`;
}

function shownText({ changes, sequence, firstSequence, lastSequence }: RecordedAccess): string | undefined {
  if (changes === undefined || sequence !== undefined) return undefined;
  if (changes === 0) return 'nothing was found';
  const count = `${countText(String(changes))} ${changes === 1 ? 'entry' : 'entries'}`;
  if (firstSequence === undefined || lastSequence === undefined) return count;
  return firstSequence === lastSequence
    ? `entry ${countText(lastSequence)}`
    : `${count}, from ${countText(firstSequence)} to ${countText(lastSequence)}`;
}

function tableText({ schema, table }: { readonly schema?: string; readonly table: string }): string {
  return harmless(schema === undefined || schema === 'public' ? table : `${schema}.${table}`);
}

/** A composite key is recorded as a JSON array of texts; what else it may be is shown as it is. */
function keyText(key: string): string {
  try {
    const parts: unknown = key.startsWith('[') ? JSON.parse(key) : undefined;
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string')
      ? `(${parts.join(', ')})`
      : key;
  } catch {
    return key;
  }
}

function countText(count: string): string {
  return BigInt(count).toLocaleString('en-US');
}
