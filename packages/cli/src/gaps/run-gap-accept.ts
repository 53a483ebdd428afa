import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { Worker } from '@bemi-db/worker';
import type { RecordedGap } from '@bemi-db/worker/gap/accept-gap';
import { type FoundGap, isAcceptable, type Refused } from '@bemi-db/worker/gap/gap-acceptance';
import { CliError } from '../cli-error.ts';
import { invocation } from '../output/invocation.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { print, printNote } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { agreeUnless, type StatementFlags, statementOf, withStoppedWorker } from './stopped-worker.ts';

/** The flags of `bemi gap accept`. */
export type GapAcceptFlags = StatementFlags;

/** Shows what the worker refuses to go on over, asks, and has the log say that it is accepted. */
export async function runGapAccept(flags: GapAcceptFlags): Promise<void> {
  const statement = statementOf(flags);
  const isJson = flags.json === true;
  await withStoppedWorker(flags, async (worker) => {
    if (!isJson) printNote('Looking whether the source goes on where the log ends …\n');
    const refused = await refusalOf(worker);
    const style = textStyle(process.stdout);
    const gap = await worker.acceptGap({
      ...statement,
      refused,
      confirm: async (found) => {
        if (!isJson) await print(foundText(found, style));
        if (isJson && flags.dryRun) await print(`${JSON.stringify(gapJson(found))}\n`);
        await agreeUnless(flags, 'Accept that this is missing, for good?');
      },
    });
    if (isJson) await print(`${JSON.stringify(gapJson(gap))}\n`);
    else {
      await print(
        `${style.colors.green('✓')} Entry ${gap.sequence} of the log says so. Recording goes on from LSN ${gap.toLsn}: start the worker.\n`,
      );
    }
  });
}

/** Why the worker does not go on. What shows only while it streams needs a run, which records what can be recorded. */
async function refusalOf(worker: Worker): Promise<Refused> {
  try {
    await worker.run({ drain: true });
  } catch (error) {
    const { problem } = error as { problem?: { readonly code: string; readonly message: string } };
    if (problem && isAcceptable(problem.code)) return { code: problem.code, message: problem.message };
    throw error;
  }
  throw new CliError(
    1,
    'no-gap',
    'There is no gap to accept: everything up to where the source is now was just recorded',
    `Start the worker: ${invocation()} worker`,
  );
}

function foundText(gap: FoundGap, style: TextStyle): string {
  const { colors } = style;
  const until = gap.toLsn === undefined ? 'the position of a new slot' : `LSN ${gap.toLsn}`;
  const rows: [string, string][] = [
    ['Refused', `${gap.code}\n${harmless(gap.message)}`],
    [
      'Log',
      `${harmless(gap.database)}, ${countText(gap.entries)} entries, complete up to LSN ${gap.fromLsn}`,
    ],
    ['Missing', `what was committed from there to ${until}, as far as it is not sent again`],
    ['From there', `generation ${gap.generation}, with checkpoints of its own`],
  ];
  if (gap.lostSize !== undefined) {
    const lost = gap.lostSize - gap.entries;
    rows.splice(2, 0, [
      'Gone',
      colors.red(
        `${countText(lost)} entries that were signed: there is a checkpoint of ${countText(gap.lostSize)}`,
      ),
    ]);
  }
  return `${colors.bold('What would be accepted')}\n${labelledLines(rows, style)}`;
}

function gapJson(gap: FoundGap | RecordedGap): object {
  const { code, generation, fromLsn, toLsn = null, entries, lostSize = null } = gap;
  const sequence = 'sequence' in gap ? gap.sequence : null;
  return { sequence, refused: code, generation, fromLsn, toLsn, entries, lostSize };
}
