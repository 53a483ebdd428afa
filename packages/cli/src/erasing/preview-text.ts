import type { ConcernedContext } from '@bemi-db/trail/erasure/concerned-contexts';
import type { FoundRecord } from '@bemi-db/trail/erasure/find-record';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { labelledLines } from '../output/labelled-lines.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countedText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/** What would be erased, and what stays. */
export interface ErasurePreview {
  readonly found: FoundRecord;
  readonly contexts: readonly ConcernedContext[];
  readonly named: { readonly contexts: readonly number[]; readonly entries: readonly number[] };
  /** Sequences. */
  readonly erased: ReadonlySet<number>;
}

const shownContexts = 10;

/** What `bemi erase` says before it asks. */
export function previewText({ found, contexts, named, erased }: ErasurePreview, style: TextStyle): string {
  const rows: [string, string][] = [];
  const [key, ...others] = found.keys.map(harmless);
  if (key !== undefined)
    rows.push(['Record', others.length === 0 ? key : `${key}, which was also ${others.join(', ')}`]);
  if (found.changes.length > 0) rows.push(['Changes', changesText(found, style)]);
  if (named.entries.length > 0) rows.push(['Entries', named.entries.join(', ')]);
  if (contexts.length > 0) rows.push(['Contexts', contextsText(contexts, erased)]);
  const unknown = named.contexts.filter((each) => !contexts.some(({ sequence }) => sequence === each));
  if (unknown.length > 0)
    rows.push(['Contexts', `${unknown.join(', ')}, which are not of these changes: erased`]);
  if (found.quarantinedCount > 0) rows.push(['Quarantine', quarantineText(found, erased)]);
  rows.push([
    'Stays',
    'that there was a change: of which table, when, in which transaction, and its commitment',
  ]);
  return `${style.colors.bold('To be erased, for good')}\n${labelledLines(rows, style)}`;
}

function changesText({ changes }: FoundRecord, { timeZone }: TextStyle): string {
  const counts = new Map<string, number>();
  for (const { operation } of changes) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  const times = changes.map(({ committedAt }) => committedAt).sort();
  const period = `${momentText(times[0]!, timeZone)} to ${momentText(times.at(-1)!, timeZone)}`;
  const each = [...counts].map(([operation, count]) => `${operation} ${count}`).join(', ');
  return `${changes.length}: ${each}, from ${period}`;
}

/** A context belongs to all changes of its transaction: whose they are besides, the operator must know. */
function contextsText(contexts: readonly ConcernedContext[], erased: ReadonlySet<number>): string {
  const gone = contexts.filter(({ sequence }) => erased.has(sequence));
  const stay = contexts.length - gone.length;
  const lines = [
    `${contexts.length} of these changes: ${gone.length} erased, ${stay} kept` +
      (stay > 0 ? ' (--contexts erases all, --context SEQUENCE one)' : ''),
  ];
  const shared = contexts.filter(({ others }) => others.length > 0);
  for (const { sequence, others } of shared.slice(0, shownContexts)) {
    const tables = others.map(({ schema, table, count, first }) => {
      const name = harmless(schema === 'public' ? table : `${schema}.${table}`);
      return `${name} (${countedText(count, 'change')}: ${first.join(', ')}${count > first.length ? ' …' : ''})`;
    });
    const fate = erased.has(sequence) ? 'erased' : 'kept';
    lines.push(`${sequence}, ${fate}, is also the context of ${tables.join(', ')}`);
  }
  if (shared.length > shownContexts)
    lines.push(`and ${shared.length - shownContexts} more that others share`);
  return lines.join('\n');
}

function quarantineText({ quarantinedCount, suspects }: FoundRecord, erased: ReadonlySet<number>): string {
  const left = suspects.filter((sequence) => !erased.has(sequence));
  const what = `${countedText(quarantinedCount, 'row')} of the table in quarantine, whose keys can't be read`;
  return left.length === 0
    ? what
    : `${what};\nwith this key's text in them, and not erased: ${left.join(', ')} (--entry SEQUENCE erases one)`;
}
