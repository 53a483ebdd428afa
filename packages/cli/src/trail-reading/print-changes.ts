import type { Change } from '@bemi-db/trail/query/change';
import { changeJson } from '@bemi-db/trail/query/change-json';
import { ddlJson } from '@bemi-db/trail/query/ddl-json';
import type { LogEntry } from '@bemi-db/trail/query/log-entries';
import { print } from '../output/print.ts';
import { changeSentence } from '../presentation/change-sentence.ts';
import { ddlSentence } from '../presentation/ddl-sentence.ts';
import { textStyle } from '../presentation/text-style.ts';

/** How a change is printed: for programs, or for people. */
export function changePrinter(isJson: boolean): (change: Change) => Promise<void> {
  if (isJson) return (change) => print(`${changeJson(change)}\n`);
  return (change) => print(`${changeSentence(change, textStyle(process.stdout))}\n`);
}

/** As {@link changePrinter}, of all that a log shows. */
export function entryPrinter(isJson: boolean): (entry: LogEntry) => Promise<void> {
  const printChange = changePrinter(isJson);
  return async (entry) => {
    if (entry.kind === 'change') await printChange(entry.change);
    else if (isJson) await print(`${ddlJson(entry.ddl)}\n`);
    else await print(`${ddlSentence(entry.ddl, textStyle(process.stdout))}\n`);
  };
}

/** Prints changes as they come. Returns how many there were. */
export async function printChanges(changes: AsyncIterable<Change>, isJson: boolean): Promise<number> {
  const printChange = changePrinter(isJson);
  let count = 0;
  for await (const change of changes) {
    await printChange(change);
    count++;
  }
  return count;
}
