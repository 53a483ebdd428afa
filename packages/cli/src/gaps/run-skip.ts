import { parseLsn } from '@bemi-db/replication/lsn';
import { usageError } from '../cli-error.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { print, printNote } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { agreeUnless, type StatementFlags, statementOf, withStoppedWorker } from './stopped-worker.ts';

/** The flags of `bemi skip`. */
export interface SkipFlags extends StatementFlags {
  readonly to?: string;
}

/** Shows what would be passed over, asks, and has the log say so. */
export async function runSkip(flags: SkipFlags): Promise<void> {
  const statement = statementOf(flags);
  if (flags.to !== undefined) checkLsn(flags.to);
  const isJson = flags.json === true;
  await withStoppedWorker(flags, async (worker) => {
    const style = textStyle(process.stdout);
    if (!isJson && flags.to === undefined)
      printNote('Looking for the first position from which the source can send again …\n');
    const skip = await worker.skip({
      ...statement,
      toLsn: flags.to,
      confirm: async ({ fromLsn, toLsn }) => {
        const rows = [
          ['From', `LSN ${fromLsn}, where the log ends`],
          ['To', `LSN ${toLsn}: what was committed before it is not recorded`],
        ] as const;
        if (!isJson)
          await print(`${style.colors.bold('What would be passed over')}\n${labelledLines(rows, style)}`);
        if (isJson && flags.dryRun) await print(`${JSON.stringify({ sequence: null, fromLsn, toLsn })}\n`);
        await agreeUnless(flags, 'Pass over it, for good?');
      },
    });
    if (isJson) await print(`${JSON.stringify(skip)}\n`);
    else {
      await print(
        `${style.colors.green('✓')} Entry ${skip.sequence} of the log says so. Recording goes on from LSN ${skip.toLsn}: start the worker.\n`,
      );
    }
  });
}

function checkLsn(text: string): void {
  try {
    parseLsn(text);
  } catch {
    throw usageError(`--to ${text} is no LSN`, 'Write it as the worker does, such as 0/16B3749.');
  }
}
