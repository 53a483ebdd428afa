import { Command } from 'commander';
import type { HoldFlags, HoldPlaceFlags, HoldReleaseFlags } from '../holding/run-hold.ts';
import { logOptions } from './log-options.ts';

/** `bemi hold` */
export function holdCommand(): Command {
  const command = new Command('hold')
    .helpCommand(false)
    .summary('keep records from being erased')
    .description(
      'Places, lists and releases holds: what is held is neither erased nor dropped when it expires.',
    )
    .addHelpText(
      'after',
      `
Examples:
  bemi hold place --table Patient --primary-key clx4k2m9d0000 --reason "case 4711" --by legal
  bemi hold place --table Invoice --reason "tax audit 2025" --by finance
  bemi hold list
  bemi hold release 3f9c2a7be01d4456 --by legal

Holds are entries of the log: who placed and released them, when and why, stays provable.`,
    );
  command.addCommand(
    logOptions(new Command('place'))
      .summary('hold a record, or every record of a table')
      .requiredOption('-t, --table <table>', 'name or schema.name, case as in the catalog')
      .option('-k, --primary-key <key>', 'only this record; the log keeps a hash of the key')
      .requiredOption('--reason <text>', 'why; stays in the log, so no personal data')
      .requiredOption('--by <who>', 'who decided it; stays in the log')
      .option('--wait <seconds>', 'how long to wait for the worker (default: 60)')
      .action(async (flags: HoldPlaceFlags) => {
        const { placeHold } = await import('../holding/run-hold.ts');
        await placeHold(flags);
      }),
  );
  command.addCommand(
    logOptions(new Command('release'))
      .summary('release a hold')
      .argument('<id>', 'as bemi hold list shows it')
      .requiredOption('--by <who>', 'who decided it; stays in the log')
      .option('--reason <text>', 'why')
      .option('--wait <seconds>', 'how long to wait for the worker (default: 60)')
      .action(async (id: string, flags: HoldReleaseFlags) => {
        const { releaseHold } = await import('../holding/run-hold.ts');
        await releaseHold(id, flags);
      }),
  );
  command.addCommand(
    logOptions(new Command('list'))
      .summary('the holds in force')
      .action(async (flags: HoldFlags) => {
        const { listHolds } = await import('../holding/run-hold.ts');
        await listHolds(flags);
      }),
  );
  return command;
}
