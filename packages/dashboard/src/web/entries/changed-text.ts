import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import { jsonMembers, plainText } from '@bemi-db/trail/facts/json-members';
import type { ChangeEntry } from '../../api/entry.ts';

/** Of more changed columns, the rest is counted. */
const namedColumns = 4;
/** One changed column is shown with its values, where they are no longer than this. */
const longestValue = 32;

/** `status: active → closed`, or `firstName, status`; `undefined` where there is nothing to say. */
export function changedText({ operation, changed, before, after }: ChangeEntry): string | undefined {
  if (operation !== 'UPDATE' || changed === null) return undefined;
  if (changed.length === 0) return 'nothing';
  const [only] = changed;
  if (changed.length === 1 && before !== null && after !== null) {
    const [from, to] = [before, after].map(
      (row) => jsonMembers(row).find(({ name }) => name === only)?.value,
    );
    if (isShort(from) && isShort(to)) return `${harmless(only!)}: ${valueText(from)} → ${valueText(to)}`;
  }
  const named = changed.slice(0, namedColumns).map((name) => shortened(harmless(name), 40));
  const more = changed.length - named.length;
  return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function isShort(value: string | undefined): value is string {
  return value !== undefined && value.length <= longestValue && !/^[[{]/.test(value);
}

/** A text without its quotes, unless it would be taken for something else. */
export function valueText(value: string): string {
  if (value === 'null') return 'NULL';
  const text = plainText(value);
  return text === '' || text === 'NULL' || text !== text.trim() ? `“${harmless(text)}”` : harmless(text);
}
