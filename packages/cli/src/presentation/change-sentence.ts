import { actorFacts } from '@bemi-db/trail/facts/actor-facts';
import { changeNotes } from '@bemi-db/trail/facts/change-notes';
import { contextFacts } from '@bemi-db/trail/facts/context-facts';
import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import { keyText, tableText } from '@bemi-db/trail/facts/key-text';
import type { Change } from '@bemi-db/trail/query/change';
import { type DiffItem, diffItems } from './change-diff.ts';
import { momentText } from './moment-text.ts';
import type { TextStyle } from './text-style.ts';

/** On a terminal, a longer piece of a sentence (a key, a reason) is cut. */
const longestPiece = 60;
/** Width that the sentence is kept within where there is no terminal to ask. */
const assumedColumns = 120;
const indent = '    ';

const verbs = {
  INSERT: 'created',
  UPDATE: 'updated',
  DELETE: 'deleted',
  TRUNCATE: 'truncated',
} as const;

/**
 * A change as people say it: when, who, what, which record, why and from where, and what it did to the row. The diff
 * stands in the sentence where it fits, else below it. Whatever the data holds, it can't drive the terminal.
 *
 * @returns one or more lines, without a line break at the end.
 * @example
 * changeSentence(change, textStyle(process.stdout));
 * // 2025-12-09 10:30:00  test_user_123 (PHYSICIAN) updated Patient clx1  firstName: "Test" → "Updated"  [Testing · /test]
 */
export function changeSentence(change: Change, style: TextStyle): string {
  const columns = style.columns ?? assumedColumns;
  const statement = saidOf(change, style);
  const aside = asideOf(change, style);
  const items = diffItems(change, style);
  const note = noteOf(change);

  const inline = joined(items);
  const gap = items.length > 0 ? 2 : 0;
  const asideGap = aside.width > 0 ? 2 : 0;
  const isInline =
    change.operation === 'UPDATE' && statement.width + gap + inline.width + asideGap + aside.width <= columns;
  const first = [statement, ...(isInline ? [inline] : []), aside].filter((piece) => piece.width > 0);
  const lines = [first.map((piece) => piece.text).join('  ')];
  if (!isInline) lines.push(...below(items, change.operation === 'UPDATE', columns));
  if (note !== undefined) lines.push(`${indent}${style.colors.yellow(note)}`);
  return lines.join('\n');
}

/** `2025-12-09 10:30:00  test_user_123 (PHYSICIAN) updated Patient clx1` */
function saidOf(change: Change, style: TextStyle): DiffItem {
  const { colors } = style;
  const when = momentText(change.timestamp, style.timeZone);
  const who = whoOf(change, style);
  const verb = verbs[change.operation];
  const table = tableText(change);
  const key = change.primaryKey === undefined ? '' : cut(keyText(change.primaryKey), style);
  const color = { INSERT: colors.green, UPDATE: colors.yellow, DELETE: colors.red, TRUNCATE: colors.red };
  return {
    text:
      `${colors.dim(when)}  ${who.text} ${color[change.operation](verb)} ` +
      `${colors.bold(table)}${key === '' ? '' : ` ${colors.cyan(key)}`}`,
    width:
      when.length + 2 + who.width + 1 + verb.length + 1 + table.length + (key === '' ? 0 : key.length + 1),
  };
}

function whoOf(change: Change, style: TextStyle): DiffItem {
  const { colors } = style;
  if (change.context === undefined) {
    const isUnknown = change.contextQuarantine !== undefined || change.contextErased;
    const user = databaseUserOf(change, style);
    const text =
      user !== undefined ? `direct SQL by ${user}` : isUnknown ? 'somebody' : 'direct SQL (without context)';
    return { text: colors.magenta(text), width: text.length };
  }
  const { who, role } = contextFacts(change.context);
  const name = who === undefined ? 'somebody' : cut(harmless(who), style);
  if (role === undefined) return { text: colors.bold(name), width: name.length };
  const shownRole = `(${cut(harmless(role), style)})`;
  return { text: `${colors.bold(name)} ${shownRole}`, width: name.length + 1 + shownRole.length };
}

/** `alice`, or `alice or bob` where messages contradict each other. */
function databaseUserOf({ actor }: Change, style: TextStyle): string | undefined {
  if (actor === undefined) return undefined;
  const users = actorFacts(actor).flatMap(({ who }) =>
    who === undefined ? [] : [cut(harmless(who), style)],
  );
  return users.length === 0 ? undefined : [...new Set(users)].join(' or ');
}

/** `[Testing Bemi replication · /test · 192.168.1.100 · authentic]`: why, from where, and whether that is known. */
function asideOf(change: Change, style: TextStyle): DiffItem {
  const facts = asideFacts(change).filter((fact) => fact !== undefined);
  if (facts.length === 0) return { text: '', width: 0 };
  const text = `[${facts.map((fact) => cut(harmless(fact), style)).join(' · ')}]`;
  return { text: style.colors.dim(text), width: text.length };
}

/** Of the context; of the database user only where there is none: the two are never mixed. */
function asideFacts({ context, authenticity, actor }: Change): readonly (string | undefined)[] {
  if (context !== undefined) {
    const { why, endpoint, address } = contextFacts(context);
    return [why, endpoint, address, authenticity === 'authentic' ? 'authentic' : undefined];
  }
  const [only, ...others] = actor === undefined ? [] : actorFacts(actor);
  return only && others.length === 0 ? [only.application, only.address] : [];
}

/** What is missing from the change, or wrong with it, and why. */
function noteOf(change: Change): string | undefined {
  const notes = changeNotes({ ...change, isChangeKnown: change.changed !== undefined });
  return notes.length > 0 ? notes.join('; ') : undefined;
}

/** An UPDATE's columns on a line each; other rows as a paragraph. */
function below(items: readonly DiffItem[], isOneEach: boolean, columns: number): string[] {
  if (isOneEach) return items.map((item) => `${indent}${item.text}`);
  const lines: DiffItem[][] = [];
  let width = 0;
  for (const item of items) {
    const line = lines.at(-1);
    if (line && width + 2 + item.width <= columns) {
      line.push(item);
      width += 2 + item.width;
    } else {
      lines.push([item]);
      width = indent.length + item.width;
    }
  }
  return lines.map((line) => `${indent}${joined(line).text}`);
}

function joined(items: readonly DiffItem[]): DiffItem {
  return {
    text: items.map((item) => item.text).join(', '),
    width: items.reduce((sum, item) => sum + item.width, 0) + 2 * Math.max(items.length - 1, 0),
  };
}

function cut(text: string, style: TextStyle): string {
  return style.columns === undefined ? text : shortened(text, longestPiece);
}
