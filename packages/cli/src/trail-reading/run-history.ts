import { recordHistory } from '@bemi-db/trail/query/history';
import { recordKey } from '@bemi-db/trail/query/record-key';
import { erasedChanges } from '@bemi-db/trail/query/table-relations';
import { recordedTables } from '@bemi-db/trail/query/trail-summary';
import { accessedTable } from '../accesses/accessed-table.ts';
import { recordedReading } from '../accesses/recorded-reading.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { print, printNote } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from './audit-database.ts';
import { parseTableFilter } from './change-arguments.ts';
import { chooseSource } from './choose-source.ts';
import { nothingFound, nothingRecorded } from './nothing-recorded.ts';
import { printChanges } from './print-changes.ts';

/** The flags of `bemi history`. */
export interface HistoryFlags {
  readonly changedOnly?: true;
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

/** Prints a record's life, oldest change first. */
export async function runHistory(
  tableText: string,
  key: readonly string[],
  flags: HistoryFlags,
): Promise<void> {
  const table = parseTableFilter(tableText);
  const isJson = flags.json === true;
  const configuration = loadConfiguration();
  await readingAuditDatabase(
    { configuration, isEmbedded: flags.embedded === true },
    async ({ client, name }) => {
      const source = await chooseSource(client, configuration, flags.source);
      const changedOnly = flags.changedOnly === true;
      const count = source
        ? await printChanges(
            recordedReading(
              client,
              {
                ...{ what: 'view', command: 'history', log: source.name, key: recordKey(key) },
                tables: [accessedTable(table)],
              },
              recordHistory(client, { log: source.log, table, key, changedOnly }),
              ({ sequence }) => sequence,
            ),
            isJson,
          )
        : 0;
      if (count > 0) return;
      const style = textStyle(isJson ? process.stderr : process.stdout);
      const text =
        source?.lastCommitAt === undefined
          ? nothingRecorded(name, source, style, invocation())
          : nothingFound(
              source,
              await recordedTables(client, source.log),
              style,
              await erasedChanges(client, source.log, table),
            );
      if (isJson) printNote(text);
      else await print(text);
    },
  );
}
