import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import { labelledLines } from '../output/labelled-lines.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/**
 * What an empty log says: what is connected, from when it is complete, and what to try.
 *
 * @param database - name of the audit database.
 * @param bemi - how the reader calls this program.
 */
export function nothingRecorded(
  database: string,
  source: SourceSummary | undefined,
  style: TextStyle,
  bemi: string,
): string {
  const { colors } = style;
  if (!source) {
    const rows = [
      ['Connected', database],
      ['Recorded', 'nothing: no worker has used this audit database yet'],
      ['Try', `${colors.cyan(`${bemi} worker`)}   start recording, then change a row in the source database`],
    ] as const;
    return `${colors.bold('The log is empty.')}\n${labelledLines(rows, style)}`;
  }
  const rows = [
    [
      'Connected',
      `${harmless(source.database)}, through slot ${source.slot} and publication ${harmless(source.publication)}`,
    ],
    ['Stored in', database],
    [
      'Complete',
      `from LSN ${source.completeFromLsn}, recording since ${momentText(source.recordingSince, style.timeZone)}`,
    ],
    [
      'Try',
      `change a row of a table in ${harmless(source.database)}, then run this again\n` +
        `${colors.cyan(`${bemi} status`)}   shows whether a worker is running, and what it has to catch up with`,
    ],
  ] as const;
  return `${colors.bold('No change is recorded yet.')}\n${labelledLines(rows, style)}`;
}

/**
 * What is said when the log has changes, and none of them is what was asked for.
 *
 * @param erased - changes of the table that was asked for whose key is gone.
 */
export function nothingFound(
  source: SourceSummary,
  tables: readonly { readonly schema: string; readonly name: string }[],
  style: TextStyle,
  erased = 0,
): string {
  const names = tables.map(({ schema, name }) => harmless(schema === 'public' ? name : `${schema}.${name}`));
  const shown = names.slice(0, 12).join(', ');
  const rows: [string, string][] = [
    [
      'Log',
      `${harmless(source.name)}: ${countText(source.entryCount)} entries` +
        (source.firstCommitAt && source.lastCommitAt
          ? `, ${momentText(source.firstCommitAt, style.timeZone)} to ${momentText(source.lastCommitAt, style.timeZone)}`
          : ''),
    ],
    ['Tables', names.length > 12 ? `${shown} and ${names.length - 12} more` : shown],
  ];
  if (erased > 0)
    rows.push([
      'Erased',
      `${countedText(erased, 'change')} of this table: no key finds them, bemi log shows them`,
    ]);
  return `No change matches.\n${labelledLines(rows, style)}`;
}
