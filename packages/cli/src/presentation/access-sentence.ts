import type { AccessKind } from '@bemi-db/trail/access/access';
import type { RecordedAccess } from '@bemi-db/trail/access/recorded-access';
import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';

import { momentText } from './moment-text.ts';
import { countedText, countText } from './quantity-text.ts';
import type { TextStyle } from './text-style.ts';

/** On a terminal, a longer piece of a sentence is cut. */
const longestPiece = 60;
const shownFilters = 5;

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
};

/**
 * An access as people say it: when, who, what of it, how much it was, by what and from where.
 *
 * @example
 * accessSentence(access, textStyle(process.stdout));
 * // 2026-11-22 02:42:25  maria viewed Patient 42 in app: 12 changes, up to entry 4,711  [bemi history · bemi_reader]
 */
export function accessSentence(access: RecordedAccess, style: TextStyle): string {
  const { colors, timeZone } = style;
  const cut = (text: string): string =>
    style.columns === undefined ? harmless(text) : shortened(harmless(text), longestPiece);
  const at = access.at ?? access.recordedAt;
  const when = at === undefined ? '' : colors.dim(momentText(at, timeZone));
  if (access.isErased) return `${when}  somebody looked at the trail: who and at what was erased`;
  const { by } = access;
  const who = colors.bold(cut(by.email ?? by.id ?? by.name ?? 'somebody'));
  const what = [verbOf(access), objectOf(access, cut)].filter((text) => text !== '').join(' ');
  const aside = [placeOf(access), roleOf(access), by.host, access.address]
    .filter((text) => text !== undefined)
    .map(cut);
  const asideText = colors.dim(aside.length === 0 ? '' : `[${aside.join(' · ')}]`);
  const waiting = access.entry === undefined ? colors.yellow('not recorded yet') : '';
  const sentence = `${who} ${what}${askedFor(access, style, cut)}${shownText(access)}`;
  return [when, sentence, asideText, waiting].filter((text) => text !== '').join('  ');
}

/** Of what takes long, the beginning is told by a verb of its own. */
const beginnings: Readonly<Partial<Record<string, string>>> = {
  search: 'began to search',
  view: 'began to view',
  export: 'began to export',
  live: 'began to watch',
};

function verbOf({ what, part }: RecordedAccess): string {
  if (what === undefined) return 'looked at';
  return (part === 'begin' ? beginnings[what] : undefined) ?? verbs[what] ?? harmless(what);
}

/** `Patient 42 in app`, `entry 4,711 of app`, `app`. */
function objectOf(
  { what, log, tables = [], key, sequence, subject, action }: RecordedAccess,
  cut: (text: string) => string,
): string {
  if (subject !== undefined) return `${cut(subject)}${action === undefined ? '' : `: ${cut(action)}`}`;
  if (action !== undefined) return cut(action);
  const name = log === undefined ? '' : cut(log);
  if (sequence !== undefined) return `entry ${countText(sequence)} of ${name}`;
  if (what === 'view' && tables.length === 1) {
    const record = `${tableText(tables[0]!)}${key === undefined ? '' : ` ${cut(keyText(key))}`}`;
    return name === '' ? record : `${record} in ${name}`;
  }
  return name;
}

/** ` for Patient, UPDATE, by context.userId, since …` */
function askedFor(access: RecordedAccess, { timeZone }: TextStyle, cut: (text: string) => string): string {
  const { what, tables = [], key, operations = [], filters = [], since, until } = access;
  const isNamed = what === 'view' && tables.length === 1;
  const pieces = [
    ...(isNamed ? [] : tables.map(tableText)),
    ...(isNamed || key === undefined ? [] : [`key ${cut(keyText(key))}`]),
    ...operations.map(cut),
    ...filters.slice(0, shownFilters).map((name) => `by ${cut(name)}`),
    ...(filters.length > shownFilters ? [`and ${filters.length - shownFilters} more`] : []),
    ...(since === undefined ? [] : [`since ${momentText(since, timeZone)}`]),
    ...(until === undefined ? [] : [`until ${momentText(until, timeZone)}`]),
  ];
  return pieces.length === 0 ? '' : ` for ${pieces.join(', ')}`;
}

/** `: 12 changes, entries 4,000 to 4,711` */
function shownText({ changes, sequence, firstSequence, lastSequence }: RecordedAccess): string {
  if (changes === undefined || sequence !== undefined) return '';
  if (changes === 0) return ': nothing was found';
  const count = countedText(String(changes), 'entry', 'entries');
  if (firstSequence === undefined || lastSequence === undefined) return `: ${count}`;
  return firstSequence === lastSequence
    ? `: entry ${countText(lastSequence)}`
    : `: ${count}, from ${countText(firstSequence)} to ${countText(lastSequence)}`;
}

/** `bemi log`, `dashboard`, `dashboard /logs`. */
function placeOf({ via, command }: RecordedAccess): string | undefined {
  if (via === 'cli') return command === undefined ? 'bemi' : `bemi ${command}`;
  return command === undefined ? via : `${via} ${command}`;
}

function roleOf({ role, connectedFrom }: RecordedAccess): string | undefined {
  return connectedFrom === undefined ? role : `${role} from ${connectedFrom}`;
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
