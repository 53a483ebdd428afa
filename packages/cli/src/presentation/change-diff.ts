import { harmless, shortened, shortenedPair } from '@bemi-db/trail/facts/harmless-text';
import { jsonMembers } from '@bemi-db/trail/facts/json-members';
import type { Change } from '@bemi-db/trail/query/change';
import type { TextStyle } from './text-style.ts';

/** On a terminal, longer values are cut; `--json` has them whole. */
const longestValue = 48;
/** On a terminal, more columns than this are counted instead of shown. */
const mostColumns = 24;

/** One piece of a diff: `firstName: "Test" → "Updated"`, or `firstName: "Test"`. */
export interface DiffItem {
  readonly text: string;
  /** Characters on the screen, colours not counted. */
  readonly width: number;
}

/**
 * What a change did to the row: of an UPDATE each changed column, of an INSERT the new values, of a DELETE the old
 * ones. Columns that are NULL in an inserted or a deleted row are left out.
 */
export function diffItems(change: Change, style: TextStyle): DiffItem[] {
  const items = allItems(change, style);
  if (style.columns === undefined || items.length <= mostColumns) return items;
  const rest = `and ${items.length - mostColumns} more columns`;
  return [...items.slice(0, mostColumns), { text: style.colors.dim(rest), width: rest.length }];
}

function allItems(change: Change, style: TextStyle): DiffItem[] {
  const { colors } = style;
  switch (change.operation) {
    case 'UPDATE':
      return change.changed && change.before !== undefined && change.after !== undefined
        ? changedItems(change.changed, change.before, change.after, style)
        : rowItems(change.after, style, colors.green);
    case 'INSERT':
      return rowItems(change.after, style, colors.green);
    case 'DELETE':
      return rowItems(change.before, style, colors.red);
    case 'TRUNCATE':
      return [];
  }
}

function changedItems(
  changed: readonly string[],
  before: string,
  after: string,
  style: TextStyle,
): DiffItem[] {
  const { colors, columns } = style;
  const old = valuesOf(before);
  const current = valuesOf(after);
  return changed.map((name) => {
    const values = [harmless(old.get(name) ?? 'null'), harmless(current.get(name) ?? 'null')] as const;
    const [from, to] = columns === undefined ? values : shortenedPair(...values, longestValue);
    const label = harmless(name);
    return {
      text: `${label}${colors.dim(':')} ${colors.red(from)} ${colors.dim('→')} ${colors.green(to)}`,
      width: label.length + from.length + to.length + 5,
    };
  });
}

function rowItems(row: string | undefined, style: TextStyle, color: (text: string) => string): DiffItem[] {
  const members = row === undefined ? [] : jsonMembers(row).filter((member) => member.value !== 'null');
  return members.map(({ name, value }) => {
    const label = harmless(name);
    const shown = style.columns === undefined ? harmless(value) : shortened(harmless(value), longestValue);
    return {
      text: `${label}${style.colors.dim(':')} ${color(shown)}`,
      width: label.length + shown.length + 2,
    };
  });
}

function valuesOf(row: string): Map<string, string> {
  return new Map(jsonMembers(row).map(({ name, value }) => [name, value]));
}
