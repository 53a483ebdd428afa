import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import { displayTable } from '@bemi-db/source/table-name';
import type { ContextShare, TableShare } from '@bemi-db/trail/query/context-share';
import { momentText } from '../presentation/moment-text.ts';
import { countText } from '../presentation/quantity-text.ts';
import { shellWord } from './shell-word.ts';

const id = 'context-share';
const shownTables = 8;
const shownWriters = 3;

/**
 * Whether the recent changes of each table have a context.
 *
 * @param maximumWithout - how many percent of a table's changes may have no context.
 */
export function checkContextShare(share: ContextShare, maximumWithout: number): Finding {
  const { entries, since, tables } = share;
  const window = `newest ${countText(entries)} entries${since === undefined ? '' : `, since ${momentText(since)}`}`;
  const changes = sum(tables.map((table) => table.changes));
  const without = sum(tables.map((table) => table.without));
  if (changes === 0) return unknown(id, 'No recent changes to look at', window);
  const wanting = tables.filter((table) => percentOf(table) > maximumWithout);
  const total = `${percentText(without, changes)} of ${countText(changes)} recent changes`;
  if (wanting.length === 0) {
    return ok(id, 'The recent changes have their context', `${total} are without (${window})`);
  }
  const title =
    without === changes
      ? 'No recent change has a context'
      : `Changes of ${wanting.length === 1 ? displayTable(nameOf(wanting[0]!)) : `${wanting.length} tables`} have no context`;
  const lines = columns(wanting.slice(0, shownTables).map(rowOf));
  if (wanting.length > shownTables)
    lines.push(`and ${wanting.length - shownTables} more: --json has them all`);
  const [first] = wanting as [TableShare];
  const hasWriters = wanting.some(({ writers }) => writers.length > 0);
  return problem(
    'warning',
    id,
    title,
    [`${total} are without (${window})`, ...lines].join('\n'),
    [
      `See them: bemi log --table ${shellWord(displayTable(nameOf(first)))} --without-context`,
      ...(hasWriters
        ? []
        : ['Learn which database user writes them: bemi migration:create --no-context --actor']),
      'Give them one: wrap the driver (docs/context.md); where that can’t be: bemi migration:create (docs/context/triggers.md)',
      `Where it is meant so: --max-without-context PERCENT (now ${maximumWithout})`,
    ].join('\n'),
  );
}

function rowOf(share: TableShare): readonly string[] {
  const { changes, without, writers } = share;
  const who = writers.slice(0, shownWriters).map(({ sessionUser, application, changes: count }) => {
    const name = application === undefined ? sessionUser : `${sessionUser} (${application})`;
    return `${name} ${countText(count)}`;
  });
  if (writers.length > shownWriters) who.push(`${writers.length - shownWriters} more`);
  return [
    displayTable(nameOf(share)),
    percentText(without, changes),
    `${countText(without)} of ${countText(changes)}`,
    who.length === 0 ? '' : `by ${who.join(', ')}`,
  ];
}

/** Texts below each other; the second and third of a line are numbers. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]!.length));
  const widths = [0, 1, 2].map(width);
  return rows.map(([name, percent, count, who]) =>
    `${name!.padEnd(widths[0]!)}  ${percent!.padStart(widths[1]!)}  ${count!.padStart(widths[2]!)}  ${who}`.trimEnd(),
  );
}

function nameOf({ schema, table }: TableShare): { readonly schema: string; readonly name: string } {
  return { schema, name: table };
}

function percentOf({ without, changes }: TableShare): number {
  return (without / changes) * 100;
}

/** `0 %` and `100 %` are said only where they are exact. */
function percentText(part: number, whole: number): string {
  const percent = (part / whole) * 100;
  if (part > 0 && percent < 1) return '< 1 %';
  if (part < whole && percent > 99) return '> 99 %';
  return `${Math.round(percent)} %`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
